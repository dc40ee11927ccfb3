"""The request being answered: session, signed-in person, redirects."""
