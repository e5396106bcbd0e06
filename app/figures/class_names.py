"""The names of the classes that a set of images has, in the reader's language."""

from app.i18n import _
from core.image_sets import DATASETS


def class_names(data: str) -> tuple[str, ...]:
    """Return the names of the labels 0 to 9; those of digits and letters are the same in every language."""
    entry = DATASETS[data]
    return entry.classes if entry.has_digits else tuple(map(_, entry.classes))
