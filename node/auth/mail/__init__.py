"""Mail about accounts: whom it goes to, and the links and codes that prove that it arrived."""
