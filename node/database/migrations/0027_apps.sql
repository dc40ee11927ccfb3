-- When the post of a photo was deleted: its author may use the photo again for a day. NULL for any other photo.
ALTER TABLE photos ADD COLUMN detached_at BIGINT;

-- When an app last used its token, to the hour. NULL until then.
ALTER TABLE tokens ADD COLUMN used_at BIGINT;

-- When a mute ends by itself. NULL: when it is removed.
ALTER TABLE mutes ADD COLUMN ends_at BIGINT;

-- An address is not verified, so it belongs to nobody, and a refusal would tell strangers who has an account here.
DROP INDEX users_email;
CREATE INDEX users_email ON users (lower(email));
CREATE INDEX users_invited ON users (invited_by, created_at) WHERE invited_by IS NOT NULL;
