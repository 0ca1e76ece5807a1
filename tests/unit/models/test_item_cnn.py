import torch

from headrace.models.item_cnn import ContentSizes, ItemInputs, ItemTower


def tower_and_inputs() -> tuple[ItemTower, ItemInputs]:
    torch.manual_seed(0)
    tower = ItemTower(8, 3, ContentSizes(tokens=10, categories=4, numeric=2)).eval()
    inputs = ItemInputs(
        id_row=torch.tensor([1, 2, 0]),
        tokens=torch.tensor([[2, 3, 0, 0], [4, 0, 0, 0], [2, 3, 0, 0]]),
        categories=torch.tensor([[1.0, 0, 0, 0], [0, 1, 1, 0], [1, 0, 0, 0]]),
        numeric=torch.randn(1, 2).expand(3, 2),
        embedding=torch.zeros(3, 0),
    )
    return tower, inputs


@torch.no_grad()
def test_content_joins_only_when_the_gate_has_opened() -> None:
    tower, inputs = tower_and_inputs()
    vectors, _ = tower(inputs)
    torch.testing.assert_close(vectors[0], tower.ids.weight[1])
    tower.gate.fill_(0.5)
    joined, _ = tower(inputs)
    torch.testing.assert_close(joined[0], vectors[0] + 0.5 * tower.content(inputs)[0])


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
        tower.cnn(inputs.tokens, inputs.categories, inputs.numeric, inputs.embedding),
        tower.cnn(longer, inputs.categories, inputs.numeric, inputs.embedding),
    )
