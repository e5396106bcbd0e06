from dataclasses import replace

import pytest

from core import trained_nets as module
from core.device import find_placement
from core.jobs import Jobs
from core.kept import kept_run
from core.run import RunSpec
from core.store import Store
from core.trained_nets import MOST, trained_nets

PLACEMENT = find_placement("cpu", threads=1)
GOOD = RunSpec(epochs=2, train_images=600, lr=0.1)
POOR = RunSpec(epochs=1, train_images=100, lr=0.0001)
OTHER = RunSpec(model="mlp", epochs=1, train_images=100)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("store"))
    for spec in (GOOD, POOR, OTHER):
        list(kept_run(spec, PLACEMENT, store, owner="terminal"))
    return store


@pytest.fixture(autouse=True)
def nothing_shipped(monkeypatch):
    monkeypatch.setattr(module, "shipped_runs", tuple)


@pytest.fixture
def jobs(store):
    return Jobs(store, PLACEMENT)


def test_the_runs_on_screen_come_first_and_of_each_other_network_the_best(jobs):
    assert [net.spec for net in trained_nets(jobs, [OTHER])] == [OTHER, GOOD]
    assert [net.spec for net in trained_nets(jobs, [POOR])] == [POOR, OTHER]
    assert [net.spec for net in trained_nets(jobs, [POOR, GOOD])] == [POOR, GOOD, OTHER]


def test_a_network_is_the_one_after_its_best_epoch(jobs):
    (net,) = (net for net in trained_nets(jobs, [GOOD]) if net.spec == GOOD)
    epochs = jobs.get(GOOD).epochs
    assert net.accuracy == max(epoch.test_accuracy for epoch in epochs)
    assert epochs[net.epoch - 1].test_accuracy == net.accuracy
    assert net.weights() == jobs.store.weights(net.key, net.epoch)


def test_what_is_not_trained_is_left_out(jobs, tmp_path):
    unknown = RunSpec(seed=99)
    assert unknown not in [net.spec for net in trained_nets(jobs, [unknown])]
    assert trained_nets(Jobs(Store(tmp_path), PLACEMENT), [unknown]) == ()


def test_a_run_without_weights_is_not_asked(jobs, store, monkeypatch):
    summary = store.summary
    monkeypatch.setattr(store, "summary", lambda key: replace(summary(key), weight_epochs=()))
    assert trained_nets(jobs, [GOOD]) == ()


def test_the_best_epoch_is_one_whose_weights_are_kept(jobs, store, monkeypatch):
    summary = store.summary
    monkeypatch.setattr(store, "summary", lambda key: replace(summary(key), weight_epochs=(1,)))
    (net, *_others) = trained_nets(jobs, [GOOD])
    assert net.epoch == 1
    assert net.accuracy == jobs.get(GOOD).epochs[0].test_accuracy


def test_nothing_is_added_to_enough_and_other_kinds_than_the_course_s_never(jobs, store):
    assert [net.spec for net in trained_nets(jobs, [GOOD, POOR] * 2)] == [GOOD, POOR] * 2
    stack = RunSpec(model="stack", epochs=1, train_images=100, options=(("depth", 8),))
    list(kept_run(stack, PLACEMENT, store, owner="terminal"))
    assert stack not in [net.spec for net in trained_nets(jobs, [GOOD])]
    assert stack in [net.spec for net in trained_nets(jobs, [stack])]


def test_there_are_never_too_many(jobs):
    assert len(trained_nets(jobs, [GOOD] * (MOST + 3))) == MOST
