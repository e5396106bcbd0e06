"""The training loop: an eager generator of records that knows nothing of processes, pages or files.

The whole set stays in memory as bytes (47 MB), on the device that computes; a step takes its images by index and
normalises them there. Against the course's DataLoader this saves two thirds of an epoch: see benchmarks/train_speed.py.
"""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import safetensors.torch
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.datasets import MEAN, STD, mnist
from core.device import Placement
from core.models import MODELS
from core.records import Batch, Checkpoint, Epoch, Mistake, Record
from core.run import RunSpec

MAX_BATCH_RECORDS = 20_000  # a run reports at most so many; with more steps, each is the mean of a few
TEST_BATCH = 1_000  # images at once in the test
WORST = 24  # mistakes that an epoch reports
READ_EVERY = {"cpu": 1}  # steps between two readings of the loss; free on a CPU, a wait for the queue elsewhere
READ_EVERY_ELSEWHERE = 32


@dataclass(frozen=True, kw_only=True)
class Images:
    """Images and labels on the device that computes."""

    pixels: Tensor  # (N, 1, 28, 28) uint8
    labels: Tensor  # (N,) int64

    def batch(self, index: Tensor | slice, layout: torch.memory_format) -> tuple[Tensor, Tensor]:
        """Return normalised images (B, 1, 28, 28) and their labels (B,)."""
        x = self.pixels[index].to(torch.float32, memory_format=layout)  # (B, 1, 28, 28), 0..255
        return x.div_(255).sub_(MEAN).div_(STD), self.labels[index]


def train(spec: RunSpec, placement: Placement, *, resume: Checkpoint | None = None) -> Iterator[Record]:
    """Train and report: a Batch per step, then an Epoch and a Checkpoint per pass.

    To cancel, stop iterating. With `resume` the run goes on after that checkpoint's epoch, bit for bit as if it had
    never stopped. Same spec and placement, same numbers. Sets the number of threads of torch for this process (that
    is part of the placement) and draws from generators of its own. Raises InputError for missing data.
    """
    torch.set_num_threads(placement.threads)
    trainer = _Trainer(spec, placement, resume)
    for epoch in range(trainer.first_epoch, spec.epochs + 1):
        yield from trainer.run_epoch(epoch)
        yield trainer.checkpoint(epoch)


