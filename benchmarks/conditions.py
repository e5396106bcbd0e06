"""What a figure was measured on."""

import os
import platform
from collections.abc import Callable
from importlib.metadata import version
from statistics import median, quantiles

from core.device import Placement
from core.hardware import hardware, processor


def conditions() -> str:
    """Return one line: processor, cores, Python and the packages that matter."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("torch", "streamlit", "altair"))
    return f"{processor()}, {os.cpu_count()} cores, Python {platform.python_version()}, {packages}"


def computed_on(placement: Placement) -> str:
    """Return how a benchmark trains, such as "device cpu, dtype float32, …", with the name of a GPU."""
    import torch  # noqa: F401 - asks the GPU for its name

    name = hardware(placement.device).get("accelerator")
    facts = [f"{name} {value}" for name, value in placement.facts().items() if name != "torch"]
    return ", ".join([f"{facts[0]} ({name})" if name else facts[0], *facts[1:]])


def synchronise(placement: Placement) -> Callable[[], None]:
    """Return a function that waits until the device has done all that it was given; call it before reading a clock."""
    import torch

    waits = {"cuda": torch.cuda.synchronize, "mps": torch.mps.synchronize}
    return waits.get(placement.device, lambda: None)


def summary(milliseconds: list[float]) -> str:
    """Return median, 90th percentile and maximum of some times."""
    p90 = quantiles(milliseconds, n=10)[-1]
    middle, most = median(milliseconds), max(milliseconds)
    return f"median {middle:.0f} ms, p90 {p90:.0f} ms, max {most:.0f} ms (n={len(milliseconds)})"
