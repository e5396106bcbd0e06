"""The table cut into training, validation and test part, and what leaks between them cost."""

from functools import lru_cache

import altair as alt
import numpy as np
import pandas as pd

from app.charts import source
from app.figures.batches import column_titles
from app.figures.line import View
from app.figures.mse_words import number
from app.figures.numbers import percent
from app.i18n import _, language
from app.page import Kind
from core.datasets import diabetes
from core.splits import LEAKS, PARTS, SEEDS, Split, leaked, shift

COLUMNS = 96  # squares in a line
__all__ = ["SEEDS"]

Data = dict[str, pd.DataFrame]


def belt() -> View:
    """Build the table's rows as squares, in the colours of their parts."""
    titles = [_(title) for title, _use in PARTS.values()]
    scale = alt.Scale(domain=titles, range=[f"@{name}" for name in PARTS])
    rows = alt.Chart(source("rows")).transform_calculate(right="datum.column + 0.86", bottom="datum.line + 0.86")
    x = alt.X("column:Q", axis=None, scale=alt.Scale(domain=[0, COLUMNS], nice=False))
    y = alt.Y("line:Q", axis=None, scale=alt.Scale(domain=[len(diabetes().y) / COLUMNS, 0], nice=False))
    squares = rows.mark_rect().encode(
        x=x,
        x2="right:Q",
        y=y,
        y2="bottom:Q",
        color=alt.Color("part:N", scale=scale, legend=alt.Legend(title=None, orient="top")),
        tooltip=[
            alt.Tooltip("row:Q", title=_("Row of the table")),
            alt.Tooltip("part:N", title=_("Part")),
            alt.Tooltip("label:Q", title=_("Label (diabetes)")),
        ],
    )
    return alt.layer(squares, name="split").properties(width=800, height=90)


