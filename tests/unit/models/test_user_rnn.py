import pytest
import torch
from torch import Tensor

from headrace.models.user_rnn import TOWER_KINDS, TowerKind, UserTower

BATCH, LENGTH, WIDTH = 3, 40, 16


def tower_of(kind: TowerKind) -> UserTower:
    torch.manual_seed(0)
    tower = UserTower(WIDTH, kinds=3, tower=kind).eval()
    # Both start at zero and would hide a difference between the two forms.
    torch.nn.init.normal_(tower.kind.weight)
    torch.nn.init.normal_(tower.gap.weight)
    return tower


def events(length: int = LENGTH) -> tuple[Tensor, Tensor, Tensor]:
    torch.manual_seed(1)
    return (
        torch.randn(BATCH, length, WIDTH),
        torch.randint(3, (BATCH, length)),
        torch.rand(BATCH, length) * 1e6,
    )


@pytest.mark.parametrize("kind", TOWER_KINDS)
@torch.no_grad()
def test_stepping_gives_what_the_sequence_gives(kind: TowerKind) -> None:
    tower = tower_of(kind)
    items, kinds, gaps = events()
    whole_state, whole = tower.sequence(
        tower.initial_state(BATCH), items, kinds, gaps, torch.full((BATCH,), LENGTH)
    )
    state = tower.initial_state(BATCH)
    for t in range(LENGTH):
        state, vector = tower.step(state, items[:, t], kinds[:, t], gaps[:, t])
        torch.testing.assert_close(vector, whole[:, t], atol=1e-4, rtol=0)
    torch.testing.assert_close(state, whole_state, atol=1e-4, rtol=0)


@pytest.mark.parametrize("kind", TOWER_KINDS)
@torch.no_grad()
def test_a_history_may_be_cut_where_one_likes(kind: TowerKind) -> None:
    tower = tower_of(kind)
    items, kinds, gaps = events()
    _, whole = tower.sequence(
        tower.initial_state(BATCH), items, kinds, gaps, torch.full((BATCH,), LENGTH)
    )
    state, parts = tower.initial_state(BATCH), []
    for part in (slice(0, 1), slice(1, 17), slice(17, LENGTH)):
        length = torch.full((BATCH,), items[:, part].shape[1])
        state, vectors = tower.sequence(
            state, items[:, part], kinds[:, part], gaps[:, part], length
        )
        parts.append(vectors)
    torch.testing.assert_close(torch.cat(parts, dim=1), whole, atol=1e-4, rtol=0)


@pytest.mark.parametrize("kind", TOWER_KINDS)
@torch.no_grad()
def test_padding_leaves_the_state_alone(kind: TowerKind) -> None:
    tower = tower_of(kind)
    items, kinds, gaps = events(5)
    start = torch.randn(BATCH, tower.state_width)
    state, _ = tower.sequence(start, items, kinds, gaps, torch.tensor([5, 2, 0]))
    alone, _ = tower.sequence(
        start[1:2], items[1:2, :2], kinds[1:2, :2], gaps[1:2, :2], torch.tensor([2])
    )
    torch.testing.assert_close(state[1], alone[0], atol=1e-5, rtol=0)
    torch.testing.assert_close(state[2], start[2])


@torch.no_grad()
def test_data_without_times_cannot_teach_the_gap() -> None:
    tower = UserTower(WIDTH, kinds=1).eval()
    torch.nn.init.normal_(tower.gap.weight)
    item, kind = torch.randn(1, WIDTH), torch.zeros(1, dtype=torch.long)
    state = tower.initial_state(1)
    _, without = tower.step(state, item, kind, torch.zeros(1))
    tower.gap.weight.zero_()
    _, reference = tower.step(state, item, kind, torch.zeros(1))
    torch.testing.assert_close(without, reference)
