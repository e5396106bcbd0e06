"""Forward, loss and backward as a CUDA graph: their kernels are recorded once, then all launched by one call.

A GPU is through with a kernel of a small network sooner than Python launches the next. A CUDA graph is a recording of
launches and of the addresses that they work on. So whatever a replay reads must lie where it lay at the recording: the
batch is copied there, and the optimizer changes weights in place. Shapes stay as they are, so the short batch at the
end of an epoch is not replayed. And Python is not asked again: a number that it computes anew in each step would stay
what it was. That is why the recording ends with the gradients, and the optimizer, whose learning rate and count of
steps are such numbers, goes on as it is; augmentation comes before, and networks that draw random numbers are left out.

Whether a replay does what the step itself does is not taken on trust: both are tried on two batches, before the run,
and compared bit by bit. Source: PyTorch's notes "CUDA semantics", section "CUDA Graphs". The speed is unmeasured, and
no GPU has run this yet; TORCHSCAPE_GRAPH=0 leaves it out, and the numbers are the same.
"""

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

SWITCH = "TORCHSCAPE_GRAPH"  # the variable that is 0 where nothing is to be recorded
WARM_UP = 3  # steps before the recording, in which libraries choose algorithms and take memory
RATE = 0.1  # learning rate between the two batches of the comparison

# Sets the network's gradients to those of a batch's loss; x (B, C, H, W), labels (B,) -> loss (), scores (B, 10).
# It may overwrite its inputs; what it returns needs no gradient.
Step = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]

logger = logging.getLogger(__name__)


class Graphed:
    """A step on batches of one shape, replayed; to be called like the step itself."""

    def __init__(self, step: Step, network: nn.Module, batch: tuple[Tensor, Tensor], record: "Recorder") -> None:
        """Record the step; `batch` gives shapes and layouts. Weights stay as they are, gradients and buffers do not."""
        self.parameters = list(network.parameters())
        self.x, self.labels = (tensor.clone() for tensor in batch)  # where every batch will lie
        self.replay, self.results = record(lambda: step(self.x, self.labels), network)
        self.gradients = [parameter.grad for parameter in self.parameters]  # where every replay will put them

    def __call__(self, x: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Set the gradients of the network; return the loss and the scores."""
        self.x.copy_(x)
        self.labels.copy_(labels)
        self.replay()
        for parameter, gradient in zip(self.parameters, self.gradients, strict=True):
            parameter.grad = gradient  # a step that was not replayed has put others there
        loss, scores = self.results
        return loss.clone(), scores.clone()  # the next replay overwrites them


def knows_graphs(device: torch.device) -> bool:
    """Say whether steps can be recorded on this device, and nobody has switched that off."""
    return device.type in RECORDERS and os.environ.get(SWITCH) != "0"


def graph(step: Step, network: nn.Module, batches: Sequence[tuple[Tensor, Tensor]]) -> Graphed | None:
    """Return the step as a graph, or None where it cannot be recorded or the replay is not exactly the step.

    `batches` are two different ones of equal shape, on a device that knows graphs. The step must draw no random
    numbers. Weights and buffers of the network stay as they are, and it has no gradients afterwards.
    """
    record = RECORDERS[batches[0][0].device.type]
    try:
        expected = _trial(step, network, batches)
        with _unchanged(network):
            graphed = Graphed(step, network, batches[0], record)
        found = _trial(graphed, network, batches)
    except Exception as error:  # whatever it is, the step itself can do without a graph
        logger.warning("Training goes on without a CUDA graph (%s: %s).", type(error).__name__, error)
        return None
    if len(expected) != len(found) or not all(map(_equal, expected, found)):
        logger.warning("Training goes on without a CUDA graph: its replay differs from the step that it recorded.")
        return None
    return graphed


def _trial(step: Step, network: nn.Module, batches: Sequence[tuple[Tensor, Tensor]]) -> list[Tensor]:
    """Return all that steps on the batches leave, with plain gradient descent between them."""
    left: list[Tensor] = []
    with _unchanged(network):
        for x, labels in batches:
            left += step(x.clone(), labels.clone())
            updates = [(weight, weight.grad) for weight in network.parameters() if weight.grad is not None]
            left += [tensor.clone() for tensor in (*(gradient for _, gradient in updates), *network.buffers())]
            with torch.no_grad():
                for weight, gradient in updates:
                    weight.sub_(gradient, alpha=RATE)
    return left


@contextmanager
def _unchanged(network: nn.Module) -> Iterator[None]:
    """Put weights and buffers back in place afterwards, and drop the gradients."""
    state = [*network.parameters(), *network.buffers()]
    before = [tensor.detach().clone() for tensor in state]
    try:
        yield
    finally:
        network.zero_grad()
        with torch.no_grad():
            for tensor, value in zip(state, before, strict=True):
                tensor.copy_(value)


def _equal(a: Tensor, b: Tensor) -> bool:
    """Compare bit by bit: 0 is not -0, and a NaN is itself."""
    if a.dtype == b.dtype == torch.float32:
        a, b = a.view(torch.int32), b.view(torch.int32)
    return torch.equal(a, b)


def _record_on_cuda(
    work: Callable[[], tuple[Tensor, Tensor]], network: nn.Module
) -> tuple[Callable[[], None], tuple[Tensor, Tensor]]:
    """Return a function that does again what `work` does, without asking Python, and the tensors with its results."""
    side = torch.cuda.Stream()  # type: ignore[no-untyped-call]  # torch leaves it untyped
    side.wait_stream(torch.cuda.current_stream())
    try:
        with torch.cuda.stream(side):  # puts the stream back, too, where a recording breaks off and does not
            for _ in range(WARM_UP):
                work()
            network.zero_grad()  # so that the recording takes memory of its own for the gradients
            recording = torch.cuda.CUDAGraph()
            with torch.cuda.graph(recording, stream=side):  # from here on launches are noted, not carried out
                results = work()
    finally:
        torch.cuda.current_stream().wait_stream(side)
    return recording.replay, results


Recorder = Callable[[Callable[[], tuple[Tensor, Tensor]], nn.Module], tuple[Callable[[], None], tuple[Tensor, Tensor]]]
RECORDERS: dict[str, Recorder] = {"cuda": _record_on_cuda}  # by the type of the device
