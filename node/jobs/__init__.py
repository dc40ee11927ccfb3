"""Work to be done later: the queue in the database, the worker that runs it, and batching."""
