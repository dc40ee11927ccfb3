"""A form that was sent while nobody was signed in: it is kept while its author signs in, and sent when they say so."""