def build_network(spec: RunSpec) -> nn.Module:
    """Return the network with the initial weights of the spec's seed; torch's own generator stays as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(spec.seed)
        return MODELS[spec.model].network()(**dict(spec.options))


class _Trainer:
    """A network, its optimizer and its data between two epochs."""

    def __init__(self, spec: RunSpec, placement: Placement, resume: Checkpoint | None) -> None:
        self.spec, self.placement = spec, placement
        self.device = torch.device(placement.device)
        self.layout = torch.channels_last if placement.layout == "channels_last" else torch.contiguous_format
        self.train_images, self.test_images = load_images(spec, self.device)
        self.network = build_network(spec).to(self.device, memory_format=self.layout)  # type: ignore[call-overload]  # mypy does not know this overload
        self.optimizer = torch.optim.SGD(self.network.parameters(), lr=spec.lr, momentum=spec.momentum)
        self.orders = torch.Generator().manual_seed(spec.seed)
        self.seconds = 0.0
        self.first_epoch = 1
        if resume is not None:
            self._restore(resume)

    def run_epoch(self, epoch: int) -> Iterator[Record]:
        """Go through the training images once, then test."""
        spec, before, loss_sum = self.spec, self.seconds, 0.0
        order = torch.randperm(spec.train_images, generator=self.orders).to(self.device)  # (N,)
        group = math.ceil(spec.steps_per_epoch * spec.epochs / MAX_BATCH_RECORDS)  # steps in one record
        chunk = group * math.ceil(READ_EVERY.get(self.device.type, READ_EVERY_ELSEWHERE) / group)
        pending: list[Tensor] = []
        step = (epoch - 1) * spec.steps_per_epoch
        started = time.perf_counter()
        for index in torch.split(order, spec.batch_size):
            pending.append(self._step(index))
            step += 1
            if len(pending) == chunk or step == epoch * spec.steps_per_epoch:
                losses = torch.stack(pending).tolist()  # waits for an accelerator to finish these steps
                now = time.perf_counter()
                self.seconds += now - started
                loss_sum += math.fsum(losses) * spec.batch_size
                yield from _batches(losses, group, step - len(losses), epoch, self.seconds)
                started, pending = time.perf_counter(), []
        missing = spec.steps_per_epoch * spec.batch_size - spec.train_images  # images that the last batch lacks
        yield self._test(epoch, (loss_sum - losses[-1] * missing) / spec.train_images, self.seconds - before)

    def checkpoint(self, epoch: int) -> Checkpoint:
        """Return all that is needed to go on after this epoch."""
        momentum = {
            name: self.optimizer.state[parameter]["momentum_buffer"]
            for name, parameter in self.network.named_parameters()
            if self.optimizer.state[parameter].get("momentum_buffer") is not None
        }
        return Checkpoint(
            epoch=epoch, seconds=self.seconds, weights=_pack(self.network.state_dict()), optimizer=_pack(momentum)
        )

    def _restore(self, resume: Checkpoint) -> None:
        self.network.load_state_dict(safetensors.torch.load(resume.weights))
        momentum = safetensors.torch.load(resume.optimizer)
        for name, parameter in self.network.named_parameters():
            if name in momentum:
                buffer = torch.empty_like(parameter).copy_(momentum[name])  # in the parameter's own layout
                self.optimizer.state[parameter]["momentum_buffer"] = buffer.detach()
        for _ in range(resume.epoch):
            torch.randperm(self.spec.train_images, generator=self.orders)  # the orders that were used already
        self.seconds = resume.seconds
        self.first_epoch = resume.epoch + 1

    def _forward(self, x: Tensor) -> Tensor:
        """Return scores (B, 10) in float32."""
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.placement.dtype == "bfloat16"):
            return self.network(x).float()  # type: ignore[no-any-return]  # torch types a module's call as Any

    def _step(self, index: Tensor) -> Tensor:
        """Take one step on the images of `index` (B,); return the loss before it, still on the device."""
        x, labels = self.train_images.batch(index, self.layout)
        with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True):
            loss = F.cross_entropy(self._forward(x), labels)
            self.optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
            self.optimizer.step()
        return loss.detach()

    @torch.no_grad()
    def _test(self, epoch: int, train_loss: float, seconds: float) -> Epoch:
        """Measure the network on the test images."""
        images = self.test_images
        scores = torch.cat(
            [
                self._forward(images.batch(slice(start, start + TEST_BATCH), self.layout)[0])
                for start in range(0, len(images.labels), TEST_BATCH)
            ]
        )  # (10000, 10)
        log_p = F.log_softmax(scores, dim=1).cpu()
        labels = images.labels.cpu()
        return Epoch(
            epoch=epoch,
            train_loss=train_loss,
            test_loss=F.nll_loss(log_p, labels).item(),
            test_accuracy=(log_p.argmax(1) == labels).sum().item() / len(labels),
            seconds=seconds,
            images_per_second=self.spec.train_images / seconds,
            device=self.device.type,
            worst=worst_mistakes(log_p, labels),
        )


def worst_mistakes(log_p: Tensor, labels: Tensor) -> tuple[Mistake, ...]:
    """Return the mistakes where the truth got the least probability; none where a network has diverged to NaN.

    `log_p` (N, 10) are log probabilities, `labels` (N,) the digits.
    """
    predicted = log_p.argmax(1)  # (N,)
    of_truth = log_p.gather(1, labels[:, None]).squeeze(1)  # (N,)
    wrong = ((predicted != labels) & log_p.isfinite().all(1)).nonzero().squeeze(1)
    chosen = wrong[of_truth[wrong].argsort(stable=True)][:WORST]
    return tuple(
        Mistake(
            index=index,
            label=int(labels[index]),
            predicted=int(predicted[index]),
            confidence=log_p[index].max().exp().item(),
            true_probability=of_truth[index].exp().item(),
        )
        for index in chosen.tolist()
    )


def load_images(spec: RunSpec, device: torch.device) -> tuple[Images, Images]:
    """Return the first `train_images` training images and all test images, on the device."""
    data = mnist()
    return (
        _to_device(data.train_images[: spec.train_images], data.train_labels[: spec.train_images], device),
        _to_device(data.test_images, data.test_labels, device),
    )


def _to_device(pixels: np.ndarray, labels: np.ndarray, device: torch.device) -> Images:
    return Images(
        pixels=torch.tensor(pixels, device=device).unsqueeze(1),  # (N, 28, 28) -> (N, 1, 28, 28)
        labels=torch.tensor(labels, dtype=torch.int64, device=device),
    )


def _batches(losses: list[float], group: int, step: int, epoch: int, seconds: float) -> Iterator[Batch]:
    """Report the losses that were read together, `group` steps in one record; `step` were taken before them."""
    for start in range(0, len(losses), group):
        part = losses[start : start + group]
        yield Batch(step=step + start + len(part), epoch=epoch, loss=math.fsum(part) / len(part), seconds=seconds)


def _pack(tensors: dict[str, Tensor]) -> bytes:
    content: bytes = safetensors.torch.save({name: tensor.contiguous().cpu() for name, tensor in tensors.items()})
    return content
