"""Makes torchvision importable beside a CPU build of torch.

Its compiled operators do not load there, and the import then fails on `operator torchvision::nms does not exist`,
although data sets, transforms and models need none of them. Declaring the two schemas is enough.
"""

import torch

_SCHEMAS = {name: f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor" for name in ("nms", "qnms")}
_libraries: list[torch.library.Library] = []  # a schema lives as long as its library object


def prepare_torchvision() -> None:
    """Declare the operators that are missing; call it before the first import of torchvision."""
    _load_compiled()
    for name, schema in _SCHEMAS.items():
        if not hasattr(torch.ops.torchvision, name):
            library = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]  # torch leaves these untyped
            library.define(schema)  # type: ignore[no-untyped-call]
            _libraries.append(library)


def _load_compiled() -> None:
    """Let torchvision's own operators come first where they can."""
    from importlib.util import find_spec
    from pathlib import Path

    spec = find_spec("torchvision")
    if spec is None or spec.origin is None:
        return
    for path in Path(spec.origin).parent.glob("_C.*"):
        try:
            torch.ops.load_library(str(path))  # type: ignore[no-untyped-call]
        except (ImportError, OSError):
            continue  # built for another torch: the reason why this module exists
