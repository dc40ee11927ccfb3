-- The licence that a new post of this person has unless another is chosen, by its name; '' = all rights reserved.
ALTER TABLE users ADD COLUMN default_licence TEXT NOT NULL DEFAULT '';

-- Camera and lens are shared each by itself from now on. What was shared stays shared.
UPDATE photos SET extra = REPLACE(extra, '"groups": ["camera"', '"groups": ["camera", "lens"')
WHERE extra LIKE '%"groups": ["camera"%';
