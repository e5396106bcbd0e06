"""What PyTorch says when tensors cannot be rearranged, joined or added."""

from __future__ import annotations

from collections.abc import Iterator

from core.messages import N_
from core.shapes.chain import Node
from core.shapes.layer import Shape, listed, product
from core.shapes.source import Note
from core.shapes.symptoms import Match, Shapes, Symptom, everywhere, note, numbers, registrar

TENSOR_SYMPTOMS: dict[str, Symptom] = {}
symptom = registrar(TENSOR_SYMPTOMS)


def fits_view(found: Match, node: Node, shapes: Shapes) -> int:
    """Fit a view of a tensor with this number of values."""
    if node.kind not in {"view", "reshape"}:
        return 0
    written = node.arguments["shape"]
    wanted = numbers(found[1])
    pairs = zip(written, wanted, strict=False) if isinstance(written, tuple) else ()
    alike = isinstance(written, tuple) and len(written) == len(wanted)
    alike = alike and all(a == b if isinstance(a, int) else b >= 0 for a, b in pairs)
    return 2 * alike


@symptom(r"shape '\[([-\d, ]+)\]' is invalid for input of size (\d+)", fits_view)
def view(found: Match) -> Iterator[Note]:
    """A view that needs another number of values than there are."""
    yield from view_notes(numbers(found[1]), int(found[2]))


def view_notes(wanted: Shape, count: int, batch: int | None = None) -> Iterator[Note]:
    """Explain a view of `count` values as `wanted`; `batch` is the number of samples, None where it is not known."""
    known = tuple(size for size in wanted if size != -1)
    needed = 1
    for size in known:
        needed *= size
    if -1 in wanted:
        yield note(
            N_("The tensor has {count} values, which cannot be divided by {needed}."),
            count=count,
            needed=product(known),
        )
    else:
        yield note(
            N_("The tensor has {count} values, but {shape} would need {product} = {needed}."),
            count=count,
            shape=listed(wanted),
            product=product(known),
            needed=needed,
        )
    rows, each = (*wanted, 0)[:2]
    if batch is None and len(wanted) == 2 and rows > 0 and each > 0 and count and count % each == 0:
        batch = count // each  # the second size is that of the next layer: it is right more often than the first
    if len(wanted) > 1 and batch and rows not in {-1, batch}:
        yield note(
            N_("The batch is {batch} here, not {rows}: write x.view(x.size(0), -1)."),
            batch=batch,
            rows=rows,
        )
        return
    if len(wanted) == 2 and rows > 0 and count % rows == 0:
        yield note(
            N_("For {batch} samples that is {each} values each: write view({batch}, {each})."),
            batch=rows,
            each=count // rows,
        )
    yield note(N_("x.view(x.size(0), -1) works the number out and keeps the batch."))


@symptom(r"view size is not compatible with input tensor's size and stride", everywhere)
def scattered(found: Match) -> Iterator[Note]:
    """A view of values that are not one after the other in memory."""
    yield note(
        N_(
            "After permute or transpose the values are not in order any more: write x.reshape(…), "
            "or x.contiguous().view(…)."
        )
    )


def fits_cat(found: Match, node: Node, shapes: Shapes) -> int:
    """Fit a torch.cat of tensors with these sizes."""
    if node.kind != "cat" or not 0 < int(found[4]) < len(shapes):
        return 0
    wanted, got = int(found[2]), int(found[3])
    pairs = enumerate(zip(shapes[0], shapes[int(found[4])], strict=False))
    return 2 * any(axis != int(found[1]) and pair == (wanted, got) for axis, pair in pairs)


@symptom(
    r"Sizes of tensors must match except in dimension (\d+)\. Expected size (\d+) but got size (\d+) "
    r"for tensor number (\d+)",
    fits_cat,
)
def joined(found: Match) -> Iterator[Note]:
    """torch.cat of tensors that differ elsewhere too."""
    yield note(
        N_(
            "torch.cat along dimension {dim} needs equal sizes in all others, but tensor number {number} of the list "
            "has {got} where the first has {wanted} (PyTorch counts from 0 and calls it number {index})."
        ),
        dim=found[1],
        number=int(found[4]) + 1,
        index=found[4],
        got=found[3],
        wanted=found[2],
    )
    yield note(
        N_("Branches keep their height and width with padding=1 for a 3×3 kernel, padding=2 for 5×5 and stride=1.")
        if int(found[1]) == 1
        else N_("Feature maps are joined along the channels: dim=1.")
    )


