"""What people read while a rebuild runs."""

from headrace.commands.rebuild import line
from headrace.rebuild.run import Progress
from headrace.rebuild.steps import States, Trending, steps


def test_a_step_says_how_far_it_is_and_who_works() -> None:
    assert line(Progress(States("m"), 1_200, 100_000, 4.2, finished=False)) == (
        "states: 1,200 of 100,000 people in 4 s (user_embedding)"
    )


def test_the_end_of_a_step_says_what_it_took() -> None:
    assert line(Progress(Trending(168), 7, 7, 0.6, finished=True)) == (
        "trending: done, 7 counts in 1 s"
    )


def test_what_builds_on_another_comes_after_it() -> None:
    names = [step.name for step in steps("m", 72)]
    assert names.index("items") < names.index("vectors") < names.index("states")
