import inspect

import pytest
import torch

from core.optimizers import OPTIMIZERS, SCHEDULES
from core.optimizing import Optimizing, is_fused
from core.run import RunSpec
from core.train import build_network

RUN = RunSpec(epochs=2, train_images=200, batch_size=10)  # 40 steps


def rates(schedule):
    """The learning rate of each step of a run."""
    spec = RunSpec(**{**RUN.changed(), "schedule": schedule, "lr": 0.2})
    network = build_network(spec)
    optimizing = Optimizing(spec, network)
    seen = []
    for _ in range(40):
        seen.append(optimizing.optimizer.param_groups[0]["lr"])
        optimizing.step()
    return seen


@pytest.mark.parametrize("entry", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_torch_has_the_class_and_its_defaults_are_the_ones_named(entry):
    signature = inspect.signature(getattr(torch.optim, entry.class_name)).parameters
    assert {name: signature[name].default for name in entry.uses} == dict(entry.uses)


def test_what_a_run_says_reaches_the_optimizer():
    spec = RunSpec(optimizer="sgd", lr=0.3, momentum=0.9, nesterov=True, weight_decay=0.02)
    group = Optimizing(spec, build_network(spec)).optimizer.param_groups[0]
    expected = {"lr": 0.3, "momentum": 0.9, "nesterov": True, "weight_decay": 0.02}
    assert {name: group[name] for name in expected} == expected


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("more", [{}, {"weight_decay": 0.003}, {"nesterov": True, "weight_decay": 0.003}])
@pytest.mark.parametrize("momentum", [0.0, 0.25, 0.5])
def test_the_fused_update_gives_torch_s_usual_weights(momentum, more, layout):
    spec = RunSpec(lr=0.0123, **({"momentum": momentum, **more} if momentum else {"weight_decay": 0.003}))
    ours, usual = (build_network(spec).to(memory_format=layout) for _ in range(2))
    optimizing = Optimizing(spec, ours)
    assert optimizing.optimizer.param_groups[0]["fused"]
    arguments = OPTIMIZERS["sgd"].arguments(spec)
    reference = torch.optim.SGD(usual.parameters(), lr=spec.lr, fused=False, foreach=False, **arguments)
    for x, labels in zip(torch.randn(20, 8, 1, 28, 28), torch.randint(10, (20, 8)), strict=True):
        for network in (ours, usual):
            network.zero_grad()
            torch.nn.functional.cross_entropy(network(x), labels).backward()
        optimizing.step()
        reference.step()
    for own, other in zip(ours.parameters(), usual.parameters(), strict=True):
        assert torch.equal(own, other)


@pytest.mark.parametrize(("optimizer", "momentum"), [("sgd", 0.9), ("rmsprop", 0.5), ("adam", 0.0)])
def test_no_update_is_fused_that_would_round_otherwise(optimizer, momentum):
    spec = RunSpec(optimizer=optimizer, momentum=momentum)
    assert not Optimizing(spec, build_network(spec)).optimizer.param_groups[0].get("fused")
    assert not is_fused("sgd", torch.device("cuda"))


def test_adamw_decays_no_weights_unless_it_is_asked_to():
    spec = RunSpec(optimizer="adamw")
    assert Optimizing(spec, build_network(spec)).optimizer.param_groups[0]["weight_decay"] == 0


def test_schedules_do_what_their_sentences_say():
    assert rates("constant") == [0.2] * 40
    assert rates("step") == pytest.approx([0.2] * 20 + [0.02] * 10 + [0.002] * 10)
    assert rates("exponential") == pytest.approx([0.2 * 0.01 ** (step / 40) for step in range(40)])
    cosine = rates("cosine")
    assert (cosine[0], cosine[20]) == pytest.approx((0.2, 0.1))
    assert 0 < cosine[39] < 0.001
    cycle = rates("onecycle")
    assert cycle[0] < 0.01
    assert max(cycle) == pytest.approx(0.2)
    assert cycle[39] < 1e-5
    top = cycle.index(max(cycle))
    assert cycle == sorted(cycle[: top + 1]) + sorted(cycle[top + 1 :], reverse=True)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_restored_schedule_goes_on_with_the_same_rates(schedule):
    spec = RunSpec(**{**RUN.changed(), "schedule": schedule, "lr": 0.2})
    network = build_network(spec)
    first, second = Optimizing(spec, network), Optimizing(spec, network)
    for _ in range(17):
        first.step()
    second.restore(first.state(), 17)
    for _ in range(23):
        assert second.optimizer.param_groups[0]["lr"] == first.optimizer.param_groups[0]["lr"]
        first.step()
        second.step()
