-- Words for comparing: lower case, without accents, parted by single spaces. What
-- stands between them (`3.5`, `a/b`, `x@y`) must not make one word of them. Plain
-- ASCII, most of what there is, takes the short way to the same.
CREATE FUNCTION folded(given text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN octet_length(given) = length(given)
        THEN regexp_replace(lower(given), '[^a-z0-9]+', ' ', 'g')
        ELSE regexp_replace(
            regexp_replace(lower(normalize(given, NFKD)), '[\u0300-\u036f]', '', 'g'),
            '[^[:alnum:]]+', ' ', 'g'
        )
    END
$$;

-- English stems, and no stop words: "It" and "The Who" can be found.
CREATE TEXT SEARCH DICTIONARY headrace_stem (TEMPLATE = snowball, LANGUAGE = english);
CREATE TEXT SEARCH CONFIGURATION headrace (COPY = simple);
ALTER TEXT SEARCH CONFIGURATION headrace ALTER MAPPING REPLACE simple WITH headrace_stem;

-- A category path and all above it.
CREATE FUNCTION with_ancestors(path text) RETURNS SETOF text LANGUAGE sql IMMUTABLE AS $$
    SELECT array_to_string(steps[:depth], ' > ')
    FROM (SELECT string_to_array(path, ' > ') AS steps) AS split,
        generate_series(1, cardinality(steps)) AS depth
$$;

-- What every search and every browsed list reads: one row for each item that is not
-- deleted, written in the transaction that changes the item. Apart from `items`,
-- whose rows change with each publication.
CREATE TABLE item_search (
    ordinal integer PRIMARY KEY REFERENCES items (ordinal),
    -- Title (A), tags and categories (B), description (C).
    document tsvector NOT NULL,
    -- What can be filtered by equality and counted: `c:` category, its ancestors too,
    -- `t:` tag, `v:` availability, `a<length of name>:<name>=<value>` text attribute.
    terms text[] NOT NULL,
    title text COLLATE "C" NOT NULL,
    numbers jsonb NOT NULL,
    price_amount bigint,
    price_currency text,
    -- ln(1 + events in the log), to one decimal: refreshed now and then.
    popularity real NOT NULL DEFAULT 0,
    -- When it was added, or is published where that is later.
    new_since timestamptz NOT NULL,
    publish_at timestamptz NOT NULL,
    expire_at timestamptz NOT NULL
);
-- Small pending lists: every search reads them to the end.
CREATE INDEX item_search_document ON item_search USING gin (document)
    WITH (gin_pending_list_limit = 128);
CREATE INDEX item_search_terms ON item_search USING gin (terms)
    WITH (gin_pending_list_limit = 128);
CREATE INDEX item_search_newest ON item_search (new_since, ordinal);
CREATE INDEX item_search_popular ON item_search (popularity, ordinal);
-- Items without a price come last, whichever way.
CREATE INDEX item_search_cheapest
    ON item_search (coalesce(price_amount, 9223372036854775807), ordinal);
CREATE INDEX item_search_dearest ON item_search (coalesce(price_amount, -1), ordinal);
CREATE INDEX item_search_title ON item_search (title, ordinal);

-- Words of titles and tags. `keys`: the word and each of it with one letter left out;
-- words one slip apart share a key.
CREATE TABLE search_words (
    word text PRIMARY KEY,
    keys text[] NOT NULL
);
CREATE INDEX search_words_keys ON search_words USING gin (keys) WITH (fastupdate = off);

CREATE FUNCTION slip_keys(word text) RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
    SELECT array_agg(DISTINCT left(word, place - 1) || substr(word, place + 1)) || word
    FROM generate_series(1, length(word)) AS place
$$;

-- Brings `item_search` and `search_words` to what `items` says of these items.
CREATE FUNCTION index_items(changed integer[]) RETURNS void LANGUAGE sql AS $$
    DELETE FROM item_search s USING items i
    WHERE s.ordinal = ANY(changed) AND i.ordinal = s.ordinal AND i.deleted;

    INSERT INTO item_search (
        ordinal, document, terms, title, numbers, price_amount, price_currency,
        new_since, publish_at, expire_at
    )
    SELECT
        i.ordinal,
        setweight(to_tsvector('headrace', folded(i.title)), 'A')
        || setweight(to_tsvector('headrace', folded(
            array_to_string(i.tags || i.categories, ' '))), 'B')
        || setweight(to_tsvector('headrace', folded(i.description)), 'C'),
        ARRAY(
            SELECT DISTINCT 'c:' || c FROM unnest(i.categories) AS p, with_ancestors(p) AS c
        )
        || ARRAY(SELECT DISTINCT 't:' || tag FROM unnest(i.tags) AS tag)
        || ('v:' || i.availability)
        || ARRAY(
            SELECT 'a' || length(key) || ':' || key || '=' || value
            FROM jsonb_each_text(i.text_attributes)
        ),
        left(folded(i.title), 100),
        i.attributes,
        (i.price ->> 'amount')::bigint,
        i.price ->> 'currency',
        greatest(i.created_at, i.publish_at),
        coalesce(i.publish_at, '-infinity'),
        coalesce(i.expire_at, 'infinity')
    FROM items i WHERE i.ordinal = ANY(changed) AND NOT i.deleted
    ORDER BY i.ordinal
    ON CONFLICT (ordinal) DO UPDATE SET
        document = excluded.document, terms = excluded.terms, title = excluded.title,
        numbers = excluded.numbers, price_amount = excluded.price_amount,
        price_currency = excluded.price_currency,
        new_since = excluded.new_since, publish_at = excluded.publish_at,
        expire_at = excluded.expire_at;

    -- In one order for all, so that no two writers wait for each other.
    INSERT INTO search_words (word, keys)
    SELECT word, slip_keys(word) FROM (
        SELECT DISTINCT word FROM items i, string_to_table(
            folded(i.title || ' ' || array_to_string(i.tags, ' ')), ' ') AS word
        WHERE i.ordinal = ANY(changed) AND length(word) BETWEEN 2 AND 40
    ) AS given
    WHERE NOT EXISTS (SELECT FROM search_words known WHERE known.word = given.word)
    ORDER BY word
    ON CONFLICT DO NOTHING;
$$;

SELECT index_items(ARRAY(SELECT ordinal FROM items));

-- Searches that found nothing, for the owners of the catalogue. Bounded by the service.
CREATE TABLE search_misses (
    query text PRIMARY KEY,
    times bigint NOT NULL DEFAULT 1,
    last_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX search_misses_last_at ON search_misses (last_at);
