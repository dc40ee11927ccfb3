"""Importing from other servers: actors, posts, conversations, pinned posts, moves."""
