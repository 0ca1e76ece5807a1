-- Lists that people got, until it is known what came of them: some 35 minutes. The key is where a
-- list stands in topic `impressions`: its record, and its place in that. A record that comes again
-- after its lists are gone is known by `counted_impressions`.
CREATE TABLE served_lists (
    partition integer NOT NULL,
    record_offset bigint NOT NULL,
    place integer NOT NULL,
    user_id text NOT NULL,
    served_at timestamptz NOT NULL,
    model_version text NOT NULL,
    -- By position, from 1; sources are the numbers of headrace.api.ranker.v1.Source.
    item_ids text[] NOT NULL,
    sources smallint[] NOT NULL,
    PRIMARY KEY (partition, record_offset, place)
);
CREATE INDEX served_lists_user_id ON served_lists (user_id, served_at);
CREATE INDEX served_lists_served_at ON served_lists (served_at);

-- What came of what was shown, by the hour, in UTC, in which it was. No ids of people.
CREATE TABLE click_through (
    hour timestamptz NOT NULL,
    source smallint NOT NULL,
    position integer NOT NULL,
    model_version text NOT NULL,
    shown bigint NOT NULL,
    -- Chosen at all, and bought, within half an hour.
    clicked bigint NOT NULL,
    bought bigint NOT NULL,
    PRIMARY KEY (hour, source, position, model_version)
);

-- Lists that were served before this are counted.
CREATE TABLE click_through_progress (
    last boolean PRIMARY KEY DEFAULT true CHECK (last),
    as_of timestamptz NOT NULL
);
