"""The database work of command-line commands, and the socket over which a serving node accepts them."""
