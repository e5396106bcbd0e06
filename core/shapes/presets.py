"""Nets to begin with, as PyTorch source: the course's four, and the classics as torchvision defines them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from core.errors import InputError
from core.messages import N_
from core.shapes.layer import Shape
from core.shapes.source import Source, read

FOLDER = Path(__file__).with_name("nets")


@dataclass(frozen=True, kw_only=True)
class Preset:
    """One net with the input that it was made for."""

    name: str  # as in PRESETS
    title: str  # as a page shows it
    input_shape: Shape  # (channels, height, width) of one image
    torchvision: str = ""  # the function of torchvision.models that builds the same net; "" if it has none

    def text(self) -> str:
        """Return its PyTorch source."""
        return (FOLDER / f"{self.name}.txt").read_text(encoding="utf-8")

    def source(self) -> Source:
        """Return what is read from it."""
        return _read(self.name)


PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset(name="mlp", title=N_("MLP, five linear layers (course)"), input_shape=(1, 28, 28)),
        Preset(name="cnn", title=N_("CNN, two convolutions (course)"), input_shape=(1, 28, 28)),
        Preset(name="inception", title=N_("Inception, two modules (course)"), input_shape=(1, 28, 28)),
        Preset(name="resnet", title=N_("ResNet, two residual blocks (course)"), input_shape=(1, 28, 28)),
        Preset(name="lenet", title=N_("LeNet-5 (1998)"), input_shape=(1, 32, 32)),
        Preset(name="alexnet", title=N_("AlexNet (2012)"), input_shape=(3, 224, 224), torchvision="alexnet"),
        Preset(name="vgg11", title=N_("VGG-11 (2014)"), input_shape=(3, 224, 224), torchvision="vgg11"),
        Preset(name="googlenet", title=N_("GoogLeNet (2014)"), input_shape=(3, 224, 224), torchvision="googlenet"),
        Preset(name="resnet18", title=N_("ResNet-18 (2015)"), input_shape=(3, 224, 224), torchvision="resnet18"),
    )
}


def find_preset(name: str) -> Preset:
    """Return the preset of that name; raises InputError that lists the known ones."""
    if name not in PRESETS:
        raise InputError("The model must be one of {known}, not {name}.", known=", ".join(PRESETS), name=str(name)[:40])
    return PRESETS[name]


@cache
def _read(name: str) -> Source:
    return read(PRESETS[name].text())
