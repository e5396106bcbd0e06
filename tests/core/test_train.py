import itertools
import math
from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from core.datasets import mnist
from core.device import find_placement
from core.evaluation import WORST, worst_mistakes
from core.models import MODELS, find_model
from core.optimizers import OPTIMIZERS, SCHEDULES
from core.records import Batch, Checkpoint, Epoch, Inside
from core.run import RunSpec
from core.train import MAX_BATCH_RECORDS, build_network, train

PLACEMENT = find_placement("cpu", 1)
PLAIN = replace(PLACEMENT, dtype="float32", layout="contiguous")
SPEC = RunSpec(epochs=3, train_images=1_000, seed=5)
SHORT = RunSpec(epochs=4, train_images=150, batch_size=32, seed=5)


def numbers(records):
    """Everything but the times."""
    return [
        (r.step, r.epoch, r.loss) if isinstance(r, Batch)
        else (r.epoch, r.train_loss, r.train_accuracy, r.test_loss, r.test_accuracy, r.worst, r.predicted)
        if isinstance(r, Epoch)
        else r if isinstance(r, Inside)
        else (r.epoch, r.weights, r.optimizer)
        for r in records
    ]  # fmt: skip


@pytest.fixture(scope="module")
def undisturbed():
    return list(train(SPEC, PLACEMENT))


@pytest.mark.parametrize("name", MODELS)
def test_networks_map_images_to_ten_scores(name):
    assert find_model(name).network()()(torch.zeros(3, 1, 28, 28)).shape == (3, 10)


def test_the_loop_is_plain_pytorch():
    """The course's loop, written out with its own ToTensor and Normalize arithmetic."""
    spec = RunSpec(epochs=2, train_images=500, batch_size=48, lr=0.02, momentum=0.5, seed=2)
    images = torch.tensor(mnist().train_images[:500]).unsqueeze(1) / 255
    images, labels = (images - 0.1307) / 0.3081, torch.tensor(mnist().train_labels[:500]).long()
    torch.set_num_threads(1)
    with torch.random.fork_rng():
        torch.manual_seed(spec.seed)
        network = MODELS["cnn"].network()()
    optimizer = torch.optim.SGD(network.parameters(), lr=spec.lr, momentum=spec.momentum)
    orders, losses = torch.Generator().manual_seed(spec.seed), []
    for _ in range(spec.epochs):
        for index in torch.randperm(500, generator=orders).split(spec.batch_size):
            loss = F.cross_entropy(network(images[index]), labels[index])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    ours = [record.loss for record in train(spec, PLAIN) if isinstance(record, Batch)]
    assert ours == pytest.approx(losses, rel=1e-6)


def test_same_spec_same_numbers(undisturbed):
    assert numbers(train(SPEC, PLACEMENT)) == numbers(undisturbed)


def test_another_seed_gives_other_numbers(undisturbed):
    assert numbers(train(replace(SPEC, seed=6), PLACEMENT)) != numbers(undisturbed)


@pytest.mark.parametrize("stop", [1, 2, 3])
def test_a_resumed_run_has_the_numbers_of_an_undisturbed_one(undisturbed, stop):
    check_resuming(SPEC, undisturbed, stop)


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_run_with_any_optimizer_and_schedule_resumes_too(few_tests, optimizer, schedule):
    spec = replace(SHORT, optimizer=optimizer, schedule=schedule, weight_decay=1e-3, nesterov=optimizer == "sgd")
    check_resuming(spec, list(train(spec, PLACEMENT)), stop=2)


@pytest.mark.parametrize(
    "changes",
    [
        {"momentum": 0},
        {"shift": 2},
        {"rotate": 15},
        {"shift": 3, "rotate": 20, "schedule": "onecycle"},
        {"model": "mlp", "options": {"dropout": 0.5}},
        {"model": "stack", "options": {"depth": 8, "norm": True, "channels": 4}},
        {"patience": 2, "lr": 1e-6},
    ],
    ids=str,
)
def test_a_run_with_anything_else_that_it_remembers_resumes_too(few_tests, changes):
    spec = replace(SHORT, **changes)
    check_resuming(spec, list(train(spec, PLACEMENT)), stop=2)


def check_resuming(spec, whole, stop):
    at = next(i for i, r in enumerate(whole) if isinstance(r, Checkpoint) and r.epoch == stop)
    rest = list(train(spec, PLACEMENT, resume=whole[at]))
    assert numbers(rest) == numbers(whole[at + 1 :])
    if rest:
        assert rest[0].seconds > whole[at].seconds


