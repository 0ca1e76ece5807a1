-- What another model made of an item; empty: nothing.
ALTER TABLE items ADD COLUMN embedding real[] NOT NULL DEFAULT '{}';
