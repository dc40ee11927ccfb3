"""Decoders that have to know more than the pixels: how much of a picture is in its file."""
