"""What PyTorch says when a layer does not fit what arrives."""

from __future__ import annotations

from collections.abc import Iterator

from core.messages import N_
from core.shapes.chain import Node
from core.shapes.layer import listed
from core.shapes.source import Note
from core.shapes.symptoms import CHANGE, Match, Shapes, Symptom, note, numbers, of_kind, registrar

LAYER_SYMPTOMS: dict[str, Symptom] = {}
POOLING = of_kind("maxpool", "avgpool", "max_pool", "avg_pool")
symptom = registrar(LAYER_SYMPTOMS)


def fits_linear(found: Match, node: Node, shapes: Shapes) -> int:
    """Fit a linear layer by its weight, and by what arrives."""
    if node.kind != "Linear":
        return 0
    features, inside, outside = (int(found[number]) for number in (2, 3, 4))
    weight = (node.arguments["in_features"], node.arguments["out_features"]) == (inside, outside)
    return weight and 2 + (bool(shapes) and shapes[0][-1] == features)


@symptom(r"mat1 and mat2 shapes cannot be multiplied \((\d+)x(\d+) and (\d+)x(\d+)\)", fits_linear)
def matrices(found: Match) -> Iterator[Note]:
    """A linear layer gets another number of features than it was built for."""
    yield from wrong_matrices(*(int(number) for number in found.groups()))


