"""Making, changing and deleting posts, local and remote, with all that follows from it."""
