"""Actions on posts and accounts: likes, boosts, bookmarks, pins, emoji reactions, quotes, follows, blocks."""
