"""The demo data as Headrace sees it: a catalogue of films, and who rated which when."""

import argparse
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from headrace.local.demo_files import demo_files

# Columns of the source that are genres, in its order. "unknown" says that none is known.
GENRES = (
    "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary", "Drama",
    "Fantasy", "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller",
    "War", "Western",
)  # fmt: skip
_YEAR_IN_TITLE = re.compile(r"\((\d{4})\)")


@dataclass(frozen=True)
class DemoData:
    """100,000 ratings of 1,682 films by 943 people.

    interactions: row (int, place in the source), user_id, item_id (str), rating (1-5),
        occurred_at (aware, UTC, microseconds), oldest first.
    items: item_id, title (str), year (Int64, may be missing), categories (list of str).
    """

    interactions: pd.DataFrame
    items: pd.DataFrame


def load_demo(cache: Path | None = None, newest: datetime | None = None) -> DemoData:
    """Load the data, all dates shifted by the same span so that the last rating is at `newest`.

    cache: folder of the files, fetched if absent; None for the usual one.
    newest: None for now.
    """
    files = demo_files(cache)
    ratings = _ratings(files["data"])
    shift = pd.Timestamp(newest or datetime.now(UTC)).floor("s") - pd.Timestamp(
        int(ratings["timestamp"].max()), unit="s", tz="UTC"
    )
    ratings["occurred_at"] = pd.to_datetime(ratings["timestamp"], unit="s", utc=True) + shift
    return DemoData(
        interactions=ratings.drop(columns="timestamp"),
        items=_films(files["items"]),
    )


def write_csv(folder: Path, cache: Path | None = None) -> tuple[Path, Path]:
    """Write the data for training, dates as they were.

    Returns `interactions.csv` (user_id, item_id, rating, timestamp in seconds; oldest first) and
    `items.csv` (item_id, title, categories separated by `|`, year).
    """
    files = demo_files(cache)
    folder.mkdir(parents=True, exist_ok=True)
    interactions, items = folder / "interactions.csv", folder / "items.csv"
    _ratings(files["data"]).drop(columns="row").to_csv(interactions, index=False)
    films = _films(files["items"])
    films["categories"] = films["categories"].map("|".join)
    films[["item_id", "title", "categories", "year"]].to_csv(items, index=False)
    return interactions, items


def _ratings(path: Path) -> pd.DataFrame:
    """Row, user_id, item_id, rating, timestamp (s): oldest first, ties in the source's order."""
    source = pd.read_parquet(path)
    ratings = pd.DataFrame(
        {
            "row": range(len(source)),
            "user_id": source["user_id"].astype(str),
            "item_id": source["movie_id"].astype(str),
            "rating": source["rating"],
            "timestamp": source["timestamp"],
        }
    )
    # Stable: an order of ties that depends on the ids would leak them (docs/decisions).
    return ratings.sort_values("timestamp", kind="stable", ignore_index=True)


def _films(path: Path) -> pd.DataFrame:
    source = pd.read_parquet(path)
    marks = source[list(GENRES)].to_numpy(bool)
    named = [_title_and_year(title) for title in source["movie_title"]]
    return pd.DataFrame(
        {
            "item_id": source["movie_id"].astype(str),
            "title": [title for title, _ in named],
            "year": pd.array([year for _, year in named], dtype="Int64"),
            "categories": [
                [genre for genre, marked in zip(GENRES, row, strict=True) if marked]
                for row in marks
            ],
        }
    )


def _title_and_year(text: str) -> tuple[str, int | None]:
    """`Toy Story (1995)` is ("Toy Story", 1995); the source has a few without a year."""
    years = list(_YEAR_IN_TITLE.finditer(text))
    if not years:
        return text.strip(), None
    return text[: years[-1].start()].strip(), int(years[-1].group(1))


def main() -> None:
    """Write the training files into the folder named on the command line."""
    parser = argparse.ArgumentParser(description="Write MovieLens-100K as CSV for training.")
    parser.add_argument("folder", type=Path)
    for path in write_csv(parser.parse_args().folder):
        print(path)


if __name__ == "__main__":
    main()
