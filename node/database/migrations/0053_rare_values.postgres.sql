-- A statement is planned without its values, so as if every value were as frequent as the others. Where there are few
-- values, as accounts on a small node, that would be so often that reading the primary key backwards looks cheap, and
-- the list of somebody with few rows would walk those of everybody else. With this, each value is taken for rare, and
-- lists are read from the index made for them. Authors count as less rare: of their posts there are several indexes, of
-- which the one that fits best has to look cheaper than the others. Blocks are not told: most queries look for a single
-- one, and would read all of a viewer's instead if they seemed few.
ALTER TABLE accounts
    ALTER COLUMN domain SET (n_distinct = -0.01);
ALTER TABLE bookmarks
    ALTER COLUMN account_id SET (n_distinct = -0.01);
ALTER TABLE boosts
    ALTER COLUMN account_id SET (n_distinct = -0.01),
    ALTER COLUMN post_id SET (n_distinct = -0.1);
ALTER TABLE early_updates
    ALTER COLUMN account_id SET (n_distinct = -0.01),
    ALTER COLUMN host SET (n_distinct = -0.01);
ALTER TABLE feed
    ALTER COLUMN account_id SET (n_distinct = -0.01);
ALTER TABLE follows
    ALTER COLUMN followed_id SET (n_distinct = -0.01),
    ALTER COLUMN follower_id SET (n_distinct = -0.01);
ALTER TABLE likes
    ALTER COLUMN account_id SET (n_distinct = -0.01),
    ALTER COLUMN post_id SET (n_distinct = -0.1);
ALTER TABLE mentions
    ALTER COLUMN account_id SET (n_distinct = -0.01);
ALTER TABLE mutes
    ALTER COLUMN account_id SET (n_distinct = -0.01);
ALTER TABLE notifications
    ALTER COLUMN account_id SET (n_distinct = -0.01),
    ALTER COLUMN by_id SET (n_distinct = -0.01);
ALTER TABLE outbox
    ALTER COLUMN account_id SET (n_distinct = -0.01),
    ALTER COLUMN post_id SET (n_distinct = -0.1);
ALTER TABLE photos
    ALTER COLUMN account_id SET (n_distinct = -0.01);
ALTER TABLE pins
    ALTER COLUMN account_id SET (n_distinct = -0.01);
ALTER TABLE post_edits
    ALTER COLUMN post_id SET (n_distinct = -0.1);
ALTER TABLE post_hashtags
    ALTER COLUMN hashtag_id SET (n_distinct = -0.01);
ALTER TABLE posts
    ALTER COLUMN account_id SET (n_distinct = 100),
    ALTER COLUMN parent_id SET (n_distinct = -0.1),
    ALTER COLUMN root_id SET (n_distinct = -0.1);
ALTER TABLE reports
    ALTER COLUMN target_id SET (n_distinct = -0.01);
ALTER TABLE saved_drafts
    ALTER COLUMN account_id SET (n_distinct = -0.01);
ALTER TABLE tagged_people
    ALTER COLUMN account_id SET (n_distinct = -0.01);
