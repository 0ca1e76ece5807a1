-- How often items were in lists that were served, by the hour. Nobody's id is in it.
CREATE TABLE item_impression_counts (
    item_id text NOT NULL,
    hour timestamptz NOT NULL,
    impressions bigint NOT NULL,
    PRIMARY KEY (item_id, hour)
);
-- Rows come by the hour, and leave by it.
CREATE INDEX item_impression_counts_hour ON item_impression_counts USING brin (hour);

-- How far topic `impressions` is counted: written in the transaction that counts, so that a record
-- that comes again is not counted again.
CREATE TABLE counted_impressions (
    partition integer PRIMARY KEY,
    next_offset bigint NOT NULL
);
