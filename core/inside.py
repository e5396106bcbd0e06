"""What a trained network computes for one image, operation by operation, and how one map came about.

One forward pass in evaluation mode, watched by a mode that sees every call of a torch function
(https://docs.pytorch.org/docs/stable/torch.overrides.html), so that what a network computes between its modules - an
addition, a concatenation, `F.relu` - is seen as well.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.image_data import read_part
from core.image_sets import DATASETS
from core.messages import N_
from core.run import RunSpec
from core.torch_thread import in_torch_thread

if TYPE_CHECKING:
    from torch import Tensor, nn

Maps = NDArray[np.float32]  # (C, H, W)

MOST_STAGES = 40  # of a deeper network, those that say least are left out
STRONGEST = 4  # input channels of a map that are told apart
REMEMBERED = 24  # forward passes that are kept; a large one takes 3 MB

# What a network calls, as it is shown; what only rearranges numbers (flatten) or does nothing in a test (dropout) is
# not shown.
SHOWN = {
    "conv2d": N_("conv"),
    "linear": N_("linear"),
    "relu": N_("relu"),
    "relu_": N_("relu"),
    "max_pool2d": N_("max pool"),
    "avg_pool2d": N_("average pool"),
    "adaptive_avg_pool2d": N_("average pool"),
    "batch_norm": N_("batch norm"),
    "cat": N_("concatenate"),
    "add": N_("add"),
    "add_": N_("add"),
    "mul": N_("multiply"),
    "sigmoid": N_("sigmoid"),
}
ARGUMENTS = ("weight", "bias", "stride", "padding", "dilation", "groups")  # of conv2d, after its input
PASSED_ON = {"flatten", "view", "reshape", "dropout", "dropout2d", "identity"}
DETAILS = ("batch norm", "relu", "sigmoid", "multiply")  # left out of a very deep network, in this order


@dataclass(frozen=True, kw_only=True, eq=False)
class Kernels:
    """The weights that make a stage's maps; a linear layer is a convolution whose kernel covers its whole input."""

    weight: NDArray[np.float32]  # (C, channels of the input, kernel height, kernel width)
    bias: NDArray[np.float32]  # (C,)
    stride: tuple[int, int]
    padding: tuple[int, int]  # zeros on each side


@dataclass(frozen=True, kw_only=True, eq=False)
class Stage:
    """The maps that one operation made."""

    name: str  # of the module whose weights it uses, such as "conv1"; otherwise the operation's
    operation: str  # a value of SHOWN, or "image"
    maps: Maps  # (C, H, W); what has no height and width is (C, 1, 1)
    inputs: Maps  # what it was made from, in the case of several inputs the first; of the image itself
    kernels: Kernels | None = None  # of a convolution and of a linear layer


@dataclass(frozen=True, kw_only=True, eq=False)
class Look:
    """What a network computed for one image."""

    stages: tuple[Stage, ...]  # the image first
    left_out: int  # stages of a very deep network that are not among them
    probabilities: NDArray[np.float64]  # (10,), softmax of the scores; NaN where these are not finite


@dataclass(frozen=True, kw_only=True)
class Question:
    """One test image that is put to a network after one epoch of its training."""

    key: str  # of the run
    epoch: int  # 0 is before the first step
    image: int  # place in the test set, 0 to 9,999
    spec: RunSpec = field(compare=False)
    weights: Callable[[], bytes] | None = field(compare=False)  # reads the safetensors file; None for epoch 0


def look(question: Question) -> Look:
    """Return what the network computes; the same question is computed once. Raises InputError for missing weights."""
    return in_torch_thread(lambda: _look(question))  # one after the other: what a class asks is computed once


@lru_cache(maxsize=REMEMBERED)
def _look(question: Question) -> Look:
    return forward(network_of(question), question.image, question.spec.data)


def network_of(question: Question) -> nn.Module:
    """Return the network in evaluation mode, on the CPU in float32."""
    import safetensors.torch

    from core.train import build_network

    network = build_network(question.spec)
    if question.weights is not None:
        network.load_state_dict(safetensors.torch.load(question.weights()))
    return network.eval()


def pixels_of(image: int, data: str = "mnist") -> NDArray[np.float32]:
    """Return a test image as the networks see it, (C, H, W). Raises InputError where its set is not here."""
    pixels = read_part(data, "test").images[image].astype(np.float32)
    mean, std = (np.array(values)[:, None, None] for values in (DATASETS[data].mean, DATASETS[data].std))
    normalised: NDArray[np.float32] = ((pixels / 255 - mean) / std).astype(np.float32)
    return normalised


def forward(network: nn.Module, image: int, data: str = "mnist") -> Look:
    """Run one image through a network and note what each of its operations makes."""
    import torch

    x = torch.from_numpy(pixels_of(image, data))[None]  # (1, C, H, W)
    with torch.inference_mode():
        recorder = _recorder(network, x)
        with recorder:
            scores = network(x)
    stages = _shortened(recorder.stages)
    return Look(
        stages=tuple(stages),
        left_out=len(recorder.stages) - len(stages),
        probabilities=torch.softmax(scores[0].double(), dim=0).numpy(),
    )


