-- Saying that one is not interested (type 9) counts as a dislike (6) does: somebody was there, and
-- chose nothing. A category may be meant instead of an item: such an entry has none.
CREATE OR REPLACE VIEW behaviour_events AS
SELECT i.user_id, i.item_ordinal,
    CASE WHEN i.type = 9 THEN 6::smallint ELSE i.type END AS type,
    i.occurred_at
FROM standing_interactions AS i
WHERE NOT EXISTS (
    SELECT FROM claimed_visits AS v WHERE v.visitor_id = i.user_id AND i.n <= v.merged_n
);
