"""Photos that arrive in pieces: their rows, their files, and what becomes of them."""
