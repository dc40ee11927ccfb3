"""OAuth (RFC 6749): apps, their scopes, authorization codes and tokens of their own."""
