"""Jinja templates and what they need: post cards, custom emoji, helpers, error pages."""
