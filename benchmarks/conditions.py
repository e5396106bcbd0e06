"""What a figure was measured on."""

import os
import platform
from importlib.metadata import version
from pathlib import Path
from statistics import median, quantiles


def conditions() -> str:
    """Return one line: processor, cores, Python and the packages that matter."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("torch", "streamlit", "altair"))
    return f"{processor()}, {os.cpu_count()} cores, Python {platform.python_version()}, {packages}"


def processor() -> str:
    """Return the model name of the processor, as far as the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def summary(milliseconds: list[float]) -> str:
    """Return median, 90th percentile and maximum of some times."""
    p90 = quantiles(milliseconds, n=10)[-1]
    middle, most = median(milliseconds), max(milliseconds)
    return f"median {middle:.0f} ms, p90 {p90:.0f} ms, max {most:.0f} ms (n={len(milliseconds)})"
