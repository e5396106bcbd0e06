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
from core.options import Option, Options

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class Model:
    """One network of the course."""

    title: str  # as a page shows it
    class_name: str  # a class in core.networks
    blocks: tuple[str, ...] = ()  # the classes there that it is made of
    options: tuple[Option, ...] = ()  # what its constructor takes

    def network(self) -> Callable[..., nn.Module]:
        """Return the class; calling it with options builds the network from torch's own random numbers."""
        network: Callable[..., nn.Module] = getattr(import_module("core.networks"), self.class_name)
        return network

    def call(self, options: Options) -> str:
        """Return the Python call that builds it, such as ``Stack(depth=56)``."""
        return f"{self.class_name}({', '.join(f'{name}={value!r}' for name, value in options)})"

    def source(self) -> str:
        """Return the Python source of the class, after that of its blocks, without loading torch."""
        text = Path(__file__).with_name("networks.py").read_text(encoding="utf-8")
        classes = {node.name: node for node in ast.parse(text).body if isinstance(node, ast.ClassDef)}
        return "\n\n\n".join(
            ast.get_source_segment(text, classes[name]) or "" for name in (*self.blocks, self.class_name)
        )


MODELS: dict[str, Model] = {
    "mlp": Model(title=N_("MLP (five linear layers)"), class_name="MLP"),
    "cnn": Model(title=N_("CNN (two convolutions)"), class_name="CNN"),
    "inception": Model(title=N_("Inception (four branches)"), class_name="Inception", blocks=("InceptionA",)),
    "resnet": Model(title=N_("ResNet (residual blocks)"), class_name="ResNet", blocks=("ResidualBlock",)),
}


def find_model(name: str) -> Model:
    """Return the model of that name; raises InputError that lists the known ones."""
    if name not in MODELS:
        raise InputError(
            "The model must be one of {known}, not {name}.", known=", ".join(sorted(MODELS)), name=str(name)[:40]
        )
    return MODELS[name]
