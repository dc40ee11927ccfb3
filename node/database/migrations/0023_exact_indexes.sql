-- An index for exactly what each list is paged by, so that no page walks over rows that it cannot show.

-- Public posts with photos: of everybody, and of one side.
CREATE INDEX posts_public_photos ON posts (id)
    WHERE visibility = 'public' AND deleted_at IS NULL AND parent_uri = '' AND photos_count > 0;
CREATE INDEX posts_public_side_photos ON posts (is_local, id)
    WHERE visibility = 'public' AND deleted_at IS NULL AND parent_uri = '' AND photos_count > 0;

-- A profile is read one visibility at a time, of those that its viewer may see: all posts, without comments, photos.
CREATE INDEX posts_profile ON posts (account_id, visibility, id) WHERE deleted_at IS NULL;
CREATE INDEX posts_profile_roots ON posts (account_id, visibility, id)
    WHERE deleted_at IS NULL AND parent_uri = '';
CREATE INDEX posts_profile_photos ON posts (account_id, visibility, id)
    WHERE deleted_at IS NULL AND photos_count > 0;

-- The public replies to a post.
CREATE INDEX posts_open_replies ON posts (parent_id, id)
    WHERE parent_id IS NOT NULL AND deleted_at IS NULL AND visibility IN ('public', 'unlisted');

-- What is searched for words, newest first; people by the beginning of their display name.
CREATE INDEX posts_local_public ON posts (id) WHERE is_local AND visibility = 'public' AND deleted_at IS NULL;
CREATE INDEX accounts_display_name ON accounts (lower(display_name));

-- What somebody is mentioned in and may see for that alone: the author of a followers-only or direct post, else NULL.
ALTER TABLE mentions ADD COLUMN private_by BIGINT;
UPDATE mentions SET private_by = (SELECT p.account_id FROM posts p WHERE p.id = mentions.post_id)
    WHERE post_id IN (SELECT p.id FROM posts p WHERE p.visibility IN ('followers', 'direct'));
CREATE INDEX mentions_private ON mentions (account_id, private_by, post_id) WHERE private_by IS NOT NULL;

-- What of a post decides which lists of its hashtags it is in.
ALTER TABLE post_hashtags ADD COLUMN is_public BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE post_hashtags ADD COLUMN is_local BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE post_hashtags ADD COLUMN has_photos BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE post_hashtags SET is_public = (p.visibility = 'public'), is_local = p.is_local, has_photos = (p.photos_count > 0)
    FROM posts p WHERE p.id = post_hashtags.post_id;
CREATE INDEX post_hashtags_public ON post_hashtags (hashtag_id, post_id) WHERE is_public;
CREATE INDEX post_hashtags_local ON post_hashtags (hashtag_id, post_id) WHERE is_public AND is_local;
CREATE INDEX post_hashtags_photos ON post_hashtags (hashtag_id, post_id) WHERE is_public AND has_photos;
CREATE INDEX post_hashtags_local_photos ON post_hashtags (hashtag_id, post_id)
    WHERE is_public AND is_local AND has_photos;

-- Who liked and who boosted a post, the latest first.
CREATE INDEX likes_post ON likes (post_id, id);
CREATE INDEX boosts_post ON boosts (post_id, id);

-- What did not arrive, for staff.
CREATE INDEX deliveries_undelivered ON deliveries (id)
    WHERE state IN ('failed', 'gone') OR (state = 'waiting' AND attempts > 0);

-- Whom somebody has blocked or muted, the latest first.
CREATE INDEX blocks_account ON blocks (account_id, id);
CREATE INDEX mutes_account ON mutes (account_id, id);

-- Notifications of some kinds alone, and by somebody.
DROP INDEX notifications_by;
CREATE INDEX notifications_by ON notifications (by_id, account_id, id);
CREATE INDEX notifications_kind ON notifications (account_id, kind, id);

-- Use of each hashtag by day, so that no page counts the uses of a loud one. `authors` are distinct.
-- owner: node/posts/hashtag_days.py
CREATE TABLE hashtag_days (
    hashtag_id BIGINT NOT NULL REFERENCES hashtags (id) ON DELETE CASCADE,
    day BIGINT NOT NULL,                     -- days since 1970
    posts BIGINT NOT NULL,
    authors BIGINT NOT NULL,
    local_authors BIGINT NOT NULL,
    PRIMARY KEY (hashtag_id, day)
);
CREATE INDEX hashtag_days_day ON hashtag_days (day);
CREATE INDEX hashtag_uses_account ON hashtag_uses (account_id, hashtag_id, hour);
INSERT INTO hashtag_days (hashtag_id, day, posts, authors, local_authors)
    SELECT hashtag_id, hour / 24, SUM(posts), COUNT(DISTINCT account_id),
        COUNT(DISTINCT CASE WHEN is_local THEN account_id END)
    FROM hashtag_uses WHERE hour > (SELECT MAX(hour) FROM hashtag_uses) - 30 * 24
    GROUP BY hashtag_id, hour / 24;
