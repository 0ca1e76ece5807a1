-- Releases of models. Each active one has a slot: a set of processes of its own
-- (item_embedding, user_embedding, ranker). Which slot makes whose list follows from
-- these rows; gateways read them every second.
CREATE TABLE model_releases (
    release_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    model_version text NOT NULL,
    bundle_url text NOT NULL,
    -- Of the manifest, which has the digest of every other file.
    manifest_sha256 text NOT NULL,
    slot text NOT NULL CHECK (slot IN ('blue', 'green')),
    stage text NOT NULL CHECK (
        stage IN ('proposed', 'shadow', 'canary', 'live', 'standby', 'retired', 'stopped')
    ),
    -- Of people whose lists it makes as a canary, chosen by a hash of salt and person; of
    -- requests as a shadow.
    share double precision NOT NULL DEFAULT 0 CHECK (share >= 0 AND share <= 1),
    salt text NOT NULL,
    -- Why it was stopped.
    reason text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    -- Also when the share changed.
    stage_since timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX model_releases_slot ON model_releases (slot)
    WHERE stage NOT IN ('retired', 'stopped');
CREATE UNIQUE INDEX model_releases_live ON model_releases (stage) WHERE stage = 'live';

-- How each release went; reports are about the time between two steps.
CREATE TABLE model_release_steps (
    release_id bigint NOT NULL REFERENCES model_releases,
    at timestamptz NOT NULL DEFAULT now(),
    stage text NOT NULL,
    share double precision NOT NULL,
    PRIMARY KEY (release_id, at)
);

-- What runs in a slot: each process says so every second. Gateways name, for each slot, whether
-- they know where its ranker is.
CREATE TABLE model_processes (
    slot text NOT NULL,
    service text NOT NULL,
    process text NOT NULL,
    model_version text NOT NULL,
    bundle_url text NOT NULL,
    manifest_sha256 text NOT NULL,
    ready boolean NOT NULL,
    seen_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (slot, service, process)
);
