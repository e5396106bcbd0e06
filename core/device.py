"""Where a run is computed and how: device, number format, memory layout, threads; each with its reason.

All of them change the last digits of a run's numbers, so they are part of its key. Torch is asked only where it is
needed: a CPU build of it says so in its version file, which saves the server a second of import.
"""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from core.errors import InputError
from core.messages import N_

DEVICES = ("auto", "cpu", "cuda", "mps")
MAX_THREADS = 64  # what a person may ask for
TERMINAL_THREADS = 4  # a batch of small images has no work for more

_DEVICE_REASONS = {
    "cuda": N_("An NVIDIA GPU was found."),
    "mps": N_("An Apple GPU was found."),
    "cpu": N_("No GPU that this PyTorch can use was found."),
    "asked": N_("This device was asked for."),
}
_DTYPE_REASONS = {
    "bfloat16": N_("This processor multiplies bfloat16 numbers in hardware; weights and updates stay in float32."),
    "float32": N_("This processor has no bfloat16 arithmetic, and emulating it would be slow."),
    "gpu": N_("Whether bfloat16 is faster on a GPU and as accurate has not been measured yet, so it stays at float32."),
}
_LAYOUT_REASONS = {
    "channels_last": N_("With the channels last, pooling works on many values at once."),
    "cuda": N_("NVIDIA's libraries have their fastest convolutions for images with the channels last."),
    "contiguous": N_("PyTorch's own order is the one that this device is tuned for."),
}
_THREAD_REASONS = {
    "alone": N_("A run from the terminal has the machine to itself."),
    "shared": N_("A job beside the server takes one thread, so that the pages stay quick."),
    "asked": N_("This number of threads was asked for."),
    "gpu": N_("The GPU computes; one thread feeds it."),
}


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Where and how a run is computed."""

    device: str  # "cpu", "cuda" or "mps"
    dtype: str  # of the layers' arithmetic: "float32" or "bfloat16"
    layout: str  # of images in memory: "contiguous" (NCHW) or "channels_last" (NHWC)
    threads: int  # for torch's operators, from 1
    torch: str  # version, such as "2.13.0+cpu"
    reasons: Mapping[str, str] = field(default_factory=dict, compare=False)  # a sentence for each of the fields

    def facts(self) -> dict[str, Any]:
        """Return all that changes a run's numbers, ready for JSON."""
        return {name: getattr(self, name) for name in ("device", "dtype", "layout", "threads", "torch")}


def find_placement(device: str = "auto", threads: int | None = None, *, shared: bool = False) -> Placement:
    """Choose the best placement on this machine.

    `shared` says that a server and its pages run beside the job. Raises InputError where the device that was asked
    for is not there.
    """
    if threads is not None and not 1 <= threads <= MAX_THREADS:
        raise InputError(
            "threads must be a whole number from 1 to {high}, not {value}.", high=MAX_THREADS, value=threads
        )
    chosen, device_reason = _choose_device(device)
    dtype, dtype_reason = _choose_dtype(chosen)
    layout = "contiguous" if chosen == "mps" else "channels_last"
    count, threads_reason = _choose_threads(chosen, threads, shared=shared)
    return Placement(
        device=chosen,
        dtype=dtype,
        layout=layout,
        threads=count,
        torch=version("torch"),
        reasons={
            "device": _DEVICE_REASONS[device_reason],
            "dtype": _DTYPE_REASONS[dtype_reason],
            "layout": _LAYOUT_REASONS["cuda" if chosen == "cuda" else layout],
            "threads": _THREAD_REASONS[threads_reason],
        },
    )


def usable_cores() -> int:
    """Return the physical cores that this process may use, at least 1."""
    allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set(range(os.cpu_count() or 1))
    return max(1, min(_physical_cores(allowed), _container_limit()))


def spin_briefly() -> None:
    """Let the threads of OpenMP sleep soon when they wait for each other; call it before torch is loaded.

    Left alone they wait awake, and where another program takes one of the cores for a moment, all of them wait for
    the thread that has none. Sleeping at once is no better: waking up again costs a quarter of the speed on a quiet
    machine. This many turns of the waiting loop lie between: two threads alone then train as fast as they can, and
    beside a busy program no slower than with any other number. Whoever has set the variable keeps it.
    """
    os.environ.setdefault("GOMP_SPINCOUNT", "20000")


def _choose_device(asked: str) -> tuple[str, str]:
    if asked not in DEVICES:
        raise InputError(
            "The device must be one of {known}, not {device}.", known=", ".join(DEVICES), device=asked[:40]
        )
    if asked == "cpu":
        return "cpu", "asked"
    found = _accelerators()
    if asked == "auto":
        chosen = found[0] if found else "cpu"
        return chosen, chosen
    if asked not in found:
        raise InputError(
            "There is no {device} device here that this PyTorch ({torch}) can use; leave the device at auto or cpu.",
            device=asked,
            torch=version("torch"),
        )
    return asked, "asked"


def _choose_dtype(device: str) -> tuple[str, str]:
    if device != "cpu":
        return "float32", "gpu"
    chosen = "bfloat16" if has_bfloat16() else "float32"
    return chosen, chosen


def _choose_threads(device: str, asked: int | None, *, shared: bool) -> tuple[int, str]:
    if asked is not None:
        return asked, "asked"
    if device != "cpu":
        return 1, "gpu"
    return (1, "shared") if shared else (min(usable_cores(), TERMINAL_THREADS), "alone")


@lru_cache(maxsize=1)
def _accelerators() -> tuple[str, ...]:
    """Return the accelerators that torch can use, best first; loads torch only where there may be one."""
    on_apple = platform.system() == "Darwin" and platform.machine() == "arm64"
    if not on_apple and _is_cpu_build():
        return ()
    import torch

    found = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    return tuple(name for name, there in found.items() if there)


def _is_cpu_build() -> bool:
    """Read from torch's version file whether it was built without CUDA and ROCm."""
    spec = find_spec("torch")
    if spec is None or spec.origin is None:
        return False
    text = Path(spec.origin).with_name("version.py").read_text()
    return all(re.search(rf"^{name}\b.*= None$", text, re.MULTILINE) for name in ("cuda", "hip"))


@lru_cache(maxsize=1)
def has_bfloat16() -> bool:
    """Say whether the processor itself names bfloat16 instructions (Linux; elsewhere False, which is always safe)."""
    try:
        flags = Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
    return re.search(r"\b(avx512_bf16|amx_bf16)\b", flags) is not None


def _physical_cores(allowed: set[int]) -> int:
    """Count cores, not hyper-threads, among the allowed logical ones."""
    try:
        blocks = Path("/proc/cpuinfo").read_text().strip().split("\n\n")
    except OSError:
        return len(allowed)
    cores = set()
    for block in blocks:
        entry = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in block.splitlines())}
        if entry.get("processor", "").isdigit() and int(entry["processor"]) in allowed:
            cores.add((entry.get("physical id", "0"), entry.get("core id", entry["processor"])))
    return len(cores) or len(allowed)


def _container_limit() -> int:
    """Return how many processors a container's quota is worth (cgroup v2), or very many without one."""
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
    except (OSError, ValueError):
        return 1_000
    return 1_000 if quota == "max" else max(1, int(quota) // int(period))
