"""Outgoing activities, their deliveries and what became of them, and what is remembered of other servers."""
