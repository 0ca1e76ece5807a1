-- API keys made over the API: only the SHA-256 of a key is kept.
CREATE TABLE api_keys (
    key_id text PRIMARY KEY,
    digest bytea NOT NULL UNIQUE,
    name text NOT NULL,
    scopes text[] NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL,
    -- To the minute.
    last_used_at timestamptz,
    revoked_at timestamptz
);

-- Sign-ins and visits that ended before their tokens expired. Gateways read it
-- every second; a row is needed until `until`.
CREATE TABLE ended_sessions (
    session text PRIMARY KEY,
    ended_at timestamptz NOT NULL DEFAULT now(),
    until timestamptz NOT NULL
);
CREATE INDEX ended_sessions_ended_at ON ended_sessions (ended_at);
