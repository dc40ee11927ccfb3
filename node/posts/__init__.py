"""The parts of a post: its row, drafts, revisions, mentions, hashtags, permissions, and home feeds."""
