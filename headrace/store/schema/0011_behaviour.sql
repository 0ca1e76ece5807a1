-- What people do, as counts that gateways read: event_ingest refreshes them now and then.
-- None of them holds the id of a person, so that a refresh forgets who was erased.

-- The log as it counts: what people stand by. An entry of a visit that the person's own log has
-- got as well would count twice.
CREATE VIEW behaviour_events AS
SELECT i.user_id, i.item_ordinal, i.type, i.occurred_at
FROM standing_interactions AS i
WHERE NOT EXISTS (
    SELECT FROM claimed_visits AS v WHERE v.visitor_id = i.user_id AND i.n <= v.merged_n
);

CREATE VIEW behaviour_spans (span, length) AS
VALUES ('hour', interval '1 hour'), ('day', interval '1 day'), ('week', interval '7 days');

-- An item is in its categories and all above them, once in each, and in '', which is everything.
CREATE VIEW behaviour_categories AS
SELECT ordinal AS item_ordinal, '' AS category FROM items
UNION ALL
SELECT DISTINCT i.ordinal, c
FROM items AS i, unnest(i.categories) AS path, with_ancestors(path) AS c;

-- Journeys: what one person did with one item (view 1, click 2, cart 3, purchase 4) while no
-- pause between two events was longer than `span`. By the day, in UTC, of the first event,
-- and by the furthest stage.
CREATE MATERIALIZED VIEW behaviour_funnel AS
WITH pairs AS (
    SELECT user_id, item_ordinal, min(occurred_at) AS began, max(type) AS furthest,
        max(occurred_at) - min(occurred_at) AS lasted
    FROM behaviour_events
    WHERE type <= 4
    GROUP BY user_id, item_ordinal
),
-- Most are over within the shortest span, and so are one journey for each. Those are counted
-- before they are multiplied.
short AS (
    SELECT category, (began AT TIME ZONE 'UTC')::date AS day, furthest, count(*) AS journeys
    FROM pairs JOIN behaviour_categories USING (item_ordinal)
    WHERE lasted <= (SELECT min(length) FROM behaviour_spans)
    GROUP BY 1, 2, 3
),
events AS (
    SELECT user_id, item_ordinal, type, occurred_at,
        occurred_at - lag(occurred_at) OVER (
            PARTITION BY user_id, item_ordinal ORDER BY occurred_at
        ) AS pause
    FROM behaviour_events JOIN pairs USING (user_id, item_ordinal)
    WHERE type <= 4 AND lasted > (SELECT min(length) FROM behaviour_spans)
),
numbered AS (
    SELECT s.span, e.*,
        count(*) FILTER (WHERE pause > s.length) OVER (
            PARTITION BY s.span, user_id, item_ordinal ORDER BY occurred_at
        ) AS journey
    FROM events AS e, behaviour_spans AS s
),
long AS (
    SELECT span, item_ordinal, min(occurred_at) AS began, max(type) AS furthest
    FROM numbered
    GROUP BY span, user_id, item_ordinal, journey
),
counted AS (
    SELECT span, category, day, furthest, journeys FROM short, behaviour_spans
    UNION ALL
    SELECT span, category, (began AT TIME ZONE 'UTC')::date, furthest, count(*)
    FROM long JOIN behaviour_categories USING (item_ordinal)
    GROUP BY 1, 2, 3, 4
)
SELECT span, category, day, furthest, sum(journeys)::bigint AS journeys
FROM counted
GROUP BY span, category, day, furthest
WITH NO DATA;
CREATE UNIQUE INDEX behaviour_funnel_key ON behaviour_funnel (span, category, day, furthest);

-- Events but dislikes of the last `span`, and of the one before.
CREATE MATERIALIZED VIEW behaviour_item_trends AS
SELECT s.span, e.item_ordinal,
    count(*) FILTER (WHERE e.occurred_at > now() - s.length) AS events,
    count(*) FILTER (WHERE e.occurred_at <= now() - s.length) AS events_before
FROM behaviour_events AS e
JOIN behaviour_spans AS s ON e.occurred_at > now() - 2 * s.length
WHERE e.occurred_at <= now() AND e.type <> 6
GROUP BY s.span, e.item_ordinal
WITH NO DATA;
CREATE UNIQUE INDEX behaviour_item_trends_key ON behaviour_item_trends (span, item_ordinal);

CREATE MATERIALIZED VIEW behaviour_category_trends AS
SELECT span, category,
    sum(events)::bigint AS events, sum(events_before)::bigint AS events_before
