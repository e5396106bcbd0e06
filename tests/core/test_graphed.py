import inspect
import itertools
import logging
import re
from contextlib import contextmanager

import pytest
import torch
from torch.nn import functional as F

from core import graphed
from core.models import MODELS
from tests.core.tape import Recorder

B = 6


@pytest.fixture
def recorder(monkeypatch):
    recorder = Recorder()
    monkeypatch.setitem(graphed.RECORDERS, "cpu", recorder)
    return recorder


def batches(count):
    generator = torch.Generator().manual_seed(1)
    return [
        (torch.rand(B, 1, 28, 28, generator=generator), torch.randint(10, (B,), generator=generator))
        for _ in range(count)
    ]


def step_of(network):
    def step(x, labels):
        scores = network(x.sub_(0.5))
        loss = F.cross_entropy(scores, labels)
        network.zero_grad()
        loss.backward()
        return loss.detach(), scores.detach()

    return step


def network_of(name="cnn", **options):
    torch.manual_seed(0)
    return MODELS[name].network()(**options)


def everything(network):
    return {name: value.clone() for name, value in network.state_dict().items()}


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("optimizer", ["SGD", "Adam"])
@pytest.mark.parametrize("name", MODELS)
def test_replays_with_an_eager_optimizer_are_the_steps_themselves(recorder, name, optimizer):
    ours, plain = network_of(name), network_of(name)
    replayed = graphed.graph(step_of(ours), ours, batches(2))
    results = []
    for network, step in ((ours, replayed), (plain, step_of(plain))):
        updates = getattr(torch.optim, optimizer)(network.parameters(), lr=0.01)
        results.append([])
        for x, labels in batches(5):
            results[-1] += step(x, labels)
            updates.step()
    assert all(torch.equal(a, b) for a, b in zip(*results, strict=True))
    assert same(ours.state_dict(), plain.state_dict())
    assert recorder.plays == 2 + 5  # the comparison's and ours


def test_nothing_is_left_of_the_recording_and_the_comparison(recorder):
    network = network_of("densenet")  # batch norm counts its batches
    before = everything(network)
    assert graphed.graph(step_of(network), network, batches(2)) is not None
    assert same(everything(network), before)
    assert all(weight.grad is None for weight in network.parameters())


def test_a_step_between_replays_that_puts_its_gradients_elsewhere_does_no_harm(recorder):
    ours, plain = network_of(), network_of()
    replayed = graphed.graph(step_of(ours), ours, batches(2))
    for network, steps in ((ours, [replayed, step_of(ours), replayed]), (plain, [step_of(plain)] * 3)):
        for step, (x, labels) in zip(steps, batches(3), strict=True):
            step(x, labels)
            torch.optim.SGD(network.parameters(), lr=0.1).step()
    assert same(ours.state_dict(), plain.state_dict())


def test_results_outlive_the_next_replay(recorder):
    network = network_of()
    replayed = graphed.graph(step_of(network), network, batches(2))
    (first, second) = batches(2)
    loss, scores = replayed(*first)
    kept = loss.clone(), scores.clone()
    replayed(*second)
    assert torch.equal(loss, kept[0])
    assert torch.equal(scores, kept[1])


def test_a_network_that_has_diverged_is_replayed_too(recorder):
    network = network_of()
    with torch.no_grad():
        network.fc.bias.fill_(torch.nan)
    assert graphed.graph(step_of(network), network, batches(2)) is not None


def test_only_cuda_knows_graphs_and_whoever_minds_switches_them_off(monkeypatch):
    devices = [torch.device(name) for name in ("cpu", "cuda", "mps")]
    assert [graphed.knows_graphs(device) for device in devices] == [False, True, False]
    monkeypatch.setenv(graphed.SWITCH, "0")
    assert not any(map(graphed.knows_graphs, devices))


def counting(network):
    """A step with a number that Python computes: the recording knows only one of its values."""
    counter = itertools.count(1)

    def step(x, labels):
        scores = network(x)
        loss = F.cross_entropy(scores, labels) * min(next(counter), 4)  # 4 at the recording
        network.zero_grad()
        loss.backward()
        return loss.detach(), scores.detach()

    return step


def breaks_off(work, network):
    work()
    raise RuntimeError("operation not permitted when stream is capturing")


def does_nothing(work, network):
    results = work()
    return (lambda: None), results


@pytest.mark.parametrize(
    ("record", "make", "reason"),
    [
        (breaks_off, step_of, r"\(RuntimeError: operation not permitted when stream is capturing\)\."),
        (does_nothing, step_of, "its replay differs"),
        (Recorder(), counting, "its replay differs"),
    ],
    ids=["breaks off", "does nothing", "has a number of Python in it"],
)
def test_what_cannot_be_replayed_is_refused_in_a_sentence_and_leaves_nothing(monkeypatch, caplog, record, make, reason):
    monkeypatch.setitem(graphed.RECORDERS, "cpu", record)
    network = network_of("densenet")
    before = everything(network)
    assert graphed.graph(make(network), network, batches(2)) is None
    assert same(everything(network), before)
    assert all(weight.grad is None for weight in network.parameters())
    (told,) = caplog.records
    assert told.levelno == logging.WARNING
    assert re.search(reason, told.getMessage())


class Cuda:
    """The part of torch.cuda that records, for a machine without a GPU: it notes who asks for what."""

    def __init__(self, monkeypatch):
        self.log, self.now = [], "main"
        log, signature = self.log, inspect.signature(torch.cuda.graph)

        class Stream:
            def __init__(self, name="side"):
                self.name = name

            def wait_stream(self, other):
                log.append(f"{self.name} waits for {other.name}")

        class Recording:
            def replay(self):
                log.append("replay")

        @contextmanager
        def on(stream):
            before, self.now = self.now, stream.name
            try:
                yield
            finally:
                self.now = before

        @contextmanager
        def recording(*args, **kwargs):
            assert signature.bind(*args, **kwargs).arguments["stream"].name == self.now
            log.append("begin")
            yield
            log.append("end")

        stand_ins = {"Stream": Stream, "stream": on, "CUDAGraph": Recording, "graph": recording}
        for name, value in (stand_ins | {"current_stream": lambda: Stream(self.now)}).items():
            monkeypatch.setattr(torch.cuda, name, value)


def test_cuda_is_asked_as_its_notes_say(monkeypatch):
    cuda, network = Cuda(monkeypatch), network_of()

    def work():
        if "begin" in cuda.log:  # the gradients are to get memory of the recording's own
            assert all(weight.grad is None for weight in network.parameters())
        cuda.log.append(f"step on {cuda.now}")
        return step_of(network)(*batches(1)[0])

    replay, (loss, scores) = graphed.RECORDERS["cuda"](work, network)
    replay()
    warm = ["step on side"] * graphed.WARM_UP
    assert cuda.log == [
        "side waits for main", *warm, "begin", "step on side", "end", "main waits for side", "replay",
    ]  # fmt: skip
    assert loss.shape == ()
    assert scores.shape == (B, 10)


def test_a_recording_that_breaks_off_gives_the_stream_back(monkeypatch):
    cuda, network = Cuda(monkeypatch), network_of()

    def work():
        if "begin" in cuda.log:
            raise RuntimeError("no")
        return step_of(network)(*batches(1)[0])

    with pytest.raises(RuntimeError):
        graphed.RECORDERS["cuda"](work, network)
    assert cuda.now == "main"
    assert cuda.log[-1] == "main waits for side"
