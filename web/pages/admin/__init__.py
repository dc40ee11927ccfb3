"""Pages for moderators and admins."""
