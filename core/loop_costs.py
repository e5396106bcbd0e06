"""What each line of the two training loops costs on this machine: a program that prints a JSON object a line.

`python -m core.loop_costs MODEL DATA` runs beside the server (core.loop_job starts it). It runs the functions of
core.loops as they stand there, with a clock that is read at each new line: the code that is shown is the code that was
timed.
"""

import inspect
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from statistics import median
from types import FrameType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from core import loops
from core.device import Placement, find_placement, usable_cores
from core.errors import InputError
from core.image_data import read_part
from core.image_sets import DATASETS
from core.images import load_images
from core.loop_job import BATCH, STEPS, TEST_IMAGES, Conditions, Line, Pass
from core.measuring import end_with_server, say
from core.models import MODELS
from core.optimizing import is_fused
from core.run import RunSpec
from core.torchvision_ops import prepare_torchvision

TURN = 20  # steps of one loop before it is the other's turn
WARM_UP = 3  # steps that are not counted
MOMENTUM = 0.5  # course
REPEATS = 6  # of the test's forward pass
Mode = Callable[[], AbstractContextManager[object]]
_PHASE = re.compile(r"\s*(?P<code>.*?)\s+# (?P<phase>[a-z]+): ")


class OneByOne(Dataset[tuple[Tensor, int]]):
    """A set as torchvision.datasets hands it out with ToTensor and Normalize: an image at a time."""

    def __init__(self, data: str = "mnist") -> None:
        from PIL import Image

        prepare_torchvision()
        from torchvision import transforms

        part = read_part(data, "train")
        grey = part.images.shape[1] == 1
        self.images = part.images[:, 0] if grey else part.images.transpose(0, 2, 3, 1)  # (N, H, W) or (N, H, W, C)
        self.labels = part.labels
        self.to_image = Image.fromarray
        normalise = transforms.Normalize(DATASETS[data].mean, DATASETS[data].std)
        self.transform = transforms.Compose([transforms.ToTensor(), normalise])

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        image: Tensor = self.transform(self.to_image(np.ascontiguousarray(self.images[index])))
        return image, int(self.labels[index])

    def __len__(self) -> int:
        return len(self.labels)


class LineClock:
    """Adds up the time that is spent in each line of one function, and in all that the line calls."""

    def __init__(self, function: Callable[..., object], wait: Callable[[], None]) -> None:
        """Call `wait` before each look at the clock: a GPU works on after its line."""
        self.code = function.__code__
        self.seconds: dict[int, float] = {}  # by line number
        self.wait = wait
        self._line: int | None = None
        self._since = 0.0

    def __enter__(self) -> None:
        self._line = None
        sys.settrace(self._call)

    def __exit__(self, *_: object) -> None:
        sys.settrace(None)
        self._charge(None)

    def _call(self, frame: FrameType, _event: str, _value: object) -> Callable[..., Any] | None:
        return self._next_line if frame.f_code is self.code else None

    def _next_line(self, frame: FrameType, _event: str, _value: object) -> Callable[..., Any]:
        self._charge(frame.f_lineno)
        return self._next_line

    def _charge(self, line: int | None) -> None:
        self.wait()
        now = time.perf_counter()
        if self._line is not None:
            self.seconds[self._line] = self.seconds.get(self._line, 0.0) + now - self._since
        self._line, self._since = line, time.perf_counter()


def lines_of(function: Callable[..., object], seconds: dict[int, float], steps: int) -> list[Line]:
    """Return the lines of a function that name their phase, with their time a step."""
    source, first = inspect.getsourcelines(function)
    found = ((number, _PHASE.match(text)) for number, text in enumerate(source, start=first))
    return [
        Line(code=match["code"], phase=match["phase"], seconds=seconds.get(number, 0.0) / steps)
        for number, match in found
        if match
    ]


