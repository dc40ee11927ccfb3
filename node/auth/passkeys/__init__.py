"""Passkeys (WebAuthn): what is kept of them, and how a device shows that it has one."""
