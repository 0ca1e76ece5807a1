from headrace.local.supervised import Backoff


def test_pauses_double_up_to_the_longest() -> None:
    backoff = Backoff(first_s=0.5, longest_s=3.0)
    assert [backoff.pause(failures) for failures in (1, 2, 3, 4, 500)] == [0.5, 1, 2, 3, 3]
