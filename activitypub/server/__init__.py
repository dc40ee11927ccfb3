"""Serves the ActivityPub documents that remote servers fetch from this node."""
