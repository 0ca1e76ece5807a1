import pytest
import torch

from headrace.models.rating import RatingOutput, Taste

WIDTH, FACTORS = 6, 3


def taste() -> Taste:
    torch.manual_seed(0)
    made = Taste(WIDTH, FACTORS)
    for layer in (made.expected, made.rated, made.chosen):
        torch.nn.init.normal_(layer.weight)
    torch.nn.init.constant_(made.expected.bias, 3.0)
    return made


@torch.no_grad()
def test_a_person_who_did_nothing_has_no_taste() -> None:
    made = taste()
    assert not made(torch.zeros(2, made.state_width)).any()


@torch.no_grad()
def test_the_lean_is_the_damped_mean_of_what_is_off() -> None:
    made = Taste(WIDTH, FACTORS)
    torch.nn.init.constant_(made.expected.bias, 3.0)
    ratings = torch.tensor([5.0, 4.0, 0.0])
    lean = made(made.addends(torch.randn(3, WIDTH), ratings).sum(dim=0))[0]
    assert float(lean) == pytest.approx((2 + 1) / (2 + float(made.damping_log.exp())))


@torch.no_grad()
def test_an_event_without_a_rating_says_what_was_chosen_and_no_more() -> None:
    made, item = taste(), torch.randn(1, WIDTH)
    silent = made(made.addends(item, torch.zeros(1)))[0]
    assert silent[0] == 0
    torch.testing.assert_close(silent[1:], made.chosen(item)[0] / 2**0.5)


@torch.no_grad()
def test_factors_are_those_of_the_equation() -> None:
    made, items = taste(), torch.randn(4, WIDTH)
    ratings = torch.tensor([1.0, 5.0, 4.0, 0.0])
    found = made(made.addends(items, ratings).sum(dim=0))
    off = ratings[:3] - made.expected(items[:3]).squeeze(1)
    lean = off.sum() / (3 + made.damping_log.exp())
    factors = ((off - lean).unsqueeze(1) * made.rated(items[:3])).sum(dim=0)
    factors = (factors + made.chosen(items).sum(dim=0)) / 5**0.5
    torch.testing.assert_close(found, torch.cat([lean.unsqueeze(0), factors]))


@torch.no_grad()
def test_an_untrained_output_is_the_mean_of_the_item_and_the_lean_of_the_person() -> None:
    output = RatingOutput(WIDTH, FACTORS)
    torch.nn.init.constant_(output.item.bias, 3.5)
    person = torch.tensor([[0.5, 0.0, 0.0, 0.0], [-9.0, 0.0, 0.0, 0.0]])
    facts = torch.tensor([[[0.25, 1.0], [-0.5, 2.0]]]).expand(2, 2, 2)
    ratings = output(person, torch.randn(2, 2, WIDTH), facts)
    torch.testing.assert_close(ratings, torch.tensor([[4.25, 3.5], [1.0, 1.0]]))
