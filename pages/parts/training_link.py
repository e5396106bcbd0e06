"""What the page's link says: values that cannot be used, and names that do nothing here, in one box."""

from app import link
from pages.parts import training_compare as compare
from pages.parts import training_found as found
from pages.parts import training_setup as setup

SECTIONS = ("queue", "numbers", "results", "inside", "digit", "loop", "card", "step", "code", "try")
CHOICES = (  # beside those of the run
    "lang", "axis", "cells", "label", "seen", "versus", "look", "image", "layer", "map", "pixel", "slope_of",
    "slope_by",
)  # fmt: skip
PICTURES = (  # what they note begins with their name and a point
    "run", "runs", "confusion", "versus", "inside", "maps", "kernels", "digit", "digit-bars", "digit-steps",
    "digit-slope", "loop",
)  # fmt: skip


def check() -> None:
    """Say what of the link is not followed."""
    names = setup.names_in_link() | {compare.LINK, found.LINK, *SECTIONS, *CHOICES}
    sections = [link.wrong_switch(name) for name in SECTIONS]
    link.say([*setup.wrong_in_link(), *sections, *link.on_opening(names, PICTURES)])
