"""How long a training waits for its data, with 0, 1, 2 and 4 workers: a program that prints a JSON object a line.

`python -m core.loading_time FOLDER` runs beside the server (core.loading_job starts it) and ends with it: it stops
when its standard input closes, and takes its workers along. Workers are started by spawn, as on macOS and Windows;
forking a process that has used OpenMP can hang. https://docs.pytorch.org/docs/stable/data.html#multi-process-data-loading
"""

import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset, RandomSampler

from core.device import usable_cores
from core.errors import InputError
from core.loading_job import BATCH, BATCHES, PASSES, PLAN, Conditions, Timing
from core.measuring import end_with_server, say
from core.packed import INPUT, ITEM_BYTES, WAYS, OnDemand, pack, packed_bytes

LARGE = (256, 256)  # px; a small photograph
TURN = 15.0  # degrees, at most, either way
NOISE = 0.1  # standard deviation, of pixels from 0 to 1


class Digits(Dataset[torch.Tensor]):
    """Digits as large as a photograph, turned a little, made smaller, with noise: work for each sample, each time."""

    def __init__(self, folder: Path, way: str) -> None:
        self.images = WAYS[way](folder)

    def __getitem__(self, index: int) -> torch.Tensor:
        image = Image.fromarray(self.images[index])
        angle = TURN * (2 * torch.rand(()).item() - 1)
        large = image.resize(LARGE, Image.Resampling.BILINEAR).rotate(angle, Image.Resampling.BILINEAR)
        pixels = torch.from_numpy(np.array(large.resize(INPUT[1:]), dtype=np.float32)) / 255  # (128, 128)
        return pixels + NOISE * torch.randn(INPUT)  # (3, 128, 128)

    def __len__(self) -> int:
        return len(self.images)


def training_step() -> Callable[[torch.Tensor], float]:
    """Return one step of a small network, which is what the data are loaded for."""
    torch.manual_seed(0)
    network = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 8, stride=8), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(8 * 16 * 16, 1)
    )
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01)

    def step(images: torch.Tensor) -> float:
        optimizer.zero_grad()
        loss = network(images).square().mean()
        loss.backward()
        optimizer.step()
        return float(loss.item())

    return step


def measure(folder: Path, way: str, workers: int, step: Callable[[torch.Tensor], float]) -> Iterator[float | Timing]:
    """Make a few passes over some batches; yield the part that is done after each batch, and the timing at the end."""
    began = time.perf_counter()
    dataset = Digits(folder, way)
    reading = time.perf_counter() - began
    loader = DataLoader(
        dataset,
        batch_size=BATCH,
        sampler=RandomSampler(dataset, num_samples=BATCH * BATCHES),
        num_workers=workers,
        persistent_workers=workers > 0,  # they stay for the next pass
        multiprocessing_context="spawn" if workers else None,
    )
    first = 0.0
    waited, trained = np.zeros(PASSES), np.zeros(PASSES)
    for turn in range(PASSES):
        before = time.perf_counter()
        batches = iter(loader)
        for number in range(BATCHES):
            images = next(batches)
            arrived = time.perf_counter()
            step(images)
            done = time.perf_counter()
            first = first or arrived - before
            waited[turn] += arrived - before
            trained[turn] += done - arrived
            before = done
            yield (turn + (number + 1) / BATCHES) / PASSES
    best = 1 + int((waited + trained)[1:].argmin())
    yield Timing(
        way=way,
        workers=workers,
        reading=reading,
        first_batch=first,
        waiting=float(waited[best]),
        training=float(trained[best]),
        samples=BATCH * BATCHES,
        memory=dataset.images.memory,
    )


def main(folder: Path) -> None:
    """Print the conditions, then what is done and what was measured."""
    torch.set_num_threads(1)
    say(kind="progress", done=0.0)
    pack(folder)
    say(kind="conditions", **asdict(conditions(folder)))
    step = training_step()
    step(torch.zeros(BATCH, *INPUT))  # the first step is slower
    for number, (way, workers) in enumerate(PLAN):
        say(kind="progress", done=number / len(PLAN), way=way, workers=workers)
        for found in measure(folder, way, workers, step):
            if isinstance(found, Timing):
                say(kind="timing", **asdict(found))
            else:
                say(kind="progress", done=(number + found) / len(PLAN))
    say(kind="done")


def conditions(folder: Path) -> Conditions:
    """Return what the figures depend on."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    return Conditions(
        cores=usable_cores(),
        memory=memory_bytes(),
        load=round(load, 2),
        system=platform.system(),
        torch=torch.__version__,
        when=time.strftime("%Y-%m-%d %H:%M"),
        on_disk=packed_bytes(folder),
        decoded=len(OnDemand(folder)) * ITEM_BYTES,
        batch_size=BATCH,
    )


def memory_bytes() -> int:
    """Return the memory of this machine, or 0 where the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 0


if __name__ == "__main__":
    end_with_server()
    try:
        main(Path(sys.argv[1]))
    except (InputError, OSError, RuntimeError) as error:
        say(kind="failed", reason=f"{type(error).__name__}: {error}")
