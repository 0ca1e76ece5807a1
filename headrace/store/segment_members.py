"""Who is in a segment of the behaviour analysis.

The analysis keeps no ids (decision 11), so the log is counted anew, by the rule of the view
`behaviour_segments`.
"""

from __future__ import annotations

from headrace.contracts.segments import SegmentName, segment_name
from headrace.store.database import Database

# As a refresh of that view: one core of Postgres at most, sorts in memory.
_BOUNDS = "SET LOCAL max_parallel_workers_per_gather = 0; SET LOCAL work_mem = '64MB'"
_MEMBERS = """
SELECT user_id FROM (
    SELECT user_id,
        behaviour_fifth(percent_rank() OVER (ORDER BY max(occurred_at))) AS recency,
        behaviour_fifth(percent_rank() OVER (ORDER BY count(*))) AS frequency
    FROM behaviour_events
    GROUP BY user_id
) AS people
WHERE (recency, frequency) IN %s
"""
_FIFTHS = range(1, 6)


def members_of(database: Database, segment: SegmentName) -> list[str]:
    """Ids as of now, sorted. Raises: Unavailable where Postgres is away."""
    alike = tuple(
        (recency, frequency)
        for recency in _FIFTHS
        for frequency in _FIFTHS
        if segment_name(recency, frequency) == segment
    )
    with database.transaction() as cursor:
        cursor.execute(_BOUNDS)
        cursor.execute(_MEMBERS, (alike,))
        return sorted(user_id for (user_id,) in cursor)
