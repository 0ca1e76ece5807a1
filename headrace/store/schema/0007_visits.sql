-- Visits whose visitor has logged in: their events become the person's.
CREATE TABLE claimed_visits (
    -- The visitor in the log before.
    visitor_id text PRIMARY KEY,
    user_id text NOT NULL REFERENCES accounts (user_id) ON DELETE CASCADE,
    claimed_at timestamptz NOT NULL DEFAULT now(),
    -- The last entry of the visitor's log that the person's log got.
    merged_n bigint NOT NULL DEFAULT 0
);
CREATE INDEX claimed_visits_user_id ON claimed_visits (user_id);
CREATE INDEX claimed_visits_claimed_at ON claimed_visits (claimed_at);
