"""What an edited photo is made of: the recipe, the table of its colours, the tools that need neighbouring pixels, and shapes."""
