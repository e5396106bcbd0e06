"""The pages in the course's order: the only list that navigation, home page and tests read.

Adding a page is one entry here and one file in `pages/`.
"""

from dataclasses import dataclass
from pathlib import Path

from core.messages import N_

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One page of the course."""

    path: str  # in the URL, and the name of its file in pages/ and of its picture in app/static/pictures/
    chapter: str  # the group that it stands in
    title: str
    promise: str  # one sentence: what the reader will have seen

    @property
    def file(self) -> Path:
        """Return the script of the page."""
        return ROOT / "pages" / f"{self.path}.py"


COURSE = (
    Entry(
        path="mse",
        chapter=N_("Linear models"),
        title=N_("The MSE landscape"),
        promise=N_("Drag the weight and watch each squared error become a point on the loss curve."),
    ),
    Entry(
        path="descent",
        chapter=N_("Gradient descent"),
        title=N_("Gradient descent and SGD"),
        promise=N_("Let all methods walk down one loss curve at once, and see which sample pulls at each step."),
    ),
    Entry(
        path="batches",
        chapter=N_("Data"),
        title=N_("Epochs, batches, iterations"),
        promise=N_("Watch a DataLoader shuffle the samples, cut them into batches, and begin anew each epoch."),
    ),
    Entry(
        path="convolution",
        chapter=N_("Convolutional networks"),
        title=N_("Convolution by hand"),
        promise=N_("Slide the window, or point at any cell: see which numbers meet, and the sum that they make."),
    ),
    Entry(
        path="shapes",
        chapter=N_("Convolutional networks"),
        title=N_("The shape detective"),
        promise=N_("Follow a shape through any net, layer by layer, and see where 320 comes from, or what is wrong."),
    ),
    Entry(
        path="training",
        chapter=N_("Convolutional networks"),
        title=N_("Training on MNIST"),
        promise=N_("Start a real training run, watch the loss fall batch by batch, and step back through its epochs."),
    ),
)


def entry(path: str) -> Entry:
    """Return the page at a path of the URL."""
    return next(entry for entry in COURSE if entry.path == path)


def chapters() -> dict[str, list[Entry]]:
    """Group the entries by chapter, in order."""
    grouped: dict[str, list[Entry]] = {}
    for entry in COURSE:
        grouped.setdefault(entry.chapter, []).append(entry)
    return grouped
