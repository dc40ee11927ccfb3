"""The state of one server: tables, rules and actions. Knows no HTTP, no HTML pages, no JSON-LD."""
