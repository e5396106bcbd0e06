"""Layers that multiply by a matrix or look a row of it up: linear layers, embeddings.

Source: torch.nn.Linear, Embedding. Multiply-adds as torchinfo counts them: every
weight and bias once for each image of the batch.
"""

from __future__ import annotations

from core.messages import N_
from core.shapes.convolution_refusals import refuse_negative
from core.shapes.errors import ShapeError
from core.shapes.layer import UNKNOWN, Argument, Arguments, Layer, Result, Shape, Step, elements, product


def linear(arguments: Arguments, inputs: tuple[Shape, ...]) -> Result:
    """Multiply the last axis by a matrix: (…, in_features) -> (…, out_features)."""
    shape = inputs[0]
    if not shape:
        lazy = arguments.get("in_features", UNKNOWN) in (UNKNOWN, None)
        raise ShapeError(
            N_("A single number has no axis that could be multiplied."),
            torch="tuple index out of range"
            if lazy
            else "both arguments to linear need to be at least 1D, but they are 0D and 2D",
            error_type="IndexError" if lazy else "RuntimeError",
        )
    wanted, made = arguments.get("in_features", UNKNOWN), arguments["out_features"]
    filled = {}
    if wanted in (UNKNOWN, None):
        wanted = shape[-1]
        filled = {"in_features": wanted}
    if shape[-1] != wanted:
        raise wrong_features(shape, wanted, made)
    params = wanted * made + (made if arguments["bias"] else 0)
    bias = f" + {made}" if arguments["bias"] else ""
    return Result(
        out_shape=(*shape[:-1], made),
        params=params,
        macs=params * images(shape),
        steps=(Step(label=N_("parameters"), text=f"{wanted}·{made}{bias} = {params}"),),
        filled=filled,
    )


def wrong_features(shape: Shape, wanted: int, made: int) -> ShapeError:
    """Say that another number of features arrives than the matrix has rows."""
    torch = f"mat1 and mat2 shapes cannot be multiplied ({elements(shape[:-1])}x{shape[-1]} and {wanted}x{made})"
    if needs_flatten(shape, wanted):
        count = elements(shape[1:])
        message = N_(
            "The layer takes in_features = {wanted}, but samples of {product} = {count} values arrive: flatten them "
            "first, with x.view(x.size(0), -1) or nn.Flatten()."
        )
        return ShapeError(message, torch=torch, wanted=wanted, product=product(shape[1:]), count=count)
    return ShapeError(
        N_(
            "The layer was built for in_features = {wanted}, but {features} features arrive; "
            "write in_features={features}."
        ),
        torch=torch,
        wanted=wanted,
        features=shape[-1],
    )


def needs_flatten(shape: Shape, wanted: int) -> bool:
    """Tell whether what arrives was meant to be flat: images, or anything with the wanted number of values."""
    return len(shape) > 3 or (len(shape) == 3 and elements(shape[1:]) == wanted)


def images(shape: Shape) -> int:
    """Return the size of the batch, 1 for a vector."""
    return shape[0] if len(shape) > 1 else 1


def check_linear(arguments: Arguments) -> None:
    """Refuse a matrix of negative size."""
    features = arguments.get("in_features", 0)
    refuse_negative((arguments["out_features"], features if isinstance(features, int) else 0))


def embedding(arguments: Arguments, inputs: tuple[Shape, ...]) -> Result:
    """Look a vector up for every number: (…) -> (…, embedding_dim)."""
    shape, rows, width = inputs[0], arguments["num_embeddings"], arguments["embedding_dim"]
    return Result(
        out_shape=(*shape, width),
        params=rows * width,
        macs=rows * width * (shape[0] if shape else width),
        steps=(Step(label=N_("parameters"), text=f"{rows}·{width} = {rows * width}"),),
    )


def check_embedding(arguments: Arguments) -> None:
    """Refuse a table of negative size."""
    refuse_negative((arguments["num_embeddings"], arguments["embedding_dim"]))


# The registry -------------------------------------------------------------------------------------------------------

BIAS = Argument("bias", True, "flag")
KEPT = frozenset({"input"})

LINEARS: dict[str, Layer] = {
    "Linear": Layer(
        kind="Linear",
        title=N_("Linear layer"),
        rule=linear,
        check=check_linear,
        arguments=(Argument("in_features", optional=True), Argument("out_features"), BIAS),
        keeps=KEPT,
        effect="mix",
    ),
    "LazyLinear": Layer(
        kind="LazyLinear",
        title=N_("Linear layer that counts its inputs itself"),
        rule=linear,
        check=check_linear,
        arguments=(Argument("out_features"), BIAS),
        keeps=KEPT,
        effect="mix",
    ),
    "Embedding": Layer(
        kind="Embedding",
        title=N_("Table of vectors"),
        rule=embedding,
        check=check_embedding,
        arguments=(Argument("num_embeddings"), Argument("embedding_dim"), Argument("padding_idx", None, optional=True)),
        keeps=KEPT,
    ),
}
