-- Each person's recurrent state and vector under each model. Writes are guarded:
-- the greater (epoch, n) stays.
CREATE TABLE user_states (
    model_version text NOT NULL,
    user_id text NOT NULL,
    epoch bigint NOT NULL,
    n bigint NOT NULL,
    -- Recurrent state and vector: little-endian float32.
    state bytea NOT NULL,
    vector bytea NOT NULL,
    -- Ordinals of the items last touched, oldest first, at most 50.
    recent_ordinals integer[] NOT NULL,
    -- Ordinals not to be shown again: Roaring bitmap, portable serialisation.
    seen bytea NOT NULL,
    -- The last 16 event ids, oldest first.
    recent_event_ids text[] NOT NULL,
    last_occurred_at timestamptz,
    last_accepted_at timestamptz,
    PRIMARY KEY (model_version, user_id)
);
-- Vectors are rewritten on every event: leave room for updates in place.
ALTER TABLE user_states SET (fillfactor = 70);
