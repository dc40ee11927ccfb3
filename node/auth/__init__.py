"""Who may act: users, passwords, sessions, access tokens, idempotency keys."""
