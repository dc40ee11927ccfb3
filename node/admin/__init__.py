"""What moderators and admins do and see: reports, suspensions, servers, statistics."""
