"""What is true on this server: tables, rules, deeds. Knows no HTTP, no HTML pages, no JSON-LD."""
