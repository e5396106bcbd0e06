"""The networks that can be trained, by name.

Only names and titles live here, so that listing the networks does not load torch; `Model.network()` does.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import InputError, Names
from core.image_sets import Shape
from core.messages import N_
from core.options import Option, Options

if TYPE_CHECKING:
    from torch import nn

PACKAGE = Path(__file__).with_name("networks")


@dataclass(frozen=True, kw_only=True)
class Flattened:
    """What reaches the first linear layer of a network that is built for images of one size."""

    channels: int = 0  # of the last convolution; 0: there is none, and the image itself is flattened
    rounds: int = 0  # of a 5×5 convolution without padding and a 2×2 pooling, before

    def numbers(self, shape: Shape) -> int:
        """Return how many numbers an image of a shape becomes."""
        channels, *sides = shape
        for _ in range(self.rounds):
            sides = [(side - 4) // 2 for side in sides]
        return (self.channels or channels) * math.prod(sides)


@dataclass(frozen=True, kw_only=True)
class Model:
    """One network: the course's, and those that it talks about."""

    title: str  # as a page shows it
    class_name: str  # a class in core.networks
    options: tuple[Option, ...] = ()  # what its constructor takes
    flattened: Flattened | None = None  # None: it takes images of any size, and `in_channels` says how many channels
    classes: Mapping[str, Mapping[str, str]] = field(
        default_factory=dict
    )  # option -> value -> class that it stands for

    def network(self) -> Callable[..., nn.Module]:
        """Return a function of the options that builds the network from torch's own random numbers."""
        module = import_module("core.networks")
        network: Callable[..., nn.Module] = getattr(module, self.class_name)

        def build(**options: Any) -> nn.Module:  # noqa: ANN401 - the values were checked when the run was named
            chosen = {name: getattr(module, self._class_of(name, value)) for name, value in self._named(options)}
            return network(**(options | chosen))

        return build

    def call(self, options: Options = ()) -> str:
        """Return the Python call that builds it, such as ``Stack(depth=56)``."""
        names = {name: self._class_of(name, value) for name, value in self._named(dict(options))}
        return f"{self.class_name}({', '.join(f'{name}={names.get(name, repr(value))}' for name, value in options)})"

    def source(self, options: Options = ()) -> str:
        """Return the Python source of the class, after that of the blocks which it needs, without loading torch.

        The text uses `torch`, `nn` and `F`, and nothing else that it does not define.
        """
        roots = [self._class_of(name, value) for name, value in self._named(dict(options))]
        return "\n\n\n".join(_classes()[name].text for name in _in_order((*roots, self.class_name)))

    def arguments(self, options: Options, shape: Shape) -> Options:
        """Return what its constructor gets for images of a shape. Raises InputError where they do not fit."""
        if shape == DIGIT:
            return options
        if self.flattened is None:
            return (*options, ("in_channels", shape[0]))
        raise InputError(
            "{model} is built for images of {digit}, which arrive at its first linear layer as {expected} numbers; "
            "images of {shape} would arrive as {reached}. Choose one of {others}, which take images of any size.",
            model=self.class_name,
            digit=" × ".join(map(str, DIGIT)),
            expected=self.flattened.numbers(DIGIT),
            shape=" × ".join(map(str, shape)),
            reached=self.flattened.numbers(shape),
            others=Names(model.class_name for model in MODELS.values() if model.flattened is None),
        )

    def _named(self, options: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Return those of the options whose values stand for classes."""
        return [(name, value) for name, value in options.items() if name in self.classes]

    def _class_of(self, name: str, value: str) -> str:
        return self.classes[name][value]


@dataclass(frozen=True, kw_only=True)
class _Class:
    text: str  # its source
    uses: tuple[str, ...]  # the names in it, in the order of the text


@cache
def _classes() -> dict[str, _Class]:
    """Read the classes of core.networks as text."""
    classes = {}
    for path in sorted(PACKAGE.glob("*.py")):
        text = path.read_text(encoding="utf-8")
        for node in ast.parse(text).body:
            if isinstance(node, ast.ClassDef):
                uses = tuple(one.id for one in ast.walk(node) if isinstance(one, ast.Name))
                lines = text.splitlines()[node.lineno - 1 : node.end_lineno]  # whole, with the comment of the last one
                classes[node.name] = _Class(text="\n".join(lines), uses=uses)
    return classes


def _in_order(roots: tuple[str, ...]) -> list[str]:
    """Return the roots and all classes that they use, each after those that it uses."""
    ordered: list[str] = []
    for root in roots:
        known = [name for name in _classes()[root].uses if name in _classes() and name != root]
        ordered += [name for name in (*_in_order(tuple(known)), root) if name not in ordered]
    return list(dict.fromkeys(ordered))


DIGIT: Shape = (1, 28, 28)  # the course's images
DROPOUT = Option(name="dropout", title=N_("dropout before the last layer"), default=0.0, high=0.9)
BRANCHES = tuple(
    Option(name=name, title=title, default=True, group="branches")
    for name, title in (
        ("branch1x1", N_("1×1 branch")),
        ("branch5x5", N_("5×5 branch")),
        ("branch3x3", N_("3×3 branch")),
        ("branch_pool", N_("pooling branch")),
    )
)
BLOCKS = {
    "identity": N_("identity shortcut (course)"),
    "constant_scaling": N_("constant scaling"),
    "exclusive_gating": N_("exclusive gating"),
    "shortcut_gating": N_("shortcut-only gating"),
    "conv_shortcut": N_("1×1 convolution shortcut"),
    "dropout_shortcut": N_("dropout shortcut"),
    "pre_activation": N_("full pre-activation"),
}
BLOCK_CLASSES = {
    "identity": "ResidualBlock",
    "constant_scaling": "ConstantScaling",
    "exclusive_gating": "ExclusiveGating",
    "shortcut_gating": "ShortcutGating",
    "conv_shortcut": "ConvShortcut",
    "dropout_shortcut": "DropoutShortcut",
    "pre_activation": "PreActivation",
}

MODELS: dict[str, Model] = {
    "mlp": Model(title=N_("MLP (five linear layers)"), class_name="MLP", options=(DROPOUT,), flattened=Flattened()),
    "cnn": Model(
        title=N_("CNN (two convolutions)"),
        class_name="CNN",
        options=(DROPOUT,),
        flattened=Flattened(channels=20, rounds=2),
    ),
    "inception": Model(
        title=N_("Inception (four branches)"),
        class_name="Inception",
        options=(*BRANCHES, DROPOUT),
        flattened=Flattened(channels=88, rounds=2),
    ),
    "resnet": Model(
        title=N_("ResNet (residual blocks)"),
        class_name="ResNet",
        options=(Option(name="block", title=N_("residual block"), default="identity", choices=BLOCKS), DROPOUT),
        flattened=Flattened(channels=32, rounds=2),
        classes={"block": BLOCK_CLASSES},
    ),
    "stack": Model(
        title=N_("Stack (plain or residual, any depth)"),
        class_name="Stack",
        options=(
            Option(name="depth", title=N_("layers with weights"), default=20, low=8, high=110, step=6),
            Option(name="residual", title=N_("shortcuts"), default=True),
            Option(name="norm", title=N_("batch normalisation"), default=False),
            Option(name="channels", title=N_("channels of the first stage"), default=8, low=4, high=32, step=4),
        ),
    ),
    "densenet": Model(
        title=N_("DenseNet (small)"),
        class_name="DenseNet",
        options=(
            Option(name="growth", title=N_("growth rate: channels that a layer adds"), default=8, low=4, high=32),
            Option(name="layers", title=N_("layers of a dense block"), default=4, low=1, high=12),
        ),
    ),
}


def find_model(name: str) -> Model:
    """Return the model of that name; raises InputError that lists the known ones."""
    if name not in MODELS:
        raise InputError(
            "The model must be one of {known}, not {name}.", known=Names(sorted(MODELS)), name=str(name)[:40]
        )
    return MODELS[name]
