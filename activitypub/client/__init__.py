"""Requests to other servers: the one guarded HTTP client and what is fetched through it."""
