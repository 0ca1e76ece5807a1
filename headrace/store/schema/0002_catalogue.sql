-- The catalogue. `ordinal` numbers items in indexes and bitmaps and is never
-- given twice. Deleting hides: histories need the row.
CREATE TABLE items (
    ordinal integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    item_id text NOT NULL UNIQUE,
    title text NOT NULL,
    description text NOT NULL,
    categories text[] NOT NULL,
    tags text[] NOT NULL,
    attributes jsonb NOT NULL,
    revision bigint NOT NULL,
    deleted boolean NOT NULL DEFAULT false,
    updated_at timestamptz NOT NULL DEFAULT now(),
    -- The revision that topic `items` has seen; below `revision`: to be published.
    published_revision bigint NOT NULL DEFAULT 0
);
CREATE INDEX items_unpublished ON items (ordinal) WHERE published_revision < revision;

-- Item vectors of each model: little-endian float32. `published` tells whether
-- topic `item-vectors.<model version>` has this revision.
CREATE TABLE item_vectors (
    model_version text NOT NULL,
    ordinal integer NOT NULL REFERENCES items (ordinal),
    revision bigint NOT NULL,
    vector bytea NOT NULL,
    bias real NOT NULL,
    published boolean NOT NULL DEFAULT false,
    PRIMARY KEY (model_version, ordinal)
);
CREATE INDEX item_vectors_unpublished ON item_vectors (model_version, ordinal) WHERE NOT published;
