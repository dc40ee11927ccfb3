"""Authentication: users, invites, passwords, sessions, access tokens, idempotency keys."""
