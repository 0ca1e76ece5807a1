import math

import torch

from headrace.models.losses import catalogue_softmax, sampled_softmax, whole_softmax


def test_a_sample_of_everything_is_the_softmax_over_the_catalogue() -> None:
    torch.manual_seed(0)
    users, vectors, biases = torch.randn(4, 8), torch.randn(6, 8), torch.randn(6)
    targets = torch.tensor([0, 5, 2, 2])
    sampled = torch.arange(6)
    loss = sampled_softmax(
        users,
        (vectors[targets], biases[targets]),
        (vectors[sampled], biases[sampled]),
        torch.zeros(6),
        targets.unsqueeze(1) == sampled,
    )
    torch.testing.assert_close(loss, catalogue_softmax(users, vectors, biases, targets))


def test_a_rare_sample_stands_for_the_items_it_was_drawn_from() -> None:
    # Ten items of score 0 beside a target of score 0: the loss is log 11, seen or sampled.
    users = torch.zeros(1, 2)
    own = (torch.zeros(1, 2), torch.zeros(1))
    negatives = (torch.zeros(5, 2), torch.zeros(5))
    loss = sampled_softmax(
        users, own, negatives, torch.full((5,), math.log(5 / 10)), torch.zeros(1, 5).bool()
    )
    torch.testing.assert_close(loss, torch.tensor(math.log(11.0)))


def test_the_blocked_softmax_has_the_loss_and_gradients_of_the_plain_one() -> None:
    torch.manual_seed(0)
    targets = torch.randint(40, (300,))  # more than two blocks of positions
    inputs = [torch.randn(300, 8), torch.randn(40, 8), torch.randn(40)]
    ours, plain = ([x.clone().requires_grad_() for x in inputs] for _ in range(2))
    loss = catalogue_softmax(ours[0], ours[1], ours[2], targets)
    expected = whole_softmax(plain[0], plain[1], plain[2], targets)
    torch.testing.assert_close(loss, expected)
    torch.autograd.backward([3 * loss, 3 * expected])
    for gradient, wanted in zip(ours, plain, strict=True):
        torch.testing.assert_close(gradient.grad, wanted.grad)
