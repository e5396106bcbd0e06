"""The training loop: an eager generator of records that knows nothing of processes, pages or files.

The whole set stays in memory as bytes (47 MB), on the device that computes; the images of the next few steps are taken
by index and normalised there, together. Against the course's DataLoader this saves two thirds of an epoch: see
benchmarks/train_speed.py.
"""

import copy
import math
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from itertools import islice
from typing import Any

import safetensors.torch
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.augmentation import draw, turn_and_move
from core.device import Placement
from core.errors import InputError
from core.evaluation import evaluate
from core.graphed import Graphed, graph, knows_graphs
from core.hardware import hardware
from core.images import load_images
from core.models import MODELS
from core.optimizing import Optimizing
from core.probe import PROBE_IMAGES, Probe
from core.randomness import Stream
from core.records import Batch, Checkpoint, Epoch, Inside, Record
from core.run import RunSpec

MAX_BATCH_RECORDS = 20_000  # a run reports at most so many; with more steps, each is the mean of a few
TEST_BATCH = 1_000  # images at once in the test
AHEAD = 512  # images that are fetched and normalised together, for the next few steps
READ_EVERY = {"cpu": 1}  # steps between two readings of the loss; free on a CPU, a wait for the queue elsewhere
READ_EVERY_ELSEWHERE = 32


def train(spec: RunSpec, placement: Placement, *, resume: Checkpoint | None = None) -> Iterator[Record]:
    """Train and report: an Inside before the first step; per pass a Batch per step, an Epoch, Inside and Checkpoint.

    To cancel, stop iterating. With `resume` the run goes on after that checkpoint's epoch, bit for bit as if it had
    never stopped. Same spec and placement, same numbers. Sets the number of threads of torch for this process (that
    is part of the placement) and draws from generators of its own. Raises InputError for missing data, and where the
    memory of a GPU does not suffice.
    """
    try:
        yield from _train(spec, placement, resume)
    except RuntimeError as error:
        if "out of memory" not in str(error) and "ALLOC_FAILED" not in str(error):  # CUDA's and cuBLAS's words
            raise
        raise InputError(
            "The GPU has too little free memory for this run. Take a smaller batch, or start it again when the other"
            " runs and programs on the GPU have ended; it goes on after its last finished epoch."
        ) from error


def _train(spec: RunSpec, placement: Placement, resume: Checkpoint | None) -> Iterator[Record]:
    torch.set_num_threads(placement.threads)
    trainer = _Trainer(spec, placement, resume)
    if resume is None:
        yield trainer.look_inside()
    while trainer.epoch < spec.epochs and not trainer.is_out_of_patience():
        yield from trainer.run_epoch()
        yield trainer.look_inside()
        yield trainer.checkpoint()


def build_network(spec: RunSpec, stream: Stream | None = None) -> nn.Module:
    """Return the network with the initial weights of the spec's seed; torch's own generator stays as it was.

    The weights are drawn on the CPU; `stream` is for who wants to go on with its random numbers.
    """
    with stream or Stream(torch.device("cpu"), spec.seed):
        return MODELS[spec.model].network()(**dict(spec.arguments))