def fits_cat_ranks(found: Match, node: Node, shapes: Shapes) -> int:
    """Fit a torch.cat of tensors with these numbers of dimensions."""
    return 2 * (node.kind == "cat" and {int(found[1]), int(found[2])} <= {len(shape) for shape in shapes})


@symptom(r"Tensors must have same number of dimensions: got (\d+) and (\d+)", fits_cat_ranks)
def joined_ranks(found: Match) -> Iterator[Note]:
    """torch.cat of a flattened tensor and one that is not."""
    yield note(
        N_("torch.cat was given tensors of {a} and of {b} dimensions: flatten all of them or none."),
        a=found[1],
        b=found[2],
    )


def fits_sum(found: Match, node: Node, shapes: Shapes) -> int:
    """Fit an element-wise operation of tensors with these sizes."""
    if not node.kind.startswith(("add", "sub", "mul", "div")) or len(node.inputs) < 2:
        return 0
    dim, sizes = int(found[3]), [int(found[1]), int(found[2])]
    return 2 * (len(shapes) == 2 and [shape[dim] for shape in shapes if len(shape) > dim] == sizes)


@symptom(
    r"The size of tensor a \((\d+)\) must match the size of tensor b \((\d+)\) at non-singleton dimension (\d+)",
    fits_sum,
)
def summed(found: Match) -> Iterator[Note]:
    """An element-wise operation of different shapes: a shortcut that does not fit, or a loss."""
    dim = int(found[3])
    yield note(
        N_("Two tensors are combined value by value, but in dimension {dim} one has {a} and the other {b}."),
        dim=dim,
        a=found[1],
        b=found[2],
    )
    if dim == 1:
        yield note(
            N_(
                "In a residual block both sides need the same channels: put a 1×1 convolution into the shortcut, "
                "as in self.shortcut = nn.Conv2d(in_channels, out_channels, kernel_size=1)."
            ),
        )
    elif dim > 1:
        yield note(
            N_(
                "In a residual block both sides need the same height and width: pad (padding=1 for 3×3) "
                "and give the shortcut the same stride."
            ),
        )
    else:
        yield note(N_("Dimension 0 is the batch: predictions and targets must be of the same samples."))


@symptom(
    r"output with shape \[([\d, ]*)\] doesn't match the broadcast shape \[([\d, ]*)\]",
    lambda found, node, shapes: (
        2 * (node.kind in {"add_", "sub_", "mul_", "div_"} and shapes[:1] == (numbers(found[1]),))
    ),
)
def in_place(found: Match) -> Iterator[Note]:
    """An operation in place that would need a larger tensor."""
    yield note(
        N_("x += y writes into x, which has the shape {x}, but the result has {result}: write x = x + y."),
        x=listed(numbers(found[1])),
        result=listed(numbers(found[2])),
    )


@symptom(
    r"Dimension out of range \(expected to be in range of \[(-?\d+), (-?\d+)\], but got (-?\d+)\)",
    lambda found, node, shapes: (
        2 * (int(found[3]) in node.arguments.values()) * (bool(shapes) and len(shapes[0]) == int(found[2]) + 1)
    ),
)
def dimension(found: Match) -> Iterator[Note]:
    """A dimension that the tensor does not have."""
    yield note(
        N_("The tensor has {count} dimensions, numbered 0 to {last}; there is no dimension {dim}."),
        count=int(found[2]) + 1,
        last=found[2],
        dim=found[3],
    )


@symptom(r"not enough values to unpack \(expected (\d+), got (\d+)\)", everywhere)
def unpacked(found: Match) -> Iterator[Note]:
    """`b, c, h, w = x.shape` of a flat tensor."""
    yield note(
        N_(
            "{wanted} sizes were expected, but the tensor has {got}: it was flattened earlier, or the batch is missing."
        ),
        wanted=found[1],
        got=found[2],
    )
