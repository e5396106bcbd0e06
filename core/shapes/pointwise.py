"""Operations that keep the shape: activations, dropout, softmax; and those that join two tensors value by value.

Source: torch.nn ("Non-linear activations", "Dropout layers"), and PyTorch's "Broadcasting semantics".
"""

from __future__ import annotations

from functools import partial

from core.messages import N_
from core.shapes.arguments import normal_dim
from core.shapes.errors import ShapeError
from core.shapes.layer import Argument, Arguments, Layer, Result, Rule, Shape, Step, listed

INPLACE = Argument("inplace", False, "flag")
TRAINING = Argument("training", True, "flag")


def unchanged(arguments: Arguments, inputs: tuple[Shape, ...]) -> Result:
    """Change values, not the shape."""
    del arguments
    return Result(out_shape=inputs[0])


def along_dim(arguments: Arguments, inputs: tuple[Shape, ...]) -> Result:
    """Normalise along one dimension, which must exist."""
    if arguments["dim"] is not None:
        normal_dim(arguments["dim"], len(inputs[0]))
    return Result(out_shape=inputs[0])


def softmax_2d(arguments: Arguments, inputs: tuple[Shape, ...]) -> Result:
    """Take the softmax over the channels of an image."""
    del arguments
    if len(inputs[0]) not in (3, 4):
        raise ShapeError(
            N_("This layer takes {expected} inputs, not {rank}D."),
            torch=f"Softmax2d: expected input to be 3D or 4D, got {len(inputs[0])}D instead",
            error_type="ValueError",
            expected="3D or 4D",
            rank=len(inputs[0]),
        )
    return Result(out_shape=inputs[0])


def dropout(ranks: tuple[int, ...], arguments: Arguments, inputs: tuple[Shape, ...]) -> Result:
    """Drop values, or whole channels; what is left keeps its place."""
    check_dropout("call", arguments)
    shape = inputs[0]
    if ranks == (2, 3) and len(shape) not in ranks:
        raise ShapeError(
            N_("This layer takes {expected} inputs, not {rank}D."),
            torch=f"dropout1d: Expected 2D or 3D input, but received a {len(shape)}D input. Note that dropout1d exists "
            "to provide channel-wise dropout on inputs with 1 spatial dimension, a channel dimension, and an optional "
            "batch dimension (i.e. 2D or 3D inputs).",
            expected="2D or 3D",
            rank=len(shape),
        )
    if ranks and len(shape) < 2 and arguments.get("training", True) and 0 < arguments["p"] < 1:
        raise ShapeError(
            N_("Dropping channels needs at least 2 dimensions, not {rank}."),
            torch="Feature dropout requires at least 2 dimensions in the input",
            rank=len(shape),
        )
    return Result(out_shape=shape)


def check_dropout(at: str, arguments: Arguments) -> None:
    """Refuse a probability below 0 or above 1."""
    if not 0 <= arguments["p"] <= 1:
        raise ShapeError(
            N_("p is a probability, from 0 to 1, not {p}."),
            torch=f"dropout probability has to be between 0 and 1, but got {arguments['p']}",
            error_type="ValueError",
            at="definition" if at == "definition" else "call",
            p=arguments["p"],
        )


def prelu(arguments: Arguments, inputs: tuple[Shape, ...]) -> Result:
    """Multiply negative values by a learned slope, one for all channels or one for each."""
    shape, count = inputs[0], arguments["num_parameters"]
    channels = shape[1] if len(shape) > 1 else 1
    if count != 1 and not shape:
        raise ShapeError(N_("A single number has no channels."), torch="Not allow zero-dim input tensor.")
    if count not in (1, channels):
        raise ShapeError(
            N_("There are {count} slopes for {channels} channels; use 1 or {channels}."),
            torch=f"Mismatch of parameter numbers and input channel size. Found parameter numbers = {count} "
            f"and channel size = {channels}.",
            count=count,
            channels=channels,
        )
    return Result(out_shape=shape, params=count, macs=count * (shape[0] if shape else 1))


