-- One row a person: how far their log has come. `n` numbers the log's entries
-- 1, 2, 3, ... without gaps; `epoch` grows when the log is rebuilt or erased.
CREATE TABLE user_counters (
    user_id text PRIMARY KEY,
    epoch bigint NOT NULL DEFAULT 0,
    n bigint NOT NULL DEFAULT 0,
    updated_at timestamptz NOT NULL DEFAULT now()
);
-- The sweeper looks for logs that grew lately.
CREATE INDEX user_counters_updated_at ON user_counters (updated_at);

-- The log itself. The key of an event is (user_id, event_id); `body_hash` tells
-- a repeated event from another one under the same id.
CREATE TABLE interactions (
    user_id text NOT NULL,
    n bigint NOT NULL,
    event_id text NOT NULL,
    item_ordinal integer NOT NULL,
    type smallint NOT NULL,
    value double precision,
    occurred_at timestamptz NOT NULL,
    accepted_at timestamptz,
    backfill boolean NOT NULL,
    body_hash bytea NOT NULL,
    PRIMARY KEY (user_id, n),
    UNIQUE (user_id, event_id)
);

-- Events for items that the catalogue lacks, in order of arrival. They get their
-- number when the item comes.
CREATE TABLE waiting_events (
    arrival bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id text NOT NULL,
    event_id text NOT NULL,
    item_id text NOT NULL,
    type smallint NOT NULL,
    value double precision,
    occurred_at timestamptz NOT NULL,
    accepted_at timestamptz,
    backfill boolean NOT NULL,
    body_hash bytea NOT NULL,
    UNIQUE (user_id, event_id)
);
CREATE INDEX waiting_events_item_id ON waiting_events (item_id);

-- What was dead-lettered and could be named, so that callers can ask about it.
CREATE TABLE refused_events (
    user_id text NOT NULL,
    event_id text NOT NULL,
    reason text NOT NULL,
    refused_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, event_id)
);

-- Events per item and minute of occurrence, imports and dislikes left out: the
-- source of what is trending.
CREATE TABLE item_minute_counts (
    minute timestamptz NOT NULL,
    item_ordinal integer NOT NULL,
    events integer NOT NULL,
    PRIMARY KEY (minute, item_ordinal)
);

-- Imports that are finished, by name.
CREATE TABLE imports (
    name text PRIMARY KEY,
    finished_at timestamptz NOT NULL DEFAULT now()
);
