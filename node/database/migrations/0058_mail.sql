-- When the address of a user was confirmed; one that is to take its place; and why mail to it was last refused.
ALTER TABLE users ADD COLUMN email_confirmed_at BIGINT;
ALTER TABLE users ADD COLUMN new_email TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN mail_problem TEXT NOT NULL DEFAULT '';
