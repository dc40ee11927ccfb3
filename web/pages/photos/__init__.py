"""One photo: the full-screen viewer and the editor."""
