"""Commands of the command line, and the socket over which a serving node takes them."""
