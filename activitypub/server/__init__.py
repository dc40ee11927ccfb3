"""Documents that other servers fetch from this node."""