def _recorder(network: nn.Module, x: Tensor) -> Any:  # noqa: ANN401 - its class exists only once torch is loaded
    """Return the mode that notes what torch's functions make of `x` (1, C, H, W)."""
    from torch import Tensor
    from torch.overrides import TorchFunctionMode

    names = {id(value): name.rpartition(".")[0] for name, value in network.named_parameters()}

    class Recorder(TorchFunctionMode):
        def __init__(self) -> None:
            super().__init__()
            image = x[0].numpy()
            self.stages = [Stage(name="image", operation="image", maps=image, inputs=image)]
            self.made = {id(x): image}  # maps by the tensor that holds them
            self.tensors = [x]  # as long as they live, no other tensor has their id

        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:  # noqa: ANN401 - torch's own signature
            called = getattr(func, "__name__", "")
            read = self.inputs(args) if called in SHOWN or called in PASSED_ON else None
            result = func(*args, **kwargs or {})
            if read is not None and isinstance(result, Tensor):
                self.note(called, args, kwargs or {}, read, result)
            return result

        def inputs(self, args: tuple[Any, ...]) -> Maps | None:
            """Return the maps of the first argument that the image went into; None for what has another origin."""
            several = args[0] if args and isinstance(args[0], list | tuple) else args
            known = (self.made.get(id(argument)) for argument in several)
            return next((maps for maps in known if maps is not None), None)

        def note(self, called: str, args: Any, kwargs: Any, read: Maps, result: Tensor) -> None:  # noqa: ANN401 - as they were given
            self.tensors.append(result)
            if called in PASSED_ON:
                self.made[id(result)] = read
                return
            values = result[0].numpy().copy()  # a later operation may write into the tensor
            maps = values if values.ndim == 3 else values.reshape(-1, 1, 1)
            self.made[id(result)] = maps
            operation, kernels = SHOWN[called], None
            if called in ("conv2d", "linear"):
                kernels = _kernels(called, read, dict(zip(ARGUMENTS, args[1:], strict=False)) | kwargs)
            given = (names.get(id(argument)) for argument in (*args, *kwargs.values()))
            name = next((name for name in given if name is not None), operation)
            self.stages.append(Stage(name=name, operation=operation, maps=maps, inputs=read, kernels=kernels))

    return Recorder()


def _kernels(called: str, read: Maps, given: dict[str, Any]) -> Kernels | None:
    """Return the weights of a call of conv2d or linear; None for a convolution that is dilated or in groups."""
    weight = given["weight"].detach().numpy().copy()
    bias = given.get("bias")
    bias = np.zeros(len(weight), np.float32) if bias is None else bias.detach().numpy().copy()
    if called == "linear":
        shape = read.shape if weight.shape[1] == read.size else (weight.shape[1], 1, 1)
        return Kernels(weight=weight.reshape(-1, *shape), bias=bias, stride=(1, 1), padding=(0, 0))
    padding = given.get("padding", 0)
    if isinstance(padding, str) or _pair(given.get("dilation", 1)) != (1, 1) or given.get("groups", 1) != 1:
        return None
    return Kernels(weight=weight, bias=bias, stride=_pair(given.get("stride", 1)), padding=_pair(padding))


def _pair(value: Any) -> tuple[int, int]:  # noqa: ANN401 - an int or two of them
    rows, cols = (value, value) if isinstance(value, int) else value
    return int(rows), int(cols)


def _shortened(stages: list[Stage]) -> list[Stage]:
    """Leave out of a very deep network what says least, then stages at even distances."""
    for detail in DETAILS:
        if len(stages) <= MOST_STAGES:
            return stages
        stages = [stage for stage in stages if stage.operation != detail]
    last = len(stages) - 1
    kept = {round(place * last / (MOST_STAGES - 1)) for place in range(MOST_STAGES)}
    return [stage for place, stage in enumerate(stages) if place in kept]


# --- How one map came about


@dataclass(frozen=True, kw_only=True, eq=False)
class Origin:
    """One map of a convolution as the sum that it is: strongest input channels, all others, bias."""

    channels: tuple[int, ...]  # the input channels that give most to this map, strongest first
    inputs: Maps  # (n, H, W) of them, with the padding around
    kernels: Maps  # (n, kernel height, kernel width)
    rest: NDArray[np.float32]  # (H', W'), what the other channels give
    others: int  # number of the other channels
    bias: float
    output: NDArray[np.float32]  # (H', W'), the map itself
    stride: tuple[int, int]


def origin(stage: Stage, number: int, channels: Sequence[int] | None = None) -> Origin | None:
    """Take one map of a stage apart; None where the stage has no kernels.

    Told apart are these input channels, or the ones that give most.
    """
    if stage.kernels is None:
        return None
    kernels = stage.kernels
    (pad_rows, pad_cols), (down, right) = kernels.padding, kernels.stride
    inputs = stage.inputs.reshape(kernels.weight.shape[1], *_size(stage))
    padded = np.pad(inputs, ((0, 0), (pad_rows, pad_rows), (pad_cols, pad_cols)))  # (c, H, W)
    weight = kernels.weight[number]  # (c, kernel height, kernel width)
    windows = np.lib.stride_tricks.sliding_window_view(padded, weight.shape[1:], axis=(1, 2))[:, ::down, ::right]
    given = np.einsum("cyxij,cij->cyx", windows, weight, optimize=True)  # (c, H', W')
    strongest = np.argsort(-np.abs(given).mean(axis=(1, 2)), kind="stable")[:STRONGEST]
    chosen = strongest if channels is None else np.array(channels)
    others = np.setdiff1d(np.arange(len(given)), chosen)
    return Origin(
        channels=tuple(chosen.tolist()),
        inputs=padded[chosen],
        kernels=weight[chosen],
        rest=given[others].sum(axis=0),
        others=len(others),
        bias=float(kernels.bias[number]),
        output=stage.maps[number],
        stride=kernels.stride,
    )


def _size(stage: Stage) -> tuple[int, int]:
    """Return height and width of the input as the kernels see it."""
    channels = stage.kernels.weight.shape[1] if stage.kernels else len(stage.inputs)
    rows, cols = stage.inputs.shape[1:]
    return (rows, cols) if channels == len(stage.inputs) else (1, 1)
