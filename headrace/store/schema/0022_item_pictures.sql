-- What is left of the picture at an item's `picture_url`: 32 x 32 pixels of red, green and blue, a byte
-- each. Kept, so that vectors can be made again without asking its server again.
CREATE TABLE item_pictures (
    ordinal integer PRIMARY KEY REFERENCES items (ordinal),
    -- Where it is from. Of an item that names another picture by now it tells nothing.
    picture_url text NOT NULL,
    pixels bytea, -- null: nobody has it yet
    tries smallint NOT NULL DEFAULT 0, -- that failed
    due_at timestamptz -- when to ask for it; null: no more
);
