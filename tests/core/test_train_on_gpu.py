"""What training does on a GPU, as far as a machine without one can tell."""

import subprocess
import sys
from contextlib import nullcontext
from dataclasses import replace

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from core import graphed
from core import train as training
from core.device import find_placement
from core.errors import InputError
from core.hardware import hardware
from core.models import MODELS
from core.optimizers import OPTIMIZERS, SCHEDULES
from core.randomness import Stream
from core.records import Checkpoint
from core.run import RunSpec
from core.train import train
from tests.core.tape import Recorder
from tests.core.test_train import numbers

PLACEMENT = find_placement("cpu", 1)
SPEC = RunSpec(epochs=2, train_images=150, batch_size=32, seed=5)  # 4 full batches an epoch, and one of 22


@pytest.fixture
def recorder(monkeypatch):
    recorder = Recorder()
    monkeypatch.setitem(graphed.RECORDERS, "cpu", recorder)
    return recorder


@pytest.fixture
def foreach(monkeypatch):
    """Let optimizers update all weights at once, as they do on a GPU."""
    optimizer = sys.modules["torch.optim.optimizer"]
    monkeypatch.setattr(optimizer, "_get_foreach_kernels_supported_devices", lambda: ["cpu", "meta"])


def eager(spec, monkeypatch, resume=None, placement=PLACEMENT):
    with monkeypatch.context() as patch:
        patch.setenv(graphed.SWITCH, "0")
        return numbers(train(spec, placement, resume=resume))


@pytest.mark.usefixtures("few_tests", "foreach")
@pytest.mark.parametrize(
    "changes",
    [
        *({"model": name} for name in MODELS),
        {"nesterov": True, "batch_size": 150},
        {"model": "stack", "options": {"depth": 8, "norm": True, "channels": 4}},
        {"model": "resnet", "options": {"block": "pre_activation"}},
        *({"optimizer": name, "schedule": other} for name, other in zip(OPTIMIZERS, SCHEDULES, strict=True)),
        {"shift": 2, "rotate": 10},
    ],
    ids=str,
)
def test_a_replayed_run_has_the_numbers_of_an_eager_one(monkeypatch, recorder, changes):
    spec = replace(SPEC, **changes)
    assert numbers(train(spec, PLACEMENT)) == eager(spec, monkeypatch)
    assert recorder.plays == 2 + spec.epochs * (150 // spec.batch_size)  # two in the comparison


@pytest.mark.usefixtures("few_tests")
def test_a_replayed_run_resumes(monkeypatch, recorder):
    spec = replace(SPEC, optimizer="adam", schedule="onecycle", shift=1)
    whole = list(train(spec, PLACEMENT))
    at = next(i for i, record in enumerate(whole) if isinstance(record, Checkpoint))
    resumed = numbers(train(spec, PLACEMENT, resume=whole[at]))
    assert resumed == numbers(whole[at + 1 :]) == eager(spec, monkeypatch, resume=whole[at])
    assert recorder.plays == 2 + 8 + 2 + 4


@pytest.mark.usefixtures("few_tests")
def test_a_network_that_draws_random_numbers_is_not_recorded(recorder):
    list(train(replace(SPEC, options={"dropout": 0.5}, epochs=1), PLACEMENT))
    assert not recorder.tapes


@pytest.mark.usefixtures("few_tests")
@pytest.mark.parametrize("where", ["the recording", "the replay"])
def test_what_cannot_be_recorded_trains_all_the_same(monkeypatch, where):
    def broken(work, network):
        work()
        if where == "the recording":
            raise RuntimeError("operation not permitted when stream is capturing")
        return (lambda: None), work()

    monkeypatch.setitem(graphed.RECORDERS, "cpu", broken)
    assert numbers(train(SPEC, PLACEMENT)) == eager(SPEC, monkeypatch)


@pytest.mark.parametrize("changes", [{}, {"shift": 2, "rotate": 10}, {"options": {"dropout": 0.5}}], ids=str)
def test_steps_queued_together_are_the_steps_taken_one_by_one(monkeypatch, changes):
    one, other = (training._Trainer(replace(SPEC, **changes), PLACEMENT, None) for _ in range(2))
    order = torch.arange(SPEC.train_images)
    together = one._take_steps(one._batches(order), SPEC.steps_per_epoch)
    monkeypatch.setattr(training, "AHEAD", 1)  # no image is fetched before its step
    batches = other._batches(order)
    alone = [step for _ in range(SPEC.steps_per_epoch) for step in other._take_steps(batches, 1)]
    for (loss, scores), (its_loss, its_scores) in zip(together, alone, strict=True):
        assert torch.equal(loss, its_loss)
        assert torch.equal(scores, its_scores)
    assert one.checkpoint() == other.checkpoint()


class NoWaiting(TorchDispatchMode):
    """Refuses what makes Python wait for an accelerator: a number read from it, a copy that is not queued."""

    copies = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        before = {leaf.device.type for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor)}
        assert func is not torch.ops.aten._local_scalar_dense.default or before == {"cpu"}
        results = func(*args, **kwargs)
        after = {leaf.device.type for leaf in tree_leaves(results) if isinstance(leaf, torch.Tensor)}
        if func.overloadpacket in (torch.ops.aten._to_copy, torch.ops.aten.copy_) and before | after != after & before:
            assert after == {"meta"}, "copied back"
            assert kwargs.get("non_blocking"), "waits for the copy"
            self.copies += 1
        return results


