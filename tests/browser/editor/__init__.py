"""The photo editor in a browser: the same pixels as the server, and what people do with it."""