FROM behaviour_item_trends JOIN behaviour_categories USING (item_ordinal)
WHERE category <> ''
GROUP BY span, category
WITH NO DATA;
CREATE UNIQUE INDEX behaviour_category_trends_key ON behaviour_category_trends (span, category);

-- The same events by day in UTC: today and the 27 days before.
CREATE MATERIALIZED VIEW behaviour_item_days AS
SELECT item_ordinal, (occurred_at AT TIME ZONE 'UTC')::date AS day, count(*) AS events
FROM behaviour_events
WHERE occurred_at <= now() AND type <> 6
AND (occurred_at AT TIME ZONE 'UTC')::date > (now() AT TIME ZONE 'UTC')::date - 28
GROUP BY 1, 2
WITH NO DATA;
CREATE UNIQUE INDEX behaviour_item_days_key ON behaviour_item_days (item_ordinal, day);

CREATE MATERIALIZED VIEW behaviour_category_days AS
SELECT category, day, sum(events)::bigint AS events
FROM behaviour_item_days JOIN behaviour_categories USING (item_ordinal)
WHERE category <> ''
GROUP BY category, day
WITH NO DATA;
CREATE UNIQUE INDEX behaviour_category_days_key ON behaviour_category_days (category, day);

-- People by the week of their first event, and how many of them came back in which later week.
-- Weeks begin on Monday, 0:00 UTC.
CREATE MATERIALIZED VIEW behaviour_retention AS
WITH active AS (
    SELECT DISTINCT user_id, date_trunc('week', occurred_at AT TIME ZONE 'UTC')::date AS week
    FROM behaviour_events
),
cohorts AS (
    SELECT min(week) OVER (PARTITION BY user_id) AS cohort, week FROM active
)
SELECT cohort, (week - cohort) / 7 AS weeks_later, count(*) AS people
FROM cohorts
GROUP BY cohort, weeks_later
WITH NO DATA;
CREATE UNIQUE INDEX behaviour_retention_key ON behaviour_retention (cohort, weeks_later);

-- 1-5: which fifth of all a percent_rank lies in, the greatest are 5.
CREATE FUNCTION behaviour_fifth(rank double precision) RETURNS integer LANGUAGE sql IMMUTABLE
RETURN least(5, 1 + floor(rank * 5)::integer);

-- Sales by currency of the catalogue's present price, in the smallest unit; '': it has none.
CREATE MATERIALIZED VIEW behaviour_sales AS
SELECT coalesce(i.price ->> 'currency', '') AS currency, count(*) AS purchases,
    sum((i.price ->> 'amount')::bigint)::bigint AS amount
FROM behaviour_events AS e JOIN items AS i ON i.ordinal = e.item_ordinal
WHERE e.type = 4
GROUP BY 1
WITH NO DATA;
CREATE UNIQUE INDEX behaviour_sales_key ON behaviour_sales (currency);

-- Fifths of people by last event and by number of events: currency '', money 0. Of those who
-- bought in a currency also by what it came to.
CREATE MATERIALIZED VIEW behaviour_segments AS
WITH people AS (
    SELECT user_id, count(*) AS events,
        behaviour_fifth(percent_rank() OVER (ORDER BY max(occurred_at))) AS recency,
        behaviour_fifth(percent_rank() OVER (ORDER BY count(*))) AS frequency
    FROM behaviour_events
    GROUP BY user_id
),
spent AS (
    SELECT e.user_id, i.price ->> 'currency' AS currency,
        sum((i.price ->> 'amount')::bigint) AS amount
    FROM behaviour_events AS e JOIN items AS i ON i.ordinal = e.item_ordinal
    WHERE e.type = 4 AND i.price IS NOT NULL
    GROUP BY 1, 2
),
worth AS (
    SELECT user_id, currency, amount,
        behaviour_fifth(percent_rank() OVER (PARTITION BY currency ORDER BY amount)) AS money
    FROM spent
)
SELECT '' AS currency, recency, frequency, 0 AS money,
    count(*) AS people, sum(events)::bigint AS events, 0::bigint AS amount
FROM people
GROUP BY recency, frequency
UNION ALL
SELECT currency, recency, frequency, money,
    count(*), sum(events)::bigint, sum(amount)::bigint
FROM worth JOIN people USING (user_id)
GROUP BY currency, recency, frequency, money
WITH NO DATA;
CREATE UNIQUE INDEX behaviour_segments_key
    ON behaviour_segments (currency, recency, frequency, money);

-- The one last refresh: all views are as of one moment.
CREATE TABLE behaviour_refreshes (
    last boolean PRIMARY KEY DEFAULT true CHECK (last),
    as_of timestamptz NOT NULL,
    -- How long it took.
    seconds double precision NOT NULL
);