class _Trainer:
    """A network, its optimizer and its data between two epochs."""

    def __init__(self, spec: RunSpec, placement: Placement, resume: Checkpoint | None) -> None:
        self.spec, self.placement = spec, placement
        self.device = torch.device(placement.device)
        self.layout = torch.channels_last if placement.layout == "channels_last" else torch.contiguous_format
        self.train_images, self.test_images = load_images(spec, self.device)
        self.stream = Stream(self.device, spec.seed)  # of dropout; on a CPU it goes on where the initial weights end
        network = build_network(spec, self.stream if self.device.type == "cpu" else None)
        self.network: nn.Module = network.to(self.device, memory_format=self.layout)  # type: ignore[call-overload]  # mypy does not know this overload
        x, labels = next(self.train_images.split(PROBE_IMAGES, self.layout))
        self.probe = Probe(self.network, self.train_images.normalise(x), labels)
        draws = self._draws()
        self.randomness: AbstractContextManager[None] = self.stream if draws else nullcontext()
        self.optimizing = Optimizing(spec, self.network)
        self.orders = torch.Generator().manual_seed(spec.seed)  # of the images, and how they are augmented
        self.seconds = 0.0
        self.epoch = 0  # epochs finished
        self.best = (0.0, 0)  # test accuracy and its epoch
        if resume is not None:
            self._restore(resume)
        # The step on a full batch in one launch, where the device knows such a thing and that gives the same numbers.
        self.graphed = self._graph() if knows_graphs(self.device) and not draws else None

    def run_epoch(self) -> Iterator[Record]:
        """Go through the training images once, then test."""
        spec, before = self.spec, self.seconds
        group = math.ceil(spec.steps_per_epoch * spec.epochs / MAX_BATCH_RECORDS)  # steps in one record
        chunk = group * math.ceil(READ_EVERY.get(self.device.type, READ_EVERY_ELSEWHERE) / group)
        order = torch.randperm(spec.train_images, generator=self.orders).to(self.device)  # (N,)
        batches = self._batches(order)
        scores: list[Tensor] = []
        loss_sum = 0.0
        self.network.train()
        for start in range(0, spec.steps_per_epoch, chunk):
            started = time.perf_counter()
            steps = self._take_steps(batches, chunk)
            losses = torch.stack([loss for loss, _ in steps]).tolist()  # waits for an accelerator to finish these steps
            self.seconds += time.perf_counter() - started
            scores += [own for _, own in steps]
            loss_sum += math.fsum(losses) * spec.batch_size
            yield from _records(losses, group, self.epoch * spec.steps_per_epoch + start, self.epoch + 1, self.seconds)
        missing = spec.steps_per_epoch * spec.batch_size - spec.train_images  # images that the last batch lacks
        recognised = torch.cat(scores).argmax(1) == self.train_images.labels[order]  # (N,)
        seconds = self.seconds - before
        tested = self._test()
        self.epoch += 1
        if tested["test_accuracy"] > self.best[0]:
            self.best = tested["test_accuracy"], self.epoch
        yield Epoch(
            epoch=self.epoch,
            train_loss=(loss_sum - losses[-1] * missing) / spec.train_images,
            train_accuracy=recognised.sum().item() / spec.train_images,
            seconds=seconds,
            images_per_second=spec.train_images / seconds,
            device=self.device.type,
            **tested,
        )

    def look_inside(self) -> Inside:
        """Measure the layers as they are now; the run goes on as if nobody had looked."""
        with copy.copy(self.stream), _deterministic(self.device):
            return self.probe.look(self.network, self.epoch)

    def is_out_of_patience(self) -> bool:
        """Say whether the test accuracy has not risen for as many epochs as the spec allows."""
        return 0 < self.spec.patience <= self.epoch - self.best[1]

    def checkpoint(self) -> Checkpoint:
        """Return all that is needed to go on after this epoch."""
        state = self.optimizing.state() | {
            "orders": self.orders.get_state(),
            "stream": self.stream.state,
            "best": torch.tensor(self.best, dtype=torch.float64),
        }
        return Checkpoint(
            epoch=self.epoch,
            seconds=self.seconds,
            weights=_pack(self.network.state_dict()),
            optimizer=_pack(state),
            hardware=hardware(self.device.type),
        )

    def _restore(self, resume: Checkpoint) -> None:
        self.network.load_state_dict(safetensors.torch.load(resume.weights))
        state = safetensors.torch.load(resume.optimizer)
        self.optimizing.restore(state, resume.epoch * self.spec.steps_per_epoch)
        self.orders.set_state(state["orders"])
        self.stream.state = state["stream"]
        accuracy, best_epoch = state["best"].tolist()
        self.best = accuracy, int(best_epoch)
        self.seconds, self.epoch = resume.seconds, resume.epoch

    def _draws(self) -> bool:
        """Say whether the network draws random numbers while it is trained: only then is their stream looked after."""
        stream = copy.copy(self.stream)
        with stream, torch.no_grad():
            copy.deepcopy(self.network).train()(self.probe.x[:2])
        return not torch.equal(stream.state, self.stream.state)

    def _forward(self, x: Tensor) -> Tensor:
        """Return scores (B, 10) in float32."""
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.placement.dtype == "bfloat16"):
            return self.network(x).float()  # type: ignore[no-any-return]  # torch types a module's call as Any

    def _batches(self, order: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Go through the training images in this order (N,): normalised batches (B, C, H, W) and their labels (B,)."""
        size = self.spec.batch_size
        for index in torch.split(order, size * max(1, AHEAD // size)):
            x, labels = self._fetch(index)
            yield from zip(torch.split(x, size), torch.split(labels, size), strict=True)

    def _fetch(self, index: Tensor) -> tuple[Tensor, Tensor]:
        """Return the images of `index` (N,), augmented and normalised (N, C, H, W), and their labels (N,)."""
        spec = self.spec
        x, labels = self.train_images.batch(index, self.layout)
        if spec.augments:
            parts = torch.split(index, spec.batch_size)
            drawn = [draw(len(part), self.orders, spec.shift, spec.rotate) for part in parts]
            moved = (torch.cat(part).to(self.device, non_blocking=True) for part in zip(*drawn, strict=True))
            x = turn_and_move(x, *moved).to(x, memory_format=self.layout)
        return self.train_images.normalise(x), labels

    def _take_steps(self, batches: Iterator[tuple[Tensor, Tensor]], count: int) -> list[tuple[Tensor, Tensor]]:
        """Take so many steps, or as many as there are; return the loss and the scores (B, 10) of each.

        An accelerator gets its work here and is not waited for.
        """
        with _deterministic(self.device):
            return [self._step(x, labels) for x, labels in islice(batches, count)]

    def _step(self, x: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Take one step; return the loss and the scores (B, 10) before its update."""
        replayed = self.graphed if len(x) == self.spec.batch_size else None
        loss, scores = (replayed or self._learn)(x, labels)
        self.optimizing.step()
        return loss, scores

    def _learn(self, x: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Set the gradients of the batch's loss; return the loss and the scores (B, 10)."""
        with self.randomness:
            scores = self._forward(x)
        loss = F.cross_entropy(scores, labels)
        self.optimizing.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        return loss.detach(), scores.detach()

    def _graph(self) -> Graphed | None:
        """Return `_learn` on a full batch as a graph, or None where it does not hold."""
        images, count = self.train_images, self.spec.batch_size
        order = torch.arange(self.spec.train_images, device=self.device)
        with _deterministic(self.device):
            batches = [images.batch(index[:count], self.layout) for index in (order, order.flip(0))]
            return graph(self._learn, self.network, [(images.normalise(x), labels) for x, labels in batches])

    @torch.no_grad()
    def _test(self) -> dict[str, Any]:
        """Return what an Epoch says of the test images."""
        images = self.test_images
        self.network.eval()
        batches = images.split(TEST_BATCH, self.layout)
        scores = torch.cat([self._forward(images.normalise(x)) for x, _ in batches])  # (N, 10)
        return evaluate(scores, images.labels)


def _deterministic(device: torch.device) -> AbstractContextManager[None]:
    """Let cuDNN choose algorithms that give the same numbers each time; other devices have no choice to make."""
    if device.type != "cuda":
        return nullcontext()
    return torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True)


def _records(losses: list[float], group: int, step: int, epoch: int, seconds: float) -> Iterator[Batch]:
    """Report the losses that were read together, `group` steps in one record; `step` were taken before them."""
    for start in range(0, len(losses), group):
        part = losses[start : start + group]
        yield Batch(step=step + start + len(part), epoch=epoch, loss=math.fsum(part) / len(part), seconds=seconds)


def _pack(tensors: dict[str, Tensor]) -> bytes:
    content: bytes = safetensors.torch.save({name: tensor.contiguous().cpu() for name, tensor in tensors.items()})
    return content
