"""The inbox: from a POST request to a batch of processed activities."""
