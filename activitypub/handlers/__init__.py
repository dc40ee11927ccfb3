"""What each kind of received activity does."""
