"""Text: typed text to HTML, remote HTML to safe HTML, display names and host names."""
