"""Pages of moderators and admins."""
