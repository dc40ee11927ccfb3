"""The parts of a post: its row, drafts, revisions, mentions, hashtags, permissions, home feeds."""
