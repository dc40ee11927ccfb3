"""Telling local people what happened."""
