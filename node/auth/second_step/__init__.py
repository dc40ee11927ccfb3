"""What is asked for after a password: codes of an authenticator app, recovery codes."""
