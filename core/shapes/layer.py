"""What a layer is: its arguments in PyTorch's order, and the function from shapes to a result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from core.messages import N_
from core.shapes.errors import ShapeError
from core.shapes.sizes import Shape, Value
from core.shapes.windows import Axis

__all__ = ["Shape", "Value"]  # defined beside the sizes, used with the layers

Arguments = Mapping[str, Value]  # name -> value, complete: every argument of the layer is there

REQUIRED: Final = "REQUIRED"  # the default of an argument that has none
UNKNOWN: Final = "?"  # an argument to be worked out, as in Linear(?, 10)

LARGEST = 100_000_000  # of any argument and of any axis
MOST = 10**12  # elements of a tensor, parameters of a layer: 4 TB


@dataclass(frozen=True)
class Argument:
    """One argument of a layer, with what an editor needs to know about it."""

    name: str  # as PyTorch calls it
    default: Value = REQUIRED
    form: Literal["size", "sizes", "flag", "number", "choice", "shape", "any"] = (
        "size"  # sizes: one number, or one per axis
    )
    low: int = 1  # smallest sensible value of a size
    high: int = LARGEST
    choices: tuple[str, ...] = ()  # of a choice; of sizes: words that may stand for numbers ("same")
    optional: bool = False  # may be None


@dataclass(frozen=True, kw_only=True)
class Step:
    """One line of the calculation, with this layer's numbers."""

    label: str  # what is computed, to be translated
    text: str  # the formula and its value, as plain text


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a layer makes of its inputs."""

    out_shape: Shape
    params: int = 0  # weights and biases
    macs: int = 0  # multiply-adds for the whole batch, as torchinfo counts them
    axes: tuple[Axis, ...] = ()  # the windows, one per spatial axis
    steps: tuple[Step, ...] = ()
    filled: Mapping[str, int] = field(default_factory=dict)  # arguments that were UNKNOWN
    statistics: int = 0  # numbers that autograd keeps of a normalisation: means and deviations


Rule = Callable[[Arguments, tuple[Shape, ...]], Result]


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One kind of layer or operation."""

    kind: str  # PyTorch's name
    title: str  # in words, to be translated
    rule: Rule  # raises ShapeError where PyTorch raises
    arguments: tuple[Argument, ...] = ()
    check: Callable[[Arguments], None] = lambda arguments: None  # what PyTorch checks when the layer is built
    form: Literal["module", "function", "method"] = "module"
    inputs: tuple[int, int | None] = (1, 1)  # fewest and most tensors; None: any number
    aliases: tuple[str, ...] = ()  # other names of the same operation
    variadic: bool = False  # x.view(64, -1) is short for x.view((64, -1))
    keeps: frozenset[str] = frozenset()  # what autograd keeps for backward: "input", "output", "indices", "mask"
    effect: Literal["values", "windows", "mix", "structure"] = "values"  # on the receptive field: see core.shapes.field


def elements(shape: Shape) -> int:
    """Return the number of elements of a tensor, the product of its sizes."""
    count = 1
    for size in shape:
        count *= size
    return count


def product(shape: Shape) -> str:
    """Write the product of sizes: 20·4·4."""
    return "·".join(str(size) for size in shape) or "1"


def listed(sizes: Shape) -> str:
    """Write sizes as PyTorch's messages do: [64, 1, 28, 28]."""
    return f"[{', '.join(str(size) for size in sizes)}]"


def within_limits(shape: Shape, params: int) -> None:
    """Refuse what no computer holds; PyTorch would try to allocate it."""
    if elements(shape) > MOST or any(size > LARGEST for size in shape):
        raise ShapeError(
            N_("The output {shape} would have more elements than any computer holds; use smaller sizes."),
            shape=listed(shape),
        )
    if params > MOST:
        raise ShapeError(
            N_("This layer would have {params} parameters, more than any computer holds; use smaller sizes."),
            params=f"{params:,}",
            at="definition",
        )
