-- People with an account. `user_id` is the person in every log and list.
CREATE TABLE accounts (
    user_id text PRIMARY KEY,
    email text NOT NULL,
    -- The address in lower case: one account an address.
    email_key text NOT NULL UNIQUE,
    password_hash text NOT NULL,
    name text NOT NULL,
    role text NOT NULL CHECK (role IN ('shopper', 'merchandiser', 'operator')),
    age_band text,
    interests text[] NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now()
);

-- Wishes for an account, until the address is confirmed. One address may have
-- several: whoever has both the mailed token and the password gets the account.
CREATE TABLE registrations (
    digest bytea PRIMARY KEY,
    email text NOT NULL,
    email_key text NOT NULL,
    password_hash text NOT NULL,
    name text NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX registrations_expires_at ON registrations (expires_at);

-- One row a log-in: the family of its refresh tokens.
CREATE TABLE sign_ins (
    sign_in_id text PRIMARY KEY,
    user_id text NOT NULL REFERENCES accounts (user_id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- Moves on with each refresh.
    expires_at timestamptz NOT NULL,
    ended_at timestamptz
);
CREATE INDEX sign_ins_user_id ON sign_ins (user_id);
CREATE INDEX sign_ins_expires_at ON sign_ins (expires_at);

-- A used one that comes again was stolen, by the first or by the second.
CREATE TABLE refresh_tokens (
    digest bytea PRIMARY KEY,
    sign_in_id text NOT NULL REFERENCES sign_ins (sign_in_id) ON DELETE CASCADE,
    used_at timestamptz
);
CREATE INDEX refresh_tokens_sign_in_id ON refresh_tokens (sign_in_id);

-- Mailed tokens that set a new password, each once.
CREATE TABLE recoveries (
    digest bytea PRIMARY KEY,
    user_id text NOT NULL REFERENCES accounts (user_id) ON DELETE CASCADE,
    expires_at timestamptz NOT NULL
);
CREATE INDEX recoveries_user_id ON recoveries (user_id);
