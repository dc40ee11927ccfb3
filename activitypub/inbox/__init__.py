"""The inbox: from a POST to a batch of processed activities."""
