-- Words that share a key with a mistyped one, between two lengths. By the index: to the planner
-- comparing two arrays costs as little as comparing two numbers, so that it would read every word.
CREATE FUNCTION words_near(given text[], shortest integer, longest integer) RETURNS SETOF text
LANGUAGE sql STABLE SET enable_seqscan = off AS $$
    SELECT word FROM search_words
    WHERE keys && given AND length(word) BETWEEN shortest AND longest
$$;
