"""What a training run reports, in the order in which it happens.

Free of torch, so that a page, the store and a pipe can hold records without loading it.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """The loss of one step, or the mean of a few where a run has very many steps."""

    step: int  # steps taken since the start of the run, from 1
    epoch: int  # the epoch that the step belongs to, from 1
    loss: float  # mean cross entropy of the batch in nats, before the step's update
    seconds: float  # spent training since the start of the run, without the tests


@dataclass(frozen=True, kw_only=True, slots=True)
class Mistake:
    """A test image that the network takes for something else."""

    index: int  # place in the test set, from 0
    label: int  # the digit it is, 0 to 9
    predicted: int  # the digit that the network sees
    confidence: float  # probability that the network gives to `predicted`, 0 to 1
    true_probability: float  # probability that the network gives to `label`, 0 to 1


@dataclass(frozen=True, kw_only=True, slots=True)
class LayerState:
    """One layer with weights, and what a fixed batch of training images does to it."""

    name: str  # of the module, such as "conv1"
    weight_norm: float  # Euclidean norm of the weight
    change: float  # norm of (weight - initial weight) / norm of the initial weight
    gradient_norm: float  # Euclidean norm of the gradient of the batch's mean loss by the weight


@dataclass(frozen=True, kw_only=True, slots=True)
class Inside:
    """The state inside the network: before the first step (epoch 0) or after an epoch."""

    epoch: int  # from 0
    layers: tuple[LayerState, ...]  # in the order of the modules
    dead: tuple[float, ...]  # of each ReLU in the order of the calls: share of its channels that no image switches on


@dataclass(frozen=True, kw_only=True, slots=True)
class Epoch:
    """One pass over the training images and the test after it."""

    epoch: int  # from 1
    train_loss: float  # mean over the epoch's images, each measured before its step's update
    train_accuracy: float  # share of the epoch's images recognised, measured the same way, 0 to 1
    test_loss: float  # mean cross entropy over the test images in nats
    test_accuracy: float  # share of the test images recognised, 0 to 1
    seconds: float  # spent training in this epoch, without the test
    images_per_second: float  # training images / seconds
    device: str  # "cpu", "cuda" or "mps"
    worst: tuple[Mistake, ...]  # the most confident mistakes, least probable truth first
    predicted: str  # for each test image the digit that the network sees, one character each


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkpoint:
    """All that a run needs to go on after an epoch as if nothing had happened."""

    epoch: int  # epochs finished
    seconds: float  # spent training so far, without the tests
    weights: bytes  # the network's parameters, as a safetensors file
    optimizer: bytes  # the optimizer's state and all else that the next epoch needs, as a safetensors file
    hardware: Mapping[str, str]  # of the machine that trained the epoch, see core.hardware


Record = Batch | Epoch | Inside | Checkpoint
