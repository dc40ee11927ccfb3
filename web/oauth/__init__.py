"""OAuth: the part that Authlib does, over our tables."""
