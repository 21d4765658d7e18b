"""The classifier of the digits and its loop."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from snippets.digit_classifier import (
    DigitConfig,
    DigitMLP,
    Evaluation,
    MiniBatches,
    evaluate,
    fit,
    train_epoch,
)
from snippets.digits import Digits, split_digits


def some_digits(n: int) -> Digits:
    """The first images of the training part."""
    train, _, _ = split_digits()
    return Digits(train.images[:n], train.labels[:n])


def seeded_model(**sizes) -> DigitMLP:
    """The same weights in each test."""
    torch.manual_seed(0)
    return DigitMLP(DigitConfig(**sizes))


def sgd(model: nn.Module, lr: float = 0.1) -> torch.optim.Optimizer:
    """Plain gradient descent."""
    return torch.optim.SGD(model.parameters(), lr=lr)


def test_the_model_scores_each_class_and_starts_undecided():
    data = some_digits(200)
    logits = seeded_model()(data.images)
    assert logits.shape == (200, 10)
    assert F.cross_entropy(logits, data.labels).item() == pytest.approx(
        math.log(10), abs=0.1
    )


def test_the_model_has_the_parameters_of_its_formula():
    counted = sum(p.numel() for p in seeded_model(d_hidden=20).parameters())
    assert counted == (64 * 20 + 20) + (20 * 10 + 10)


@pytest.mark.parametrize("shape", [(8, 8), (3, 8, 8), (2, 1, 16, 4), (2, 64)])
def test_images_of_another_shape_are_named(shape):
    with pytest.raises(ValueError, match=r"expected \(B, 1, 8, 8\)"):
        seeded_model()(torch.zeros(shape))


def test_batches_give_each_image_once_in_a_new_order():
    data = Digits(torch.zeros(10, 1, 8, 8), torch.arange(10))
    batches = MiniBatches(data, 4, seed=3)
    epochs = [[labels for _, labels in batches] for _ in range(2)]
    assert [len(labels) for labels in epochs[0]] == [4, 4, 2]
    assert len(batches) == 3
    first, second = (torch.cat(epoch) for epoch in epochs)
    assert sorted(first.tolist()) == sorted(second.tolist()) == list(range(10))
    assert not torch.equal(first, second)
    again = torch.cat([labels for _, labels in MiniBatches(data, 4, seed=3)])
    assert torch.equal(first, again)


def test_images_and_labels_stay_together():
    data = some_digits(50)
    for images, labels in MiniBatches(data, 7):
        for image, label in zip(images, labels, strict=True):
            where = (data.images == image).flatten(1).all(1).nonzero()[0, 0]
            assert data.labels[where] == label


def test_batches_need_an_image():
    with pytest.raises(ValueError, match="size=0"):
        MiniBatches(some_digits(4), 0)


def test_evaluation_does_not_depend_on_the_size_of_batches():
    data, model = some_digits(100), seeded_model()
    whole = evaluate(model, [data])
    cut = evaluate(model, MiniBatches(data, 32))  # 32, 32, 32 and 4
    assert cut.loss == pytest.approx(whole.loss, rel=1e-5)
    assert cut.accuracy == whole.accuracy
    logits = model(data.images)
    assert whole.loss == pytest.approx(F.cross_entropy(logits, data.labels).item())
    right = (logits.argmax(1) == data.labels).float().mean().item()
    assert whole.accuracy == pytest.approx(right)


def test_evaluation_has_no_dropout_no_graph_and_touches_no_gradient():
    data, model = some_digits(50), seeded_model(dropout=0.5)
    model(data.images).sum().backward()
    before = [p.grad.clone() for p in model.parameters()]
    saw_graph = []
    model.register_forward_hook(lambda *args: saw_graph.append(args[2].requires_grad))
    model.train()
    assert evaluate(model, [data]) == evaluate(model, [data])
    assert saw_graph == [False, False]
    after = [p.grad for p in model.parameters()]
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


@pytest.mark.parametrize("training", [True, False])
def test_evaluation_gives_each_module_back_the_mode_it_had(training):
    data, model = some_digits(5), seeded_model(dropout=0.5).train(training)
    model.dropout.train(not training)
    modes = [module.training for module in model.modules()]
    evaluate(model, [data])
    assert [module.training for module in model.modules()] == modes
    with pytest.raises(ValueError, match="no batch"):
        evaluate(model, [])
    assert [module.training for module in model.modules()] == modes


def test_after_each_epoch_a_scheduler_can_step():
    data, model = some_digits(10), seeded_model()
    optimizer = sgd(model, lr=0.4)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1, 0.5)
    seen = []

    def after_epoch(epoch):
        scheduler.step()
        seen.append(epoch)

    curve = fit(model, [data], [data], optimizer, 3, after_epoch=after_epoch)
    assert optimizer.param_groups[0]["lr"] == 0.4 / 8
    assert seen == curve


def test_an_epoch_is_a_step_for_each_batch():
    data, ours, theirs = some_digits(48), seeded_model(), seeded_model()
    batches = [(data.images[i : i + 16], data.labels[i : i + 16]) for i in (0, 16, 32)]
    train_epoch(ours, batches, sgd(ours))
    assert ours.training
    optimizer = sgd(theirs)
    for images, labels in batches:
        optimizer.zero_grad()
        F.cross_entropy(theirs(images), labels).backward()
        optimizer.step()
    pairs = zip(ours.parameters(), theirs.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_training_turns_dropout_on():
    data, model = some_digits(50), seeded_model(dropout=0.5)
    model.eval()
    first = train_epoch(model, [data], sgd(model, lr=0.0))
    second = train_epoch(model, [data], sgd(model, lr=0.0))
    assert first.loss != second.loss


def test_another_loss_can_be_trained():
    def squares(logits, labels):
        return F.mse_loss(logits, F.one_hot(labels, 10).float())

    data, model = some_digits(100), seeded_model()
    curve = fit(model, [data], [data], sgd(model), 5, squares)
    losses = [epoch.validation.loss for epoch in curve]
    assert losses == sorted(losses, reverse=True)
    assert losses[0] < 0.3


def test_fit_learns_and_is_repeatable():
    train, validation, _ = split_digits()

    def run():
        model = seeded_model()
        return fit(model, MiniBatches(train, 32), [validation], sgd(model), 10)

    curve = run()
    assert len(curve) == 10
    assert curve[-1].validation.accuracy > 0.88
    assert curve[-1].validation.loss < curve[0].validation.loss
    assert isinstance(curve[-1].train, Evaluation)
    assert curve == run()


def test_a_data_loader_can_be_walked_too():
    data = some_digits(40)
    loader = DataLoader(TensorDataset(*data), batch_size=16)
    model = seeded_model()
    assert evaluate(model, loader).accuracy == evaluate(model, [data]).accuracy


def test_a_generator_that_is_used_up_is_noticed():
    data, model = some_digits(10), seeded_model()
    batches = (batch for batch in [data])
    train_epoch(model, batches, sgd(model))
    with pytest.raises(ValueError, match="no batch"):
        train_epoch(model, batches, sgd(model))
