-- What somebody does not want to be shown: an entry of type 9 names an item, or else a category.
ALTER TABLE interactions ADD COLUMN category text NOT NULL DEFAULT '';
CREATE OR REPLACE VIEW standing_interactions AS
    SELECT * FROM interactions WHERE retracted_by IS NULL AND type <> 8;

ALTER TABLE user_states
    -- Ordinals: as `seen`; empty: none.
    ADD COLUMN unwanted bytea NOT NULL DEFAULT '',
    ADD COLUMN unwanted_categories text[] NOT NULL DEFAULT '{}';
