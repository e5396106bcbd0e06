"""One quantity, one colour, on every page: in formula, picture, table and comment.

The hues start from Okabe and Ito's palette (https://jfly.uni-koeln.de/color/), which colour-blind readers can
tell apart; each is darkened for the light ground and lightened for the dark one until text in it is readable
(contrast of 4.5 to 1, WCAG 2.2 success criterion 1.4.3).
"""

from typing import NamedTuple


class Colour(NamedTuple):
    """The same colour on the light and on the dark ground, as #RRGGBB."""

    light: str
    dark: str


BACKGROUND = Colour("#FFFFFF", "#0E1117")

QUANTITIES = {
    # what is learned
    "weight": Colour("#0072B2", "#56B4E9"),
    "bias": Colour("#A0497B", "#E09CC4"),
    # what comes out
    "data": Colour("#1B1F24", "#E8EBEF"),
    "prediction": Colour("#00785A", "#2FC79A"),
    "residual": Colour("#8A6000", "#E69F00"),
    "loss": Colour("#B84A00", "#F08A4B"),
    "gradient": Colour("#6A6400", "#F0E442"),
    "momentum": Colour("#007079", "#5ED3E0"),
    # what is fed in
    "batch": Colour("#6B3FC4", "#B79CF5"),
    # how well it went
    "accuracy": Colour("#00785A", "#2FC79A"),
    "train": Colour("#B84A00", "#F08A4B"),
    "validation": Colour("#0072B2", "#56B4E9"),
    "test": Colour("#00785A", "#2FC79A"),
    # the methods of gradient descent; shuffled ones are dashed
    "gd": Colour("#0072B2", "#56B4E9"),
    "sgd": Colour("#A0497B", "#E09CC4"),
    "minibatch": Colour("#00785A", "#2FC79A"),
    # the networks
    "mlp": Colour("#8A6000", "#E69F00"),
    "cnn": Colour("#0072B2", "#56B4E9"),
    "inception": Colour("#A0497B", "#E09CC4"),
    "resnet": Colour("#00785A", "#2FC79A"),
    # several runs at once, by their order
    "runa": Colour("#0072B2", "#56B4E9"),
    "runb": Colour("#B84A00", "#F08A4B"),
    "runc": Colour("#00785A", "#2FC79A"),
    "rund": Colour("#A0497B", "#E09CC4"),
    "rune": Colour("#8A6000", "#E69F00"),
    "runf": Colour("#007079", "#5ED3E0"),
    "rung": Colour("#6B3FC4", "#B79CF5"),
    "runh": Colour("#6A6400", "#F0E442"),
    # the figure itself
    "text": Colour("#1B1F24", "#E8EBEF"),
    "muted": Colour("#5B6570", "#9AA4AF"),
    "grid": Colour("#E3E7EB", "#2A313A"),
    "background": BACKGROUND,
}