def test_torch_s_own_random_numbers_stay_as_they_were():
    torch.manual_seed(123)
    expected = torch.rand(3)
    torch.manual_seed(123)
    build_network(SPEC)
    list(train(replace(SPEC, epochs=1, train_images=100), PLACEMENT))
    assert torch.equal(torch.rand(3), expected)


def test_nothing_leaks_from_a_run_that_waits():
    records = train(SPEC, PLACEMENT)
    next(records)
    assert torch.is_grad_enabled()
    assert not torch.is_autocast_enabled("cpu")
    records.close()


def test_records_count_steps_and_epochs(undisturbed):
    batches = [r for r in undisturbed if isinstance(r, Batch)]
    epochs = [r for r in undisturbed if isinstance(r, Epoch)]
    assert [b.step for b in batches] == list(range(1, 3 * SPEC.steps_per_epoch + 1))
    assert [b.epoch for b in batches] == [e for e in (1, 2, 3) for _ in range(SPEC.steps_per_epoch)]
    assert all(a.seconds <= b.seconds for a, b in itertools.pairwise(batches))
    assert [e.epoch for e in epochs] == [1, 2, 3]
    for epoch in epochs:
        sizes = [64] * 15 + [40]  # 1,000 images
        losses = [b.loss for b in batches if b.epoch == epoch.epoch]
        mean = math.fsum(n * loss for n, loss in zip(sizes, losses, strict=True)) / SPEC.train_images
        assert epoch.train_loss == pytest.approx(mean, rel=1e-12)
        assert epoch.images_per_second == pytest.approx(SPEC.train_images / epoch.seconds)


def test_the_test_is_that_of_the_network(undisturbed):
    import safetensors.torch

    last = [r for r in undisturbed if isinstance(r, Epoch)][-1]
    network = MODELS["cnn"].network()()
    network.load_state_dict(safetensors.torch.load(undisturbed[-1].weights))
    x = (torch.tensor(mnist().test_images).unsqueeze(1) / 255 - 0.1307) / 0.3081
    labels = torch.tensor(mnist().test_labels).long()
    with torch.no_grad():
        scores = network(x)
    exact = (scores.argmax(1) == labels).float().mean().item()
    assert last.test_accuracy == pytest.approx(exact, abs=0.005)  # float32 here, maybe bfloat16 there
    assert last.test_loss == pytest.approx(F.cross_entropy(scores, labels).item(), abs=0.02)
    assert len(last.worst) == WORST
    for mistake in last.worst:
        assert mistake.label == mnist().test_labels[mistake.index] != mistake.predicted
        assert 0 <= mistake.true_probability < mistake.confidence <= 1


def test_worst_mistakes_are_those_with_the_least_probable_truth():
    p = torch.tensor([[0.7, 0.2, 0.1], [0.5, 0.1, 0.4], [0.2, 0.3, 0.5], [0.1, 0.1, 0.8]])
    mistakes = worst_mistakes(p.log(), torch.tensor([0, 1, 1, 0]))
    assert [(m.index, m.label, m.predicted) for m in mistakes] == [(1, 1, 0), (3, 0, 2), (2, 1, 2)]
    assert mistakes[0].confidence == pytest.approx(0.5)
    assert mistakes[0].true_probability == pytest.approx(0.1)


def test_a_run_that_diverges_says_so_with_its_numbers():
    spec = RunSpec(epochs=1, train_images=400, batch_size=4, lr=10, momentum=0.9)
    epoch = next(r for r in train(spec, PLACEMENT) if isinstance(r, Epoch))
    assert not math.isfinite(epoch.train_loss) or epoch.train_loss > 2.3
    assert 0 <= epoch.test_accuracy <= 0.2


def test_very_many_steps_are_reported_in_groups(monkeypatch):
    import core.train

    spec = RunSpec(epochs=1, train_images=200, batch_size=3)  # 67 steps, the last of 2 images
    single = [r for r in train(spec, PLACEMENT) if isinstance(r, Batch)]
    monkeypatch.setattr(core.train, "MAX_BATCH_RECORDS", 10)
    grouped = [r for r in train(spec, PLACEMENT) if isinstance(r, Batch)]
    assert [r.step for r in grouped] == [7, 14, 21, 28, 35, 42, 49, 56, 63, 67]
    assert grouped[0].loss == pytest.approx(sum(r.loss for r in single[:7]) / 7)
    assert RunSpec().steps_per_epoch * 20 < MAX_BATCH_RECORDS  # usual runs report every step


@pytest.mark.slow
def test_one_epoch_of_all_images_learns_the_digits():
    epoch = next(r for r in train(RunSpec(epochs=1), PLACEMENT) if isinstance(r, Epoch))
    assert epoch.test_accuracy >= 0.965
