"""The report as a page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any


def markdown(facts: Mapping[str, Any]) -> str:
    """`facts` as `Report.facts` gives them."""
    parts = (_result(facts), _changes(facts), _order(facts), _items(facts["items"]))
    return "# Prepared data\n\n" + "\n\n".join(parts) + "\n"


def _result(facts: Mapping[str, Any]) -> str:
    outcome, rows = facts["outcome"], facts["rows"]
    parts = ", ".join(f"{name} {count:,}" for name, count in outcome["parts"].items())
    lines = [
        f"From {' and '.join(f'`{name}`' for name in facts['sources'])}.",
        "",
        *_table(
            ("what", "count"),
            [
                ("rows of interactions read", rows["interactions"]),
                ("interactions kept", outcome["interactions"]),
                ("people", outcome["users"]),
                ("items they touched", outcome["items"]),
                ("longest history", outcome["longest_history"]),
            ],
        ),
        "",
        f"Split `{facts['settings']['split']}`: {parts}. "
        f"Its name is `{outcome['split_sha256']}`: figures compare where it is the same.",
    ]
    return "\n".join(lines)


def _changes(facts: Mapping[str, Any]) -> str:
    lines = ["## What was left out and why", ""]
    if facts["refused"]:
        rows = [
            (r["file"], r["reason"], r["phrase"], "the cell" if r["kept"] else "the row", r["rows"])
            for r in facts["refused"]
        ]
        lines += _table(("file", "reason", "the row or its cell", "left out", "rows"), rows)
        lines += ["", "Each of them is in `refused.csv` with its line."]
    else:
        lines.append("Nothing.")
    lines += ["", *_filters(facts)]
    missing = {name: count for name, count in facts["missing"].items() if count}
    if missing:
        cells = ", ".join(f"`{name}` {count:,}" for name, count in missing.items())
        lines.append(
            f"- Empty cells, rows kept: {cells}. An event without a rating teaches no rating; "
            "without a type it is a rating if it has one, else a click."
        )
    return "\n".join(lines)


def _filters(facts: Mapping[str, Any]) -> list[str]:
    lines = []
    if not facts["settings"]["drop_outliers"]:
        lines.append("- Outliers: kept, as asked for.")
    elif facts["timestamps"] is None:
        lines.append("- Outliers: without timestamps people have no rates to go by.")
    lines += [
        f"- Outliers: median of {rule['what']} {rule['median']:,.1f}; "
        f"above {rule['limit']:,.0f} goes: {rule['removed']:,}."
        for rule in facts["outliers"]
        if rule["limit"] is not None
    ]
    core, settings = facts["k_core"], facts["settings"]
    if core is None:
        lines.append("- k-core: not asked for.")
    else:
        lines.append(
            f"- k-core ({settings['min_user_events']} events a person, "
            f"{settings['min_item_events']} an item): {core['users']:,} people and "
            f"{core['items']:,} items went in {core['rounds']} rounds."
        )
    return lines


def _order(facts: Mapping[str, Any]) -> str:
    outcome = facts["outcome"]
    if facts["timestamps"]:
        oldest, newest = (_date(outcome[name]) for name in ("oldest_s", "newest_s"))
        text = f"By `timestamp`, read as {facts['timestamps']}: {oldest} to {newest}"
        text += "; ties by `position`." if facts["has_positions"] else "; ties as in the file."
    elif facts["has_positions"]:
        text = "By `position`; there are no times."
    else:
        text = (
            "As in the file: there is neither `timestamp` nor `position`. If that order means "
            "nothing, neither do figures of the next item. A repeat counts as a duplicate."
        )
    return f"## Order of events\n\n{text}"


def _items(items: Mapping[str, Any]) -> str:
    names = {
        "catalogue": "in the catalogue",
        "described": "described",
        "touched_without_description": "touched, without a description: placed by their id alone",
        "described_without_events": "described, never touched: placed by their content alone",
        "without_text": "described without text",
        "without_categories": "described without a category",
        "words": "different words",
        "longest_text_of_98_percent": "words in the text of an item, 98 % have at most",
        "categories": "different categories",
        "with_embedding": "described with an embedding",
        "embedding_width": "numbers of an embedding",
        "with_picture": "described with a picture",
    }
    lines = ["## Items", "", *_table(("what", "count"), [(names[n], items[n]) for n in names])]
    if items["columns"]:
        columns = [
            (c["column"], c["attribute"], c["taken_as"], c["missing"], _scale(c))
            for c in items["columns"]
        ]
        header = ("column", "attribute", "taken as", "missing", "median and robust scale")
        lines += ["", *_table(header, columns)]
    return "\n".join(lines)


def _scale(column: Mapping[str, Any]) -> str:
    scale = column["centre_and_scale"]
    return f"{scale[0]:.6g} and {scale[1]:.4g}" if scale else ""


def _table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[str]:
    lines = [f"| {' | '.join(header)} |", f"|{'---|' * len(header)}"]
    for row in rows:
        cells = (f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row)
        lines.append(f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |")
    return lines


def _date(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
