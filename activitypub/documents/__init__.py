"""Local rows as JSON-LD and other documents: activities, notes, NodeInfo, WebFinger."""
