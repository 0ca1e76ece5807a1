-- What shops tell about items beside their content.
ALTER TABLE items
    ADD COLUMN text_attributes jsonb NOT NULL DEFAULT '{}',
    -- {"amount": smallest units, "currency": ISO 4217}; null: not known.
    ADD COLUMN price jsonb,
    ADD COLUMN picture_url text NOT NULL DEFAULT '',
    ADD COLUMN availability text NOT NULL DEFAULT 'in_stock',
    -- Visible from `publish_at` until `expire_at`, where they are given.
    ADD COLUMN publish_at timestamptz,
    ADD COLUMN expire_at timestamptz,
    ADD COLUMN created_at timestamptz NOT NULL DEFAULT now();
UPDATE items SET created_at = updated_at;
