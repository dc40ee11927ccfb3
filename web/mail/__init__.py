"""Mail: its texts, and the job that sends it."""
