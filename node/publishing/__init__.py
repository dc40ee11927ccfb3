"""Publishing, editing and deleting posts, local and remote, with everything that follows from it."""
