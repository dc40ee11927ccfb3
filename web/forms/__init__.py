"""What forms have in common, whatever page they are on."""
