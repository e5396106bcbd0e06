"""The sets of labelled images that can be trained on, by name.

MNIST ships with the project. The others are downloaded on request (core.image_download), as torchvision.datasets
publishes them. All four have ten classes and 10,000 test images.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.errors import InputError, Names
from core.messages import N_

CLASSES = 10
TEST_IMAGES = 10_000

Shape = tuple[int, int, int]  # channels, height, width


@dataclass(frozen=True, kw_only=True)
class ImageSet:
    """One set: 10,000 test images and more to train on."""

    title: str  # a proper name, the same in every language
    about: str  # what its images show
    shape: Shape  # of an image
    train_images: int
    classes: tuple[str, ...]  # names of the labels 0 to 9
    mean: tuple[float, ...]  # of the training pixels in 0..1, one a channel
    std: tuple[float, ...]  # their standard deviation, one a channel
    class_name: str  # in torchvision.datasets, which knows mirrors and checksums
    megabytes: int  # of the download; 0 where the set ships with the project
    source: str  # who made it, and the licence

    @property
    def size(self) -> str:
        """Return the size of an image, such as ``3 × 32 × 32``, without a place to break it at."""
        return "\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}".join(map(str, self.shape))

    @property
    def has_digits(self) -> bool:
        """Say whether the names of the classes are the labels themselves."""
        return self.classes == DIGITS


DIGITS = tuple(map(str, range(CLASSES)))

DATASETS: dict[str, ImageSet] = {
    "mnist": ImageSet(
        title="MNIST",
        about=N_("handwritten digits"),
        shape=(1, 28, 28),
        train_images=60_000,
        classes=DIGITS,
        mean=(0.1307,),  # course: "多分类问题"
        std=(0.3081,),
        class_name="MNIST",
        megabytes=0,
        source=N_("Yann LeCun, Corinna Cortes and Christopher Burges, CC BY-SA 3.0"),
    ),
    "fashion": ImageSet(
        title="FashionMNIST",
        about=N_("clothes, shoes and bags"),
        shape=(1, 28, 28),
        train_images=60_000,
        classes=(
            N_("T-shirt/top"), N_("Trouser"), N_("Pullover"), N_("Dress"), N_("Coat"),
            N_("Sandal"), N_("Shirt"), N_("Sneaker"), N_("Bag"), N_("Ankle boot"),
        ),
        mean=(0.2860,),
        std=(0.3530,),
        class_name="FashionMNIST",
        megabytes=31,
        source=N_("Xiao, Rasul and Vollgraf 2017, Zalando Research, MIT licence"),
    ),
    "kmnist": ImageSet(
        title="KMNIST",
        about=N_("old Japanese handwriting"),
        shape=(1, 28, 28),
        train_images=60_000,
        classes=("お", "き", "す", "つ", "な", "は", "ま", "や", "れ", "を"),
        mean=(0.1918,),
        std=(0.3483,),
        class_name="KMNIST",
        megabytes=21,
        source=N_("Clanuwat and others 2018, “KMNIST Dataset” (made by CODH), CC BY-SA 4.0"),
    ),
    "cifar10": ImageSet(
        title="CIFAR-10",
        about=N_("photographs in colour"),
        shape=(3, 32, 32),
        train_images=50_000,
        classes=(
            N_("Aeroplane"), N_("Car"), N_("Bird"), N_("Cat"), N_("Deer"),
            N_("Dog"), N_("Frog"), N_("Horse"), N_("Ship"), N_("Lorry"),
        ),
        mean=(0.4914, 0.4822, 0.4465),
        std=(0.2470, 0.2435, 0.2616),
        class_name="CIFAR10",
        megabytes=170,
        source=N_("Alex Krizhevsky 2009, “Learning Multiple Layers of Features from Tiny Images”"),
    ),
}  # fmt: skip


def find_image_set(name: str) -> ImageSet:
    """Return the set of that name; raises InputError that lists the known ones."""
    if name not in DATASETS:
        raise InputError("The data must be one of {known}, not {name}.", known=Names(DATASETS), name=str(name)[:40])
    return DATASETS[name]
