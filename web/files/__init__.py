"""Files over HTTP: media, static files, byte ranges, and their URLs."""
