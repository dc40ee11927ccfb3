"""Translations, of pages and of scripts."""
