"""Normalisation: of each channel over the batch, of each image, of its last axes, of groups of channels.

Source: torch.nn.BatchNorm2d, InstanceNorm2d, LayerNorm, GroupNorm. Multiply-adds as torchinfo counts them: every weight
and bias once for each image of the batch.
"""

from __future__ import annotations

from functools import partial

from core.messages import N_
from core.shapes.convolution_refusals import refuse_negative
from core.shapes.errors import ShapeError
from core.shapes.layer import UNKNOWN, Argument, Arguments, Layer, Result, Shape, Step, elements, listed
from core.shapes.linear import BIAS, KEPT, images


def batch_norm(ranks: tuple[int, ...], arguments: Arguments, inputs: tuple[Shape, ...]) -> Result:
    """Normalise each channel over the batch: (N, C, …) -> (N, C, …)."""
    shape = inputs[0]
    if len(shape) not in ranks:
        expected = " or ".join(f"{rank}D" for rank in ranks)
        raise ShapeError(
            N_("Batch normalisation takes {expected} inputs, the batch included, not {rank}D."),
            torch=f"expected {expected} input (got {len(shape)}D input)",
            error_type="ValueError",
            expected=expected,
            rank=len(shape),
        )
    channels = arguments.get("num_features", UNKNOWN)
    filled = {}
    if channels in (UNKNOWN, None):
        channels = shape[1]
        filled = {"num_features": channels}
    if arguments.get("training", True) or not arguments["track_running_stats"]:
        refuse_single_value(shape)
    if channels != shape[1] and (arguments["affine"] or arguments["track_running_stats"]):
        raise wrong_norm(channels, shape[1], tracked=bool(arguments["track_running_stats"]))
    params = 2 * channels if arguments["affine"] else 0
    return Result(
        out_shape=shape,
        params=params,
        macs=params * images(shape),
        steps=(Step(label=N_("parameters"), text=f"2·{channels} = {params}"),) if params else (),
        filled=filled,
        statistics=2 * channels,
    )


def refuse_single_value(shape: Shape) -> None:
    """Refuse to train on one value per channel: it has no variance."""
    if shape[0] * elements(shape[2:]) == 1:
        raise ShapeError(
            N_("While training, one value per channel has no variance to normalise with; use a larger batch."),
            torch=f"Expected more than 1 value per channel when training, got input size torch.Size({listed(shape)})",
            error_type="ValueError",
        )


def wrong_norm(wanted: int, channels: int, *, tracked: bool) -> ShapeError:
    """Say that other channels arrive than are normalised."""
    what = "running_mean" if tracked else "weight"
    return ShapeError(
        N_("The layer was built for num_features = {wanted}, but {channels} channels arrive."),
        torch=f"{what} should contain {channels} elements not {wanted}",
        wanted=wanted,
        channels=channels,
    )


def instance_norm(dims: int, arguments: Arguments, inputs: tuple[Shape, ...]) -> Result:
    """Normalise each channel of each image: (N, C, …) -> (N, C, …), or the same without N."""
    shape = inputs[0]
    if len(shape) not in (dims + 1, dims + 2):
        expected = f"{dims + 1}D or {dims + 2}D"
        raise ShapeError(
            N_("This layer takes {expected} inputs, not {rank}D."),
            torch=f"expected {expected} input (got {len(shape)}D input)",
            error_type="ValueError",
            expected=expected,
            rank=len(shape),
        )
    channels, features = shape[-dims - 1], arguments["num_features"]
    if channels != features and (arguments["affine"] or arguments["track_running_stats"]):
        raise ShapeError(
            N_("The layer was built for num_features = {wanted}, but {channels} channels arrive."),
            torch=f"expected input's size at dim={len(shape) - dims - 1} to match num_features ({features}), "
            f"but got: {channels}.",
            error_type="ValueError",
            wanted=features,
            channels=channels,
        )
    if elements(shape[-dims:]) == 1 and (arguments.get("training", True) or not arguments["track_running_stats"]):
        batched = shape if len(shape) == dims + 2 else (1, *shape)
        raise ShapeError(
            N_("One pixel per channel has no variance to normalise with."),
            torch=f"Expected more than 1 spatial element when training, got input size torch.Size({listed(batched)})",
            error_type="ValueError",
        )
    params = 2 * features if arguments["affine"] else 0
    return Result(out_shape=shape, params=params, macs=params * images(shape), statistics=2 * elements(shape[:-dims]))


def layer_norm(arguments: Arguments, inputs: tuple[Shape, ...]) -> Result:
    """Normalise over the last axes, those of normalized_shape; the shape stays."""
    shape = inputs[0]
    sizes = arguments["normalized_shape"]
    sizes = sizes if isinstance(sizes, tuple) else (sizes,)
    if not sizes:
        raise ShapeError(
            N_("normalized_shape must have at least one number."),
            torch="Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, "
            "but got normalized_shape = []",
        )
    if shape[-len(sizes) :] != sizes:
        raise ShapeError(
            N_("normalized_shape is {wanted}, but the input ends in {got}."),
            torch=f"Given normalized_shape={listed(sizes)}, expected input with shape "
            f"[*, {', '.join(map(str, sizes))}], but got input of size{listed(shape)}",
            wanted=listed(sizes),
            got=listed(shape[-len(sizes) :]),
        )
    weights = elements(sizes) if arguments["elementwise_affine"] else 0
    params = weights * (2 if arguments["bias"] else 1)
    return Result(
        out_shape=shape, params=params, macs=params * images(shape), statistics=2 * elements(shape[: -len(sizes)])
    )