class Contest:
    """Both loops, each with a network of its own, from the same initial weights."""

    def __init__(self, spec: RunSpec, placement: Placement) -> None:
        """Prepare the networks of a run, of which only the network and the images count here."""
        self.placement = placement
        self.layout = torch.channels_last if placement.layout == "channels_last" else torch.contiguous_format
        fused = is_fused("sgd", torch.device(placement.device), MOMENTUM)  # as core.train updates
        self.theirs, self.optimizer = self._network(spec, torch.contiguous_format)
        self.own, self.own_optimizer = self._network(spec, self.layout, fused=fused)
        self.batches = iter(DataLoader(OneByOne(spec.data), batch_size=BATCH, shuffle=True))
        self.images, _ = load_images(spec, torch.device(placement.device))

    def _network(
        self, spec: RunSpec, layout: torch.memory_format, *, fused: bool | None = None
    ) -> tuple[nn.Module, torch.optim.Optimizer]:
        torch.manual_seed(0)
        network: Any = MODELS[spec.model].network()(**dict(spec.arguments))
        network.to(self.placement.device, memory_format=layout)
        return network, torch.optim.SGD(network.parameters(), lr=0.01, momentum=MOMENTUM, fused=fused)

    def textbook(self, steps: int) -> None:
        """Take so many steps as the textbook does."""
        loops.textbook(islice(self.batches, steps), self.theirs, self.optimizer, self.placement.device)

    def ours(self, steps: int) -> None:
        """Take so many steps as core.train does."""
        low = self.placement.dtype == "bfloat16"
        precision = torch.autocast(self.placement.device, torch.bfloat16) if low else nullcontext()
        order = torch.randperm(len(self.images.labels))[: steps * BATCH].to(self.placement.device)
        loops.ours(
            self.images.pixels,
            self.images.labels,
            order,
            model=self.own,
            optimizer=self.own_optimizer,
            layout=self.layout,
            precision=precision,
            mean=self.images.mean,
            std=self.images.std,
        )

    def tests(self) -> Iterator[Pass]:
        """Time a forward pass without and with what a backward pass needs, by turns; count the bytes of that."""
        x = self.images.normalise(self.images.pixels[:TEST_IMAGES].to(torch.float32, memory_format=self.layout))
        modes: tuple[Mode, ...] = (torch.no_grad, torch.enable_grad)
        kept = {mode: self._kept(x, mode) for mode in modes}  # warms up as well
        times: dict[Mode, list[float]] = {mode: [] for mode in modes}
        for _repeat in range(REPEATS):
            for mode in modes:
                started = time.perf_counter()
                loops.test(self.own, x, mode)
                waiter(self.placement.device)()
                times[mode].append(time.perf_counter() - started)
        for mode in modes:
            fastest, middle = min(times[mode]), median(times[mode])
            yield Pass(grad=mode is torch.enable_grad, seconds=fastest, spread=middle - fastest, kept=kept[mode])

    def _kept(self, x: Tensor, mode: Mode) -> int:
        """Return the bytes that a forward pass keeps for a backward pass, besides the weights."""
        sizes: dict[int, int] = {}  # of each storage, by its address

        def keep(tensor: Tensor) -> Tensor:
            sizes[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            scores = loops.test(self.own, x, mode)
        for weight in self.own.parameters():
            sizes.pop(weight.untyped_storage().data_ptr(), None)
        del scores  # until here it holds what was kept, so that no address is used twice
        return sum(sizes.values())


def waiter(device: str) -> Callable[[], None]:
    """Return what waits until a device has done all that it was given."""
    waits: dict[str, Callable[[], None]] = {"cuda": torch.cuda.synchronize, "mps": torch.mps.synchronize}
    return waits.get(device, lambda: None)


def main(model: str, data: str = "mnist") -> None:
    """Print the conditions, then what is done and what was measured."""
    placement = find_placement(shared=True)
    torch.set_num_threads(placement.threads)
    say(kind="conditions", **asdict(conditions(placement)))
    contest = Contest(RunSpec(model=model, data=data), placement)
    clocks = {name: LineClock(getattr(loops, name), waiter(placement.device)) for name in ("textbook", "ours")}
    for name in clocks:
        getattr(contest, name)(WARM_UP)
    for taken in range(0, STEPS, TURN):
        for place, (name, clock) in enumerate(clocks.items()):
            with clock:
                getattr(contest, name)(TURN)
            say(kind="progress", done=(taken + (place + 1) * TURN / 2) / STEPS)
    for name, clock in clocks.items():
        lines = lines_of(getattr(loops, name), clock.seconds, STEPS)
        say(kind="loop", name=name, lines=[asdict(line) for line in lines])
    for test in contest.tests():
        say(kind="test", **asdict(test))
    say(kind="done")


def conditions(placement: Placement) -> Conditions:
    """Return what the figures depend on."""
    return Conditions(
        device=placement.device,
        threads=placement.threads,
        dtype=placement.dtype,
        layout=placement.layout,
        load=round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else float("nan"),
        cores=usable_cores(),
        torch=torch.__version__,
        when=time.strftime("%Y-%m-%d %H:%M"),
    )


if __name__ == "__main__":
    end_with_server()
    try:
        main(*(Path(name).name for name in sys.argv[1:3]))
    except (InputError, OSError, RuntimeError) as error:
        say(kind="failed", reason=f"{type(error).__name__}: {error}")
