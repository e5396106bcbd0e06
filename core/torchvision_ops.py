"""Makes torchvision importable beside a CPU build of torch.

Its compiled operators do not load there, and the import then fails on `operator torchvision::nms does not exist`,
although data sets, transforms and models need none of them. Declaring the two schemas is enough.
"""

from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import torch

SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


def prepare_torchvision() -> None:
    """Declare the operators that are missing; call it before the first import of torchvision."""
    spec = find_spec("torchvision")
    if spec is None or spec.origin is None:
        return
    for path in Path(spec.origin).parent.glob("_C.*"):  # its own operators come first where they load
        with suppress(ImportError, OSError):  # built for another torch: the reason why this module exists
            torch.ops.load_library(str(path))  # type: ignore[no-untyped-call]  # torch leaves it untyped
    for name in ("nms", "qnms"):
        if not hasattr(torch.ops.torchvision, name):
            torch.library.define(f"torchvision::{name}", SCHEMA)
