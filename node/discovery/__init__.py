"""Finding people, posts and hashtags: search and trends."""
