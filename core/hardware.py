"""What a run was computed on, to be kept with it: numbers of seconds mean nothing without it."""

from __future__ import annotations

import os
import platform
import re
import sys
from functools import lru_cache
from pathlib import Path

from core.device import usable_cores

FACT = re.compile(r"[\w .,()@/+-]{1,120}", re.ASCII)  # what a fact may be: a page shows those of strangers, too


@lru_cache(maxsize=2)
def hardware(device: str) -> dict[str, str]:
    """Return a few facts about this machine by name, in words; with its accelerator where `device` is one."""
    facts = {
        "processor": processor(),
        "cores": f"{usable_cores()} of {os.cpu_count() or 1}",
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }
    torch = sys.modules.get("torch")
    if device == "cuda" and torch and torch.cuda.is_available():  # a server may keep what another machine trains
        facts["accelerator"] = torch.cuda.get_device_name(0)
    return {name: re.sub(r"[^\w .,()@/+-]", " ", fact, flags=re.ASCII)[:120] or "-" for name, fact in facts.items()}


def processor() -> str:
    """Return the model name of the processor, as far as the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
