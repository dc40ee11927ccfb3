-- How the author edited the photo, as media/editing/recipes.py spells it; '' = as it was uploaded.
ALTER TABLE photos ADD COLUMN recipe TEXT NOT NULL DEFAULT '';
