"""Photos, avatars, headers and custom emoji, and the cache of remote media."""
