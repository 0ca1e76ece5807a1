"""The demo data, as it comes from its registry."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from headrace.local.cache import cache_dir
from headrace.local.demo import load_demo, write_csv
from headrace.local.demo_files import demo_files
from headrace.local.errors import FetchFailed

NEWEST = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_it_is_movielens_100k_with_the_last_rating_at_the_chosen_time() -> None:
    demo = load_demo(newest=NEWEST)
    ratings = demo.interactions
    assert len(ratings) == 100_000
    assert ratings["user_id"].nunique() == 943
    assert len(demo.items) == 1682
    assert ratings["occurred_at"].max() == pd.Timestamp(NEWEST)
    # The span of the source, from its timestamps 874724710 and 893286638.
    assert (NEWEST - ratings["occurred_at"].min()).total_seconds() == 18_561_928


def test_ratings_are_oldest_first_and_ties_stay_in_the_source_s_order() -> None:
    ratings = load_demo(newest=NEWEST).interactions
    order = list(zip(ratings["occurred_at"], ratings["row"], strict=True))
    assert order == sorted(order)


def test_films_have_their_year_apart_from_the_title() -> None:
    films = load_demo(newest=NEWEST).items.set_index("item_id")
    assert films.loc["1", "title"] == "Toy Story"
    assert films.loc["1", "year"] == 1995
    assert films.loc["1", "categories"] == ["Animation", "Children's", "Comedy"]
    assert films["year"].isna().sum() == 1
    assert films["title"].str.len().min() > 0


def test_the_files_for_training_hold_the_same(tmp_path: Path) -> None:
    interactions, items = write_csv(tmp_path)
    ratings = pd.read_csv(interactions, dtype={"user_id": str, "item_id": str})
    assert list(ratings.columns) == ["user_id", "item_id", "rating", "timestamp"]
    assert ratings["timestamp"].is_monotonic_increasing
    assert ratings.iloc[0].tolist() == ["259", "255", 4, 874724710]
    films = pd.read_csv(items, dtype={"item_id": str}, keep_default_na=False)
    assert films.iloc[0].tolist() == ["1", "Toy Story", "Animation|Children's|Comedy", "1995"]


def test_a_file_that_is_not_what_it_was_is_refused_with_its_path(tmp_path: Path) -> None:
    demo_files()
    shutil.copytree(cache_dir() / "movielens-100k", tmp_path / "movielens-100k")
    (tmp_path / "movielens-100k" / "items.parquet").write_bytes(b"garbage")
    with pytest.raises(FetchFailed, match=r"items\.parquet has sha256"):
        demo_files(tmp_path)
