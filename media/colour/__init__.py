"""What the numbers of a picture mean as colours: ICC profiles, and what formats say in their own words."""
