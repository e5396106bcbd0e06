"""What torch itself says: the same layer, built and called, on the meta device or on the CPU."""

import contextlib
import warnings
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

from core.shapes.errors import ShapeError
from core.shapes.layers import LAYERS, UNKNOWN, apply, bind

OPERATORS = {
    "add": torch.add, "sub": torch.sub, "mul": torch.mul, "div": torch.div, "cat": torch.cat, "stack": torch.stack,
    "add_": torch.Tensor.add_, "sub_": torch.Tensor.sub_, "mul_": torch.Tensor.mul_, "div_": torch.Tensor.div_,
}  # fmt: skip


BACKEND = {  # what a backend says where PyTorch forgot to check
    "could not construct a memory descriptor using a format tag",
}


@dataclass(frozen=True)
class Verdict:
    shape: tuple[int, ...] | None = None  # None where it was refused
    params: int = 0
    error: str = ""  # the exception's name
    text: str = ""


def ours(kind, arguments, shapes, training=True):
    try:
        result = apply(kind, arguments, *shapes, training=training)
    except ShapeError as error:
        return Verdict(error=error.error_type, text=error.torch)
    return Verdict(shape=result.out_shape, params=result.params)


def torchs(kind, arguments, shapes, device="meta", training=True):
    """Do what a net would do, and note down the result or what torch says against it."""
    tensors = [torch.empty(shape, device=device) for shape in shapes]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # softmax without dim, layers without weights
        try:
            operation = build(kind, arguments, device, training)
            out = operation(*tensors)
        except Exception as error:  # whatever it is, it is the answer
            return Verdict(error=type(error).__name__, text=str(error))
    params = sum(p.numel() for p in operation.parameters()) if isinstance(operation, nn.Module) else 0
    return Verdict(shape=tuple(out.shape), params=params)


def build(kind, arguments, device="cpu", training=True):
    """Return torch's own module, or its function with the arguments filled in."""
    layer = LAYERS[kind]
    named = {name: value for name, value in arguments.items() if value != UNKNOWN}
    if layer.form == "module":
        made = getattr(nn, f"Lazy{kind}" if UNKNOWN in arguments.values() else kind)
        with contextlib.suppress(TypeError):  # layers without weights know no device
            return made(**named, device=device).train(training)
        return made(**named).train(training)
    return lambda *tensors: called(kind, tensors, named)


def called(kind, tensors, named):
    """Call a function of torch, or a method of the first tensor."""
    if kind in ("cat", "stack"):
        return OPERATORS[kind](tensors, **named)
    if kind in OPERATORS:
        return OPERATORS[kind](*tensors, *(other for other in named.values() if other is not None))
    if LAYERS[kind].variadic:
        return getattr(tensors[0], kind)(*next(iter(named.values())))
    if kind in ("squeeze", "amax"):
        named = {name: value for name, value in named.items() if value is not None}
    if LAYERS[kind].form == "function":
        return getattr(F, kind)(*tensors, **named)
    return getattr(tensors[0], kind)(**named)


def agree(kind, named, shapes):
    """Compare our verdict with torch's: shape and parameters; of what is refused, the words too.

    The meta device is asked first. It lets pass what real tensors do not (for example channels that do not fit a
    transposed convolution) and has other words for some errors: wherever it differs from us, or something is
    refused, the CPU decides.
    """
    arguments = bind(kind, **named)
    mine = ours(kind, arguments, shapes)
    meta = torchs(kind, arguments, shapes)
    if mine.shape is not None and mine == meta:
        return mine
    real = torchs(kind, arguments, shapes, device="cpu")
    if mine.shape is None and (real.text in BACKEND or (meta.shape is None and 0 in (real.shape or ()))):
        return mine  # backends differ about images without pixels
    assert plain(mine) == plain(real), f"{kind}({named}) on {shapes}: meta says {meta}"
    return mine


def plain(verdict):
    """Leave out of an error's text what differs: the stack, the order of sets, positions of named arguments."""
    text = verdict.text.split("\nException raised from")[0].replace(" (position 2)", "")
    if text.startswith(("Invalid padding string", "padding_mode must")):
        text = text.split("{")[0].split(", should")[0]
    return Verdict(verdict.shape, verdict.params, verdict.error, text.replace("torch.Size(", "").replace(")", ""))
