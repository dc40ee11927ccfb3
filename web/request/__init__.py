"""The current request: session, signed-in user, redirects."""
