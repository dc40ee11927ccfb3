"""The endpoints of the client API, one module for each chapter of Mastodon's documentation."""
