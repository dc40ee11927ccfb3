-- A JPEG that broke off near its end is shown with its last rows grey, and said to be so.
ALTER TABLE photos ADD COLUMN is_incomplete BOOLEAN NOT NULL DEFAULT FALSE;