def wrong_matrices(rows: int, features: int, inside: int, outside: int) -> Iterator[Note]:
    """Explain rows of so many features at Linear(inside, outside)."""
    yield note(
        N_("Linear({inside}, {outside}) takes {inside} features, but {features} arrive, in {rows} rows."),
        inside=inside,
        outside=outside,
        features=features,
        rows=rows,
    )
    if 0 < features <= 32 and inside and inside % features == 0 and rows % (inside // features) == 0:
        yield note(
            N_(
                "Only the last dimension was taken as features: flatten first, with x.view(x.size(0), -1) "
                "or nn.Flatten()."
            ),
        )
    else:
        yield note(N_("Write Linear({features}, {outside})."), features=features, outside=outside)
        yield note(CHANGE, wanted=inside)


@symptom(r"size mismatch, m1: \[(\d+) x (\d+)\], m2: \[(\d+) x (\d+)\]", fits_linear)
def old_matrices(found: Match) -> Iterator[Note]:
    """The words of PyTorch before 1.8."""
    yield from wrong_matrices(*(int(number) for number in found.groups()))


def fits_vector(found: Match, node: Node, shapes: Shapes) -> int:
    """Fit a linear layer by its weight."""
    weight = (node.arguments.get("out_features"), node.arguments.get("in_features"))
    return 2 * (node.kind == "Linear" and weight == (int(found[2]), int(found[3])))


@symptom(r"size mismatch, got input \((\d+)\), mat \((\d+)x(\d+)\), vec \((\d+)\)", fits_vector)
def vector(found: Match) -> Iterator[Note]:
    """A single vector at a linear layer."""
    yield from wrong_matrices(1, int(found[4]), int(found[3]), int(found[2]))


def fits_convolution(found: Match, node: Node, shapes: Shapes) -> int:
    """Fit a convolution by its weight, and by the channels that arrive."""
    if "Conv" not in node.kind:
        return 0
    weight, shape = numbers(found[2]), numbers(found[3])
    sizes = node.arguments["kernel_size"]
    kernel = (sizes,) * (len(weight) - 2) if isinstance(sizes, int) else tuple(sizes)
    channels = node.arguments["in_channels"] == int(found[4])
    same = channels and kernel == weight[2:] and node.arguments["out_channels"] in weight[:2]
    return same and 2 + (bool(shapes) and shapes[0][1:] == shape[1:])


@symptom(
    r"Given (groups|transposed)=\d+, weight of size \[([\d, ]+)\], expected input\[([\d, ]+)\] to have (\d+) channels"
    r"(?:, but got \d+ channels instead)?",
    fits_convolution,
)
def channels(found: Match) -> Iterator[Note]:
    """A convolution gets another number of channels than it was built for."""
    transposed = found[1] == "transposed"
    weight, shape = numbers(found[2]), numbers(found[3])
    wanted, got = int(found[4]), shape[1] if len(shape) > 1 else 0
    kernel = ", ".join(map(str, weight[2:]))
    kind = f"Conv{'Transpose' if transposed else ''}{len(weight) - 2}d"
    outside = weight[1 if transposed else 0]
    yield note(
        N_("The weight {weight} takes {wanted} channels, but the input {shape} has {got}."),
        weight=listed(weight),
        wanted=wanted,
        shape=listed(shape),
        got=got,
    )
    if shape[-1] == wanted:
        yield note(N_("The channels seem to stand last: put them second, as in x.permute(0, 3, 1, 2)."))
    else:
        yield note(N_("Write {kind}({got}, {outside}, …)."), kind=kind, got=got, outside=outside, kernel=kernel)
        yield note(CHANGE, wanted=wanted)


def fits_kernel(found: Match, node: Node, shapes: Shapes) -> int:
    """Fit a convolution by its kernel and by the size that arrives."""
    if "Conv" not in node.kind:
        return 0
    kernel = numbers(found[2])
    sizes = node.arguments["kernel_size"]
    same = (sizes,) * len(kernel) == kernel or sizes == kernel
    fits = bool(shapes) and all(size <= padded for size, padded in zip(shapes[0][2:], numbers(found[1]), strict=False))
    return same and 2 + fits


@symptom(
    r"Calculated padded input size per channel: \(([\dx ]+)\)\. Kernel size: \(([\dx ]+)\)\. "
    r"Kernel size can't be greater",
    fits_kernel,
)
def kernel(found: Match) -> Iterator[Note]:
    """The picture has become smaller than the kernel."""
    size, kernel_size = found[1].replace("x", "×"), found[2].replace("x", "×")
    yield note(
        N_("A kernel of {kernel} pixels does not fit into {size} pixels, padding included."),
        kernel=kernel_size,
        size=size,
    )
    yield note(N_("Start with larger pictures, pad, use a smaller kernel, or leave out a pooling layer before it."))


def fits_pooling(found: Match, node: Node, shapes: Shapes) -> int:
    """Fit a pooling layer that gets as many channels."""
    channels = int(found[1].split("x")[0])
    return 2 * (POOLING(found, node, shapes) and bool(shapes) and channels in shapes[0][-3:-1])


def fits_pool_padding(found: Match, node: Node, shapes: Shapes) -> int:
    """Fit a pooling layer with this padding and kernel."""
    written = (node.arguments.get("padding"), node.arguments.get("kernel_size"))
    return 2 * (POOLING(found, node, shapes) and written == (int(found[1]), int(found[2])))


@symptom(
    r"Given input size: \((\d+(?:x\d+)*)\)\. Calculated output size: \((-?\d+(?:x-?\d+)*)\)\. Output size is too small",
    fits_pooling,
)
def pooled_away(found: Match) -> Iterator[Note]:
    """Pooling has nothing left to pool."""
    yield note(
        N_("Pooling would turn {before} (channels and pixels) into {after}: no pixel would be left."),
        before=found[1].replace("x", "×"),
        after=found[2].replace("x", "×"),
    )
    yield note(N_("Start with larger pictures or leave out a pooling layer."))


@symptom(
    r"pad should be at most half of effective kernel size, but got pad=(\d+), kernel_size=(\d+) and dilation=(\d+)",
    fits_pool_padding,
)
def pool_padding(found: Match) -> Iterator[Note]:
    """A pooling window could lie in the padding alone."""
    yield note(
        N_(
            "With a padding of {pad}, a window of {kernel} pixels could lie in the padding alone; "
            "at most half is allowed."
        ),
        pad=found[1],
        kernel=found[2],
    )


def fits_rank(found: Match, node: Node, shapes: Shapes) -> int:
    """Fit a convolution that gets a tensor of this shape."""
    beginning = found[1].replace("conv_transpose", "convtranspose")
    return 2 * (of_kind(beginning)(found, node, shapes) and bool(shapes) and len(shapes[0]) == len(numbers(found[2])))


@symptom(
    r"Expected \dD \(unbatched\) or \dD \(batched\) input to (\w+), but got input of size: \[([\d, ]*)\]", fits_rank
)
def rank_of_convolution(found: Match) -> Iterator[Note]:
    """A convolution gets a tensor with another number of dimensions."""
    spatial = int(found[1][-2])
    wanted = ("(N, C, L)", "(N, C, H, W)", "(N, C, D, H, W)")[spatial - 1]
    shape = numbers(found[2])
    yield note(
        N_("{kind} takes {wanted}, but the input {shape} has {count} dimensions."),
        kind=found[1],
        wanted=wanted,
        shape=listed(shape),
        count=len(shape),
    )
    side = round((shape[-1] if shape else 0) ** 0.5)
    if spatial == 2 and len(shape) == 2 and side * side == shape[1] and side > 1:
        yield note(N_("Write x.view(-1, 1, {side}, {side}) before it, if a row is a picture."), side=side)
    elif spatial == 2 and len(shape) == 2:
        yield note(N_("Flatten after the convolutions, not before them."))


@symptom(r"expected ([\dD or]+) input \(got (\d)D input\)", of_kind("batchnorm", "instancenorm", "lazybatchnorm"))
def rank_of_normalisation(found: Match) -> Iterator[Note]:
    """A batch normalisation for another number of dimensions."""
    right = {"2": "BatchNorm1d", "3": "BatchNorm1d", "4": "BatchNorm2d", "5": "BatchNorm3d"}.get(found[2], "LayerNorm")
    yield note(
        N_("This normalisation takes tensors of {wanted}, but one of {got}D arrives: {right} would be right there."),
        wanted=found[1],
        got=found[2],
        right=right,
    )


@symptom(
    r"running_mean should contain (\d+) elements not (\d+)",
    lambda found, node, shapes: 2 * (str(node.arguments.get("num_features")) == found[2]) if "Norm" in node.kind else 0,
)
def features_of_normalisation(found: Match) -> Iterator[Note]:
    """A batch normalisation gets another number of channels."""
    yield note(
        N_("The normalisation was built for {wanted} channels, but {got} arrive: write {got}."),
        wanted=found[2],
        got=found[1],
    )


@symptom(
    r"Expected more than 1 value per channel when training, got input size torch\.Size\(\[([\d, ]+)\]\)",
    of_kind("batchnorm", "instancenorm", "lazybatchnorm"),
)
def single_value(found: Match) -> Iterator[Note]:
    """Batch normalisation of a single value per channel."""
    yield note(
        N_("Batch normalisation needs a mean over several values, but {shape} has one value per channel."),
        shape=listed(numbers(found[1])),
    )
    yield note(
        N_(
            "Use at least two samples a batch (drop_last=True leaves out a last batch of one), "
            "or model.eval() to predict."
        )
    )


@symptom(
    r"(in|out)_channels must be divisible by groups",
    lambda found, node, shapes: (
        2 * ("groups" in node.arguments and node.arguments[f"{found[1]}_channels"] % node.arguments["groups"] != 0)
    ),
)
def groups(found: Match) -> Iterator[Note]:
    """Groups of unequal size."""
    yield note(
        N_("groups cuts the channels into equal parts: {name} must be a multiple of it."), name=f"{found[1]}_channels"
    )


@symptom(
    r"Given normalized_shape=\[([\d, ]+)\], expected input with shape \[\*, [\d, ]+\], "
    r"but got input of size ?\[([\d, ]+)\]",
    of_kind("layernorm"),
)
def normalized_shape(found: Match) -> Iterator[Note]:
    """Layer normalisation over other last dimensions."""
    wanted, got = numbers(found[1]), numbers(found[2])
    yield note(
        N_(
            "LayerNorm({wanted}) normalises the last dimensions, but those of the input are {got}: "
            "write LayerNorm({got})."
        ),
        wanted=listed(wanted),
        got=listed(got[-len(wanted) :]),
    )
