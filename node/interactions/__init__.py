"""What people do to posts and to each other: likes, boosts, bookmarks, pins, reactions, quotes, follows, blocks."""
