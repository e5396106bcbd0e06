"""The networks that can be trained, by name.

Only names and titles live here, so that listing the networks does not load torch; `Model.network()` does.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import InputError
from core.messages import N_

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class Model:
    """One network of the course."""

    title: str  # as a page shows it
    class_name: str  # a class in core.networks

    def network(self) -> Callable[[], nn.Module]:
        """Return the class; calling it builds the network from torch's own random numbers."""
        network: Callable[[], nn.Module] = getattr(import_module("core.networks"), self.class_name)
        return network

    def source(self) -> str:
        """Return the Python source of the class, without loading torch."""
        text = Path(__file__).with_name("networks.py").read_text(encoding="utf-8")
        classes = (node for node in ast.parse(text).body if isinstance(node, ast.ClassDef))
        segment = ast.get_source_segment(text, next(node for node in classes if node.name == self.class_name))
        return segment or ""


MODELS: dict[str, Model] = {
    "cnn": Model(title=N_("CNN (two convolutions)"), class_name="CNN"),
}


def find_model(name: str) -> Model:
    """Return the model of that name; raises InputError that lists the known ones."""
    if name not in MODELS:
        raise InputError(
            "The model must be one of {known}, not {name}.", known=", ".join(sorted(MODELS)), name=str(name)[:40]
        )
    return MODELS[name]