@pytest.fixture
def meta(monkeypatch, foreach):
    """The device "meta" in the place of a GPU: it computes shapes only, and has no number to give."""
    monkeypatch.setattr(training, "Stream", lambda device, seed: Stream(torch.device("cpu"), seed))
    monkeypatch.setattr(torch, "autocast", lambda *args, **kwargs: nullcontext())  # knows only devices that compute
    return replace(PLACEMENT, device="meta", dtype="float32", layout="channels_last")


@pytest.mark.parametrize(
    "changes",
    [
        *({"model": name} for name in MODELS),
        *({"optimizer": name, "schedule": other} for name, other in zip(OPTIMIZERS, SCHEDULES, strict=True)),
        {"nesterov": True, "weight_decay": 0.1},
        {"shift": 2, "rotate": 10},
        {"options": {"dropout": 0.5}},
    ],
    ids=str,
)
def test_no_step_waits_for_the_device(meta, changes):
    spec = replace(SPEC, **changes)
    trainer = training._Trainer(spec, meta, None)
    order = torch.arange(spec.train_images, device="meta")[-54:]
    with NoWaiting() as mode:
        steps = trainer._take_steps(trainer._batches(order), 2)
    assert [len(scores) for _, scores in steps] == [32, 22]
    assert mode.copies == (2 if spec.augments else 0)  # angles and moves, once for all of these steps


def test_the_watch_over_waiting_sees_it():
    on_device, here = torch.zeros(3, device="meta"), torch.zeros(3)
    for wait in (
        on_device[0].item,
        lambda: here.to("meta"),
        lambda: on_device.copy_(here),
        lambda: here.copy_(on_device),
    ):
        with pytest.raises((AssertionError, RuntimeError, NotImplementedError)), NoWaiting():
            wait()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU that CUDA knows")
@pytest.mark.parametrize("changes", [*({"model": name} for name in MODELS), {"shift": 2, "rotate": 10}], ids=str)
def test_on_a_real_gpu_replays_hold_and_no_step_waits(monkeypatch, changes):
    spec, placement = replace(SPEC, **changes), find_placement("cuda")
    trainer = training._Trainer(spec, placement, None)
    assert trainer.graphed is not None
    order = torch.arange(spec.train_images, device="cuda")
    trainer._take_steps(trainer._batches(order), 9)  # whatever is set up once
    torch.cuda.set_sync_debug_mode("error")
    try:
        trainer._take_steps(trainer._batches(order), 9)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert numbers(train(spec, placement)) == eager(spec, monkeypatch, placement=placement)


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB. GPU 0 has a total capacity of 8 GiB"),
        torch.AcceleratorError("CUDA error: out of memory", 2),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_full_memory_is_a_sentence(monkeypatch, error):
    def fail(*_):
        raise error

    monkeypatch.setattr(training._Trainer, "_take_steps", fail)
    with pytest.raises(InputError, match="The GPU has too little free memory") as told:
        list(train(SPEC, PLACEMENT))
    assert told.value.__cause__ is error


def test_another_error_stays_what_it_is(monkeypatch):
    def fail(*_):
        raise RuntimeError("shapes cannot be multiplied")

    monkeypatch.setattr(training._Trainer, "_take_steps", fail)
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        list(train(SPEC, PLACEMENT))


NO_CUDA = """
import torch
asked = []
for name in ("init", "_lazy_init", "is_available", "device_count", "current_device", "get_device_name", "mem_get_info"):
    setattr(torch.cuda, name, lambda *args, name=name: asked.append(name))
import core.warm
print(asked)
"""


def test_the_process_that_workers_are_forked_from_leaves_cuda_alone():
    """A process that has begun with CUDA cannot be forked: only what comes out of it may begin."""
    ran = subprocess.run([sys.executable, "-c", NO_CUDA], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_a_machine_without_a_gpu_may_keep_the_runs_of_one_that_has_it(monkeypatch):
    hardware.cache_clear()
    assert "accelerator" not in hardware("cuda") or torch.cuda.is_available()
    hardware.cache_clear()
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda index: "NVIDIA H100 <80 GB>")
    assert hardware("cuda")["accelerator"] == "NVIDIA H100  80 GB "
    hardware.cache_clear()
