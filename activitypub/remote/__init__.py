"""Imports from remote servers: actors, posts, conversations, pinned posts, moves."""
