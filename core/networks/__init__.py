"""The networks as plain modules, one file a family; the shapes stand beside the lines that make them.

A class here uses `torch`, `nn`, `F` and other classes of this package, and nothing else: `core.models` hands its source
out as part of a script.
"""

from core.networks.cnn import CNN
from core.networks.densenet import DenseLayer, DenseNet, Transition
from core.networks.inception import Inception, InceptionA
from core.networks.mlp import MLP
from core.networks.resnet import (
    ConstantScaling,
    ConvShortcut,
    DropoutShortcut,
    ExclusiveGating,
    PreActivation,
    ResidualBlock,
    ResNet,
    ShortcutGating,
)
from core.networks.stack import Stack, StackBlock

__all__ = [
    "CNN",
    "MLP",
    "ConstantScaling",
    "ConvShortcut",
    "DenseLayer",
    "DenseNet",
    "DropoutShortcut",
    "ExclusiveGating",
    "Inception",
    "InceptionA",
    "PreActivation",
    "ResNet",
    "ResidualBlock",
    "ShortcutGating",
    "Stack",
    "StackBlock",
    "Transition",
]
