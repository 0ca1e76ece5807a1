from dataclasses import replace

import torch
from torch import nn

from headrace.models.item_cnn import ContentSizes, ItemInputs, ItemTower


def tower_and_inputs() -> tuple[ItemTower, ItemInputs]:
    torch.manual_seed(0)
    tower = ItemTower(8, 3, ContentSizes(tokens=10, categories=4, numeric=2)).eval()
    tower.cnn.word_weight[2:] = torch.linspace(0.5, 2.0, 8)
    inputs = ItemInputs(
        id_row=torch.tensor([1, 2, 0]),
        tokens=torch.tensor([[2, 3, 0, 0], [4, 0, 0, 0], [2, 3, 0, 0]]),
        categories=torch.tensor([[1.0, 0, 0, 0], [0, 1, 1, 0], [1, 0, 0, 0]]),
        numeric=torch.randn(1, 2).expand(3, 2),
        embedding=torch.zeros(3, 0),
    )
    return tower, inputs


@torch.no_grad()
def test_the_more_events_an_item_has_the_less_its_content_counts() -> None:
    tower, inputs = tower_and_inputs()
    tower.events.copy_(torch.tensor([0.0, 10.0, 990.0, 0.0]))
    vectors, _ = tower(inputs)
    content = tower.content(inputs)
    torch.testing.assert_close(vectors[0], tower.ids.weight[1] + 0.5 * content[0])
    torch.testing.assert_close(vectors[1], tower.ids.weight[2] + 0.01 * content[1])


@torch.no_grad()
def test_a_cold_item_is_its_content_alone() -> None:
    tower, inputs = tower_and_inputs()
    vectors, _ = tower(inputs)
    torch.testing.assert_close(vectors[2], tower.content(inputs)[2])
    assert vectors[2].abs().sum() > 0


@torch.no_grad()
def test_padding_adds_nothing_to_a_text() -> None:
    tower, inputs = tower_and_inputs()
    longer = torch.cat([inputs.tokens, torch.zeros(3, 5, dtype=torch.long)], dim=1)
    torch.testing.assert_close(
        tower.content(inputs),
        tower.content(replace(inputs, tokens=longer)),
    )


@torch.no_grad()
def test_a_word_counts_by_its_weight_among_those_of_its_item() -> None:
    tower, inputs = tower_and_inputs()
    tower.cnn.word_weight.copy_(torch.tensor([0, 0, 3, 4, 7, 1, 1, 1, 1, 1]))
    words, no_text = tower.cnn.word.weight, torch.zeros(3, 8)
    nothing = replace(inputs, tokens=torch.zeros_like(inputs.tokens))
    mix = tower.cnn.mix[1]
    assert isinstance(mix, nn.Linear)
    mix.weight.zero_()
    of_words = tower.cnn.join(inputs, no_text) - tower.cnn.join(nothing, no_text)
    torch.testing.assert_close(of_words[0], 0.6 * words[2] + 0.8 * words[3])
    torch.testing.assert_close(of_words[1], words[4])


@torch.no_grad()
def test_without_any_content_the_first_order_is_that_of_popularity() -> None:
    tower, inputs = tower_and_inputs()
    tower.start_from_events(torch.tensor([4, 1, 100]))
    _, biases = tower(replace(inputs, id_row=torch.tensor([1, 2, 3])))
    torch.testing.assert_close(torch.softmax(biases, 0), torch.tensor([4.0, 1, 100]) / 105)