def glu(arguments: Arguments, inputs: tuple[Shape, ...]) -> Result:
    """Multiply one half of the values by the sigmoid of the other half."""
    shape = inputs[0]
    if not shape:
        raise ShapeError(
            N_("A single number cannot be halved."),
            torch="glu does not support scalars because halving size must be even",
        )
    dim = normal_dim(arguments["dim"], len(shape))
    if shape[dim] % 2:
        raise ShapeError(
            N_("Dimension {dim} of size {size} cannot be halved."),
            torch=f"Halving dimension must be even, but dimension {dim} is size {shape[dim]}",
            dim=dim,
            size=shape[dim],
        )
    return Result(out_shape=(*shape[:dim], shape[dim] // 2, *shape[dim + 1 :]))


def response_norm(arguments: Arguments, inputs: tuple[Shape, ...]) -> Result:
    """Divide by the neighbouring channels' values: (N, C, …) -> (N, C, …)."""
    shape = inputs[0]
    if len(shape) < 3:
        raise ShapeError(
            N_("This layer takes a batch, channels and pixels, so at least 3 dimensions, not {rank}."),
            torch=f"Expected 3D or higher dimensionality                          input (got {len(shape)} dimensions)",
            error_type="ValueError",
            rank=len(shape),
        )
    if arguments["size"] < 1:
        raise ShapeError(
            N_("size must be at least 1, the number of channels that are looked at."),
            torch=f"kernel size should be greater than zero, but got kH: {arguments['size']} kW: 1"
            if arguments["size"] == 0
            else "",
        )
    return Result(out_shape=shape)


def broadcast(arguments: Arguments, inputs: tuple[Shape, ...]) -> Result:
    """Join two tensors value by value; sizes of 1 and missing ones in front are repeated."""
    del arguments
    if len(inputs) == 1:
        return Result(out_shape=inputs[0])
    shape = broadcast_shape(*inputs)
    step = Step(label=N_("broadcast"), text=f"{listed(inputs[0])} + {listed(inputs[1])} → {listed(shape)}")
    return Result(out_shape=shape, steps=(step,) if inputs[0] != inputs[1] else ())


def broadcast_into(arguments: Arguments, inputs: tuple[Shape, ...]) -> Result:
    """Do the same in place (x += y): the first tensor's shape must not change."""
    result = broadcast(arguments, inputs)
    if result.out_shape != inputs[0]:
        raise ShapeError(
            N_("The sum would have the shape {shape}, which does not fit into {place}; write x = x + y."),
            torch=f"output with shape {listed(inputs[0])} doesn't match the broadcast shape {listed(result.out_shape)}",
            shape=listed(result.out_shape),
            place=listed(inputs[0]),
        )
    return result


def broadcast_shape(a: Shape, b: Shape) -> Shape:
    """Return the common shape of two tensors; raises ShapeError where two sizes differ and neither is 1."""
    rank = max(len(a), len(b))
    first, second = (1,) * (rank - len(a)) + a, (1,) * (rank - len(b)) + b
    for dim in reversed(range(rank)):
        if first[dim] != second[dim] and 1 not in (first[dim], second[dim]):
            raise ShapeError(
                N_(
                    "The shapes {a} and {b} do not fit: sizes must be equal, or one of them 1; "
                    "dimension {dim} has {x} and {y}."
                ),
                torch=f"The size of tensor a ({first[dim]}) must match the size of tensor b ({second[dim]}) "
                f"at non-singleton dimension {dim}",
                a=listed(a),
                b=listed(b),
                dim=dim,
                x=first[dim],
                y=second[dim],
            )
    return tuple(y if x == 1 else x for x, y in zip(first, second, strict=True))


# The registry -------------------------------------------------------------------------------------------------------

OUTPUT, INPUT = frozenset({"output"}), frozenset({"input"})  # what autograd keeps for backward

ACTIVATIONS = (  # module, function, what autograd keeps, arguments
    ("ReLU", "relu", OUTPUT, (INPLACE,)),
    ("ReLU6", "relu6", INPUT, (INPLACE,)),
    ("Sigmoid", "sigmoid", OUTPUT, ()),
    ("Tanh", "tanh", OUTPUT, ()),
    ("LeakyReLU", "leaky_relu", INPUT, (Argument("negative_slope", 0.01, "number"), INPLACE)),
    ("GELU", "gelu", INPUT, (Argument("approximate", "none", "choice", choices=("none", "tanh")),)),
    ("SiLU", "silu", INPUT, (INPLACE,)),
    ("Mish", "mish", INPUT, (INPLACE,)),
    ("ELU", "elu", INPUT, (Argument("alpha", 1.0, "number"), INPLACE)),
    ("CELU", "celu", INPUT, (Argument("alpha", 1.0, "number"), INPLACE)),
    ("SELU", "selu", INPUT, (INPLACE,)),
    ("Softplus", "softplus", INPUT, (Argument("beta", 1.0, "number"), Argument("threshold", 20.0, "number"))),
    ("Softsign", "softsign", INPUT, ()),
    ("Hardtanh", "hardtanh", INPUT, (Argument("min_val", -1.0, "number"), Argument("max_val", 1.0, "number"), INPLACE)),
    ("Hardsigmoid", "hardsigmoid", INPUT, (INPLACE,)),
    ("Hardswish", "hardswish", INPUT, (INPLACE,)),
    ("LogSigmoid", "logsigmoid", INPUT, ()),
    ("Tanhshrink", "tanhshrink", OUTPUT, ()),
)
ALONG = (
    ("Softmax", "softmax", OUTPUT),
    ("LogSoftmax", "log_softmax", OUTPUT),
    ("Softmin", "softmin", OUTPUT),
)
DROPOUTS: dict[str, tuple[int, ...]] = {"": (), "1d": (2, 3), "2d": (3, 4), "3d": (4, 5)}


def _both(
    module: str, function: str, title: str, rule: Rule, *, arguments: tuple[Argument, ...], keeps: frozenset[str]
) -> dict[str, Layer]:
    forms = ((module, "module"), (function, "function"))
    return {
        kind: Layer(
            kind=kind,
            title=title,
            rule=rule,
            arguments=arguments,
            keeps=keeps,
            form="module" if form == "module" else "function",
        )
        for kind, form in forms
    }


def _layers() -> dict[str, Layer]:
    made: dict[str, Layer] = {}
    for module, function, keeps, arguments in ACTIVATIONS:
        made |= _both(module, function, N_("Activation"), unchanged, arguments=arguments, keeps=keeps)
    for module, function, keeps in ALONG:
        dim = (Argument("dim", None, low=-8, optional=True),)
        made |= _both(module, function, N_("Softmax and its kin"), along_dim, arguments=dim, keeps=keeps)
    for ending, ranks in DROPOUTS.items():
        made |= {
            f"Dropout{ending}": Layer(
                kind=f"Dropout{ending}",
                title=N_("Dropout"),
                rule=partial(dropout, ranks),
                check=partial(check_dropout, "definition"),
                arguments=(Argument("p", 0.5, "number"), INPLACE),
                keeps=frozenset({"mask"}),
            ),
            f"dropout{ending}": Layer(
                kind=f"dropout{ending}",
                title=N_("Dropout"),
                rule=partial(dropout, ranks),
                arguments=(Argument("p", 0.5, "number"), TRAINING, INPLACE),
                keeps=frozenset({"mask"}),
                form="function",
            ),
        }
    return made


POINTWISE: dict[str, Layer] = {
    **_layers(),
    **_both("GLU", "glu", N_("Gated linear unit"), glu, arguments=(Argument("dim", -1, low=-8),), keeps=INPUT),
    "PReLU": Layer(
        kind="PReLU",
        title=N_("Activation"),
        rule=prelu,
        arguments=(Argument("num_parameters", 1), Argument("init", 0.25, "number")),
        keeps=INPUT,
    ),
    "Softmax2d": Layer(kind="Softmax2d", title=N_("Softmax and its kin"), rule=softmax_2d, keeps=OUTPUT),
    "Identity": Layer(kind="Identity", title=N_("Nothing at all"), rule=unchanged),
    "LocalResponseNorm": Layer(
        kind="LocalResponseNorm",
        title=N_("Local response normalisation"),
        rule=response_norm,
        arguments=(
            Argument("size"),
            Argument("alpha", 1e-4, "number"),
            Argument("beta", 0.75, "number"),
            Argument("k", 1.0, "number"),
        ),
        keeps=INPUT,
    ),
    **{
        kind: Layer(
            kind=kind,
            title=title,
            rule=broadcast_into if kind.endswith("_") else broadcast,
            arguments=(Argument("other", None, "number", optional=True),),
            form="method",
            inputs=(1, 2),
            keeps=keeps,
        )
        for kind, title, keeps in (
            ("add", N_("Sum"), frozenset[str]()),
            ("sub", N_("Difference"), frozenset[str]()),
            ("mul", N_("Product, value by value"), INPUT),
            ("div", N_("Quotient, value by value"), INPUT),
            ("add_", N_("Sum"), frozenset[str]()),
            ("sub_", N_("Difference"), frozenset[str]()),
            ("mul_", N_("Product, value by value"), INPUT),
            ("div_", N_("Quotient, value by value"), INPUT),
        )
    },
    **{
        kind: Layer(kind=kind, title=title, rule=unchanged, form="method")
        for kind, title in (
            ("contiguous", N_("The same values, in order in memory")),
            ("clone", N_("A copy")),
            ("detach", N_("The same values, without their gradient")),
        )
    },
    **{
        kind: Layer(kind=kind, title=N_("Value by value"), rule=unchanged, form="method", keeps=keeps)
        for kind, keeps in (
            ("abs", INPUT), ("exp", OUTPUT), ("log", INPUT), ("sqrt", OUTPUT), ("square", INPUT),
        )
    },
}  # fmt: skip
