"""Authentication: users, passwords, sessions, access tokens, idempotency keys."""
