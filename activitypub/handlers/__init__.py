"""What each type of received activity does: one module per type, and the table of them in `registry`."""
