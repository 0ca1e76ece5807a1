-- Makes the digests of ids useless to whoever has them without this database.
CREATE TABLE erasure_pepper (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    pepper bytea NOT NULL
);
INSERT INTO erasure_pepper (pepper) VALUES (
    sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8'))
);

-- Whose past is refused: what was accepted until `erased_at` is not stored, states before
-- `epoch` neither. Whoever comes again under the id begins in that epoch. `person` is
-- sha256(pepper || id). Rows go once nothing older can arrive any more.
CREATE TABLE erased_people (
    person bytea PRIMARY KEY,
    epoch bigint NOT NULL,
    erased_at timestamptz NOT NULL
);
CREATE INDEX erased_people_erased_at ON erased_people (erased_at);

-- Processes that hold people in memory, and when each was heard of last.
CREATE TABLE memories (
    memory_id text PRIMARY KEY,
    seen_at timestamptz NOT NULL
);

-- Whom every memory is to forget. The ids are there until all have done so.
CREATE TABLE forgettings (
    forgetting_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    begun_at timestamptz NOT NULL DEFAULT now(),
    people text[] NOT NULL,
    done_at timestamptz
);
CREATE INDEX forgettings_open ON forgettings (forgetting_id) WHERE done_at IS NULL;
CREATE TABLE forgotten (
    forgetting_id bigint NOT NULL REFERENCES forgettings (forgetting_id) ON DELETE CASCADE,
    memory_id text NOT NULL,
    -- Things about these people that were in memory.
    removed bigint NOT NULL,
    PRIMARY KEY (forgetting_id, memory_id)
);

CREATE TABLE erasures (
    erasure_id text PRIMARY KEY,
    requested_at timestamptz NOT NULL,
    -- SHA-256 of the receipt: who holds it can prove what was erased, and nobody else can
    -- find out from this row.
    receipt bytea NOT NULL,
    -- The person and their visits, until it is completed.
    people text[] NOT NULL,
    forgetting_id bigint NOT NULL,
    -- Until then somebody works on it.
    taken_until timestamptz NOT NULL DEFAULT '-infinity',
    completed_at timestamptz
);
CREATE INDEX erasures_open ON erasures (requested_at) WHERE completed_at IS NULL;

-- What was removed, place by place.
CREATE TABLE erasure_reports (
    erasure_id text NOT NULL REFERENCES erasures (erasure_id) ON DELETE CASCADE,
    place text NOT NULL,
    state text NOT NULL,
    removed bigint NOT NULL,
    reported_at timestamptz NOT NULL DEFAULT now(),
    -- When the last trace is gone where it is not yet.
    gone_by timestamptz,
    PRIMARY KEY (erasure_id, place)
);
