-- How far `headrace rebuild` has come, so that one that was killed goes on from there.
CREATE TABLE rebuild_steps (
    model_version text NOT NULL,
    step text NOT NULL,
    started_at timestamptz,
    -- Up to this key, in order, what there is has been done or given to a service to do anew.
    after_key text NOT NULL DEFAULT '',
    given bigint NOT NULL DEFAULT 0,
    finished_at timestamptz,
    PRIMARY KEY (model_version, step)
);