def group_norm(arguments: Arguments, inputs: tuple[Shape, ...]) -> Result:
    """Normalise groups of channels of each image: (N, C, …) -> (N, C, …)."""
    shape, groups, channels = inputs[0], arguments["num_groups"], arguments["num_channels"]
    if len(shape) < 2:
        raise ShapeError(
            N_("Group normalisation takes a batch and channels, so at least 2 dimensions, not {rank}."),
            torch=f"Expected at least 2 dimensions for input tensor but received {len(shape)}",
            rank=len(shape),
        )
    if shape[0] * shape[1] // groups * elements(shape[2:]) == 1:
        one = (shape[0] * shape[1] // groups, groups, *shape[2:])
        raise ShapeError(
            N_("One value per group has no variance to normalise with; use fewer groups."),
            torch=f"Expected more than 1 value per channel when training, got input size {listed(one)}",
            error_type="ValueError",
        )
    if shape[1] % groups:
        raise ShapeError(
            N_("{channels} channels cannot be split into {groups} equal groups."),
            torch="Expected number of channels in input to be divisible by num_groups, but got input of shape "
            f"{listed(shape)} and num_groups={groups}",
            channels=shape[1],
            groups=groups,
        )
    if shape[1] != channels and arguments["affine"]:
        raise ShapeError(
            N_("The layer was built for num_channels = {wanted}, but {channels} channels arrive."),
            torch="Expected weight to be a vector of size equal to the number of channels in input, but got weight of "
            f"shape [{channels}] and input of shape {listed(shape)}",
            wanted=channels,
            channels=shape[1],
        )
    params = 2 * channels if arguments["affine"] else 0
    return Result(out_shape=shape, params=params, macs=params * images(shape), statistics=2 * shape[0] * groups)


def check_group_norm(arguments: Arguments) -> None:
    """Refuse groups that do not divide the channels."""
    groups, channels = arguments["num_groups"], arguments["num_channels"]
    if groups == 0:
        raise ShapeError(
            N_("There must be at least one group."),
            torch="integer modulo by zero",
            error_type="ZeroDivisionError",
            at="definition",
        )
    if channels % groups:
        raise ShapeError(
            N_("{channels} channels cannot be split into {groups} equal groups."),
            torch=f"num_channels ({channels}) must be divisible by num_groups ({groups})",
            error_type="ValueError",
            at="definition",
            channels=channels,
            groups=groups,
        )
    refuse_negative((channels,))


def check_features(arguments: Arguments) -> None:
    """Refuse a negative number of channels."""
    features = arguments.get("num_features", 0)
    refuse_negative((features if isinstance(features, int) else 0,))


# The registry -------------------------------------------------------------------------------------------------------

EPS = Argument("eps", 1e-5, "number")
NORM = (
    EPS,
    Argument("momentum", 0.1, "number", optional=True),
    Argument("affine", True, "flag"),
    Argument("track_running_stats", True, "flag"),
)
INSTANCE = (EPS, NORM[1], Argument("affine", False, "flag"), Argument("track_running_stats", False, "flag"))
FEATURES = Argument("num_features", optional=True)


def _norms() -> dict[str, Layer]:
    made = {}
    for dims, ranks in ((1, (2, 3)), (2, (4,)), (3, (5,))):
        for lazy in ("", "Lazy"):
            made[f"{lazy}BatchNorm{dims}d"] = Layer(
                kind=f"{lazy}BatchNorm{dims}d",
                title=N_("Batch normalisation"),
                rule=partial(batch_norm, ranks),
                check=check_features,
                arguments=NORM if lazy else (FEATURES, *NORM),
                keeps=KEPT,
            )
        made[f"InstanceNorm{dims}d"] = Layer(
            kind=f"InstanceNorm{dims}d",
            title=N_("Instance normalisation"),
            rule=partial(instance_norm, dims),
            check=check_features,
            arguments=(Argument("num_features"), *INSTANCE),
            keeps=KEPT,
        )
    return made


NORMS: dict[str, Layer] = {
    **_norms(),
    "LayerNorm": Layer(
        kind="LayerNorm",
        title=N_("Layer normalisation"),
        rule=layer_norm,
        arguments=(Argument("normalized_shape", form="shape"), EPS, Argument("elementwise_affine", True, "flag"), BIAS),
        keeps=KEPT,
    ),
    "GroupNorm": Layer(
        kind="GroupNorm",
        title=N_("Group normalisation"),
        rule=group_norm,
        check=check_group_norm,
        arguments=(Argument("num_groups"), Argument("num_channels"), EPS, Argument("affine", True, "flag")),
        keeps=KEPT,
    ),
}
