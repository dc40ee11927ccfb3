"""Rules about other servers: domain blocks, block lists, exclusions, and the audit log of all of them."""
