"""Rules about other servers: domain blocks, block lists, exclusions, and the log of who decided what."""
