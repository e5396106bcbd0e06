"""The registry of every layer and operation that the shape detective knows, and the one way to apply them."""

from __future__ import annotations

from core.messages import N_
from core.shapes.arguments import bind_to
from core.shapes.convolution import CONVOLUTIONS
from core.shapes.errors import ShapeError
from core.shapes.layer import REQUIRED, UNKNOWN, Argument, Arguments, Layer, Result, Shape, Step, Value, within_limits
from core.shapes.linear import LINEARS
from core.shapes.norms import NORMS
from core.shapes.pointwise import POINTWISE
from core.shapes.pooling import POOLINGS
from core.shapes.resizing import RESIZING
from core.shapes.structure import STRUCTURE

__all__ = [
    "LAYERS",
    "REQUIRED",
    "UNKNOWN",
    "Argument",
    "Layer",
    "Result",
    "Shape",
    "Step",
    "apply",
    "bind",
    "find_layer",
]

LAYERS: dict[str, Layer] = {**CONVOLUTIONS, **POOLINGS, **LINEARS, **NORMS, **POINTWISE, **STRUCTURE, **RESIZING}
NAMES: dict[str, str] = {
    **{alias: layer.kind for layer in LAYERS.values() for alias in layer.aliases},
    **{kind: kind for kind in LAYERS},
}  # every name under which a layer may be written -> its kind


def find_layer(name: str) -> Layer:
    """Return the layer of that name; raises ShapeError where there is none."""
    if name not in NAMES:
        raise ShapeError(N_("“{name}” is not a layer or an operation that is known here."), name=name[:40])
    return LAYERS[NAMES[name]]


def bind(kind: str, *values: Value, **named: Value) -> dict[str, Value]:
    """Return all arguments of a layer by name, as a call with these values would bind them; raises ShapeError."""
    return bind_to(find_layer(kind), values, named)


def apply(kind: str, arguments: Arguments, *inputs: Shape, training: bool = True) -> Result:
    """Build the layer, send tensors of these shapes through it and return what comes out; raises ShapeError.

    `training` is the mode, as in model.train() and model.eval(): batch normalisation refuses single values only while
    training. Nothing is allocated: a layer is a few formulas here.
    """
    layer = find_layer(kind)
    fewest, most = layer.inputs
    if len(inputs) < fewest or (most is not None and len(inputs) > most):
        raise ShapeError(
            N_("{kind} takes another number of tensors: {wanted}, not {count}."),
            kind=layer.kind,
            wanted=fewest,
            count=len(inputs),
        )
    layer.check(arguments)
    result = layer.rule({"training": training, **arguments}, inputs)
    within_limits(result.out_shape, result.params)
    return result
