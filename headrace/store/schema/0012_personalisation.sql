-- Who said whether lists may be personal; people without a row did not say no.
-- Gateways read what changed every second.
CREATE TABLE personalisation (
    user_id text PRIMARY KEY,
    enabled boolean NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX personalisation_changed_at ON personalisation (changed_at);
