-- Categories that people of an age band choose more than others do, for the first lists of those
-- who name no interests. Of who gave their age; refreshed with the views of what people do.
-- score: z of two proportions (of people who chose something in the category). Many categories are
-- compared, so that only what chance hardly makes counts; a band of few people would tell of them.
CREATE MATERIALIZED VIEW age_band_categories AS
WITH chose AS (
    SELECT DISTINCT a.age_band, e.user_id, path AS category
    FROM behaviour_events AS e
    JOIN accounts AS a USING (user_id)
    JOIN items AS i ON i.ordinal = e.item_ordinal, unnest(i.categories) AS path
    WHERE a.age_band IS NOT NULL AND e.type <> 6
),
bands AS (
    SELECT age_band, count(DISTINCT user_id)::float8 AS people FROM chose GROUP BY age_band
),
counted AS (
    SELECT c.age_band, c.category, b.people, count(*)::float8 AS choosers,
        (SELECT sum(people) FROM bands) - b.people AS others,
        sum(count(*)) OVER (PARTITION BY c.category)::float8 - count(*) AS other_choosers
    FROM chose AS c JOIN bands AS b USING (age_band)
    GROUP BY c.age_band, c.category, b.people
),
shares AS (
    SELECT *, (choosers + other_choosers) / (people + others) AS share
    FROM counted
    WHERE people >= 20 AND others >= 20
),
scores AS (
    SELECT age_band, category, (choosers / people - other_choosers / others)
        / sqrt(share * (1 - share) * (1 / people + 1 / others)) AS score
    FROM shares
    WHERE share < 1
)
SELECT age_band, category, score FROM scores WHERE score > 3;
CREATE UNIQUE INDEX age_band_categories_key ON age_band_categories (age_band, category);
