-- Runs of `headrace retrain`, one row each: why it trained or did not, and what came of it.
CREATE TABLE model_trainings (
    training_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    started_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    -- idle: there was nothing to do. A run that was killed stays `running` until the next one.
    outcome text NOT NULL DEFAULT 'running' CHECK (
        outcome IN ('running', 'idle', 'proposed', 'not_better', 'failed')
    ),
    reason text NOT NULL DEFAULT '',
    -- Empty where the run did not come so far.
    live_version text NOT NULL DEFAULT '',
    candidate_version text NOT NULL DEFAULT '',
    report_url text NOT NULL DEFAULT ''
);
