"""Outgoing activities: their audience, the fan-out to inboxes, and each delivery."""
