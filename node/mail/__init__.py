"""Mail to people: what is to be sent, and sending it by SMTP."""