@lru_cache(maxsize=16)
def _belt_data(split: Split, _language: str) -> Data:
    y = diabetes().y
    parts = split.parts(len(y))
    part = np.empty(len(y), dtype=object)
    for name, rows in parts.items():
        part[rows] = _(PARTS[name][0])
    row = np.arange(len(y))
    return {
        "rows": pd.DataFrame(
            {"row": row, "column": row % COLUMNS, "line": row // COLUMNS, "part": part, "label": y.astype(int)}
        )
    }


def belt_data(split: Split) -> Data:
    """Return what `belt` draws; treat it as read-only."""
    return _belt_data(split, language())


def table(split: Split) -> pd.DataFrame:
    """Return each part's size and its labels."""
    y = diabetes().y
    parts = split.parts(len(y))
    return pd.DataFrame(
        {
            _("part"): [_(PARTS[name][0]) for name in parts],
            _("samples"): [len(rows) for rows in parts.values()],
            _("with label 1"): [percent(y[rows].mean(), 1) for rows in parts.values()],
        }
    )


def uses() -> str:
    """Say what each part may be used for."""
    return "\n".join(f"* **{_(title)}.** {_(use)}" for title, use in PARTS.values())


def in_words(split: Split) -> str:
    """Write the text alternative of the three parts."""
    sizes = split.sizes(len(diabetes().y))
    sentence = _(
        "The 768 rows of the table as squares: {train} for training, {validation} for validation, {test} for the "
        "test, mixed at random."
    )
    return sentence.format(**sizes)


def code(split: Split) -> str:
    """Write the same split with torch."""
    sizes = ", ".join(str(size) for size in split.sizes(len(diabetes().y)).values())
    return (
        "train, validation, test = torch.utils.data.random_split(\n"
        f"    dataset, [{sizes}], generator=torch.Generator().manual_seed({split.seed})\n"
        ")"
    )


# --- Leaks


def leaks() -> View:
    """Build the accuracies with and without each mistake: a dot a split, a bar for the mean."""
    titles = [_("with the mistake"), _("without it")]
    scale = alt.Scale(domain=titles, range=["@residual", "@test"])
    y = alt.Y("leak:N", sort=alt.SortField("place"), title=None, axis=alt.Axis(labelLimit=260))
    x = alt.X(
        "accuracy:Q",
        title=_("accuracy on the test part"),
        scale=alt.Scale(domain=[0.4, 1], clamp=True),
        axis=alt.Axis(format="%"),
    )
    color = alt.Color("kind:N", scale=scale, legend=alt.Legend(title=None, orient="top"))
    offset = alt.YOffset("kind:N", sort=titles, scale=alt.Scale(domain=titles, paddingOuter=0.4))
    rows = alt.Chart(source("accuracies"))
    dots = rows.mark_circle(size=40, opacity=0.35).encode(x=x, y=y, yOffset=offset, color=color)
    means = alt.Chart(source("means")).mark_tick(thickness=4, size=22, opacity=1)
    tooltip = [
        alt.Tooltip("leak:N", title=_("Leak")),
        alt.Tooltip("kind:N", title=_("Measured")),
        alt.Tooltip("accuracy:Q", title=_("Mean accuracy"), format=".1%"),
    ]
    return alt.layer(
        dots, means.encode(x=x, y=y, yOffset=offset, color=color, tooltip=tooltip), name="leaks"
    ).properties(width=700, height=200)


def short_titles() -> dict[str, str]:
    """Name the leaks in a word or two."""
    return {"normalise": _("normalising"), "select": _("choosing columns"), "copy": _("copying rows")}


@lru_cache(maxsize=16)
def _leaks_data(split: Split, _language: str) -> Data:
    accuracies, means = [], []
    for place, (name, short) in enumerate(short_titles().items()):
        for kind, values in zip((_("with the mistake"), _("without it")), leaked(name, split), strict=True):
            same = {"leak": short, "place": place, "kind": kind}
            accuracies += [same | {"accuracy": value} for value in values]
            means.append(same | {"accuracy": values.mean()})
    return {"accuracies": pd.DataFrame(accuracies), "means": pd.DataFrame(means)}


def leaks_data(split: Split) -> Data:
    """Return what `leaks` draws; treat it as read-only."""
    return _leaks_data(split, language())


def leaks_table(split: Split) -> pd.DataFrame:
    """Return the mean accuracy with and without each mistake, and how much they differ."""
    found = {name: leaked(name, split) for name in LEAKS}
    return pd.DataFrame(
        {
            _("mistake"): list(short_titles().values()),
            _("accuracy with it (0 to 1)"): [float(leaky.mean()) for leaky, _clean in found.values()],
            _("accuracy without it (0 to 1)"): [float(clean.mean()) for _leaky, clean in found.values()],
            _("difference"): [float(leaky.mean() - clean.mean()) for leaky, clean in found.values()],
        }
    )


def verdicts(split: Split) -> list[tuple[str, Kind]]:
    """Say what each leak costs, the small one as plainly as the large ones."""
    moved, column = shift(split)
    sentences = {
        "normalise": _(
            "Normalising with the wrong statistics moves a test value by up to {moved} standard deviations "
            "({column}). Right in {leaky}; without the mistake in {clean}: {difference}. A small leak is still a "
            "leak: its size is known only afterwards."
        ),
        "select": _(
            "Choosing columns by all labels makes pure noise look right in {leaky}; without the mistake it is right "
            "in {clean}: {difference}. There is nothing to be found in noise: always guessing 0 is right in {guess}."
        ),
        "copy": _(
            "Copies that lie on both sides of the split are known by heart: the nearest neighbour looks right in "
            "{leaky}; without the mistake it is right in {clean}: {difference}."
        ),
    }
    said: list[tuple[str, Kind]] = []
    for name, sentence in sentences.items():
        leaky, clean = (values.mean() for values in leaked(name, split))
        text = sentence.format(
            leaky=percent(leaky, 1),
            clean=percent(clean, 1),
            difference=_difference(100 * (leaky - clean)),
            moved=number(round(moved, 2)),
            column=column_titles()[column],
            guess=percent(1 - diabetes().y.mean(), 1),
        )
        mistake = _("**{mistake}** ({right})").format(mistake=_(LEAKS[name].title), right=_(LEAKS[name].right))
        said.append((f"{mistake}: {text}", "warning" if leaky - clean > 0.01 else "neutral"))
    return said


def _difference(points: float) -> str:
    if abs(points) < 0.05:
        return _("no difference")
    if points > 0:
        return _("the mistake promises {points} percentage points too much").format(points=f"{points:.1f}")
    return _("here the mistake costs {points} percentage points").format(points=f"{-points:.1f}")


def leaks_in_words(split: Split) -> str:
    """Write the text alternative of the accuracies."""
    each = _("{leak}: {leaky} with the mistake, {clean} without it.")
    said = []
    for name, short in short_titles().items():
        leaky, clean = (percent(values.mean(), 1) for values in leaked(name, split))
        said.append(each.format(leak=short, leaky=leaky, clean=clean))
    return " ".join([_("Mean accuracy on the test part."), *said])
