"""What the picture of several training runs draws, few enough rows to be sent twice a second to a whole class.

A run that has ended keeps its rows while the others go on; equal comparisons are encoded once for all readers.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from app.figures.comparison_words import line
from app.figures.training_rows import FLOORS, Report, Rows, curve_rows, epoch_rows, events, limit_rows
from app.i18n import _
from app.rows import Encoded, encoded
from core.caching import cached

MOST_POINTS = 960  # of all loss curves together


@dataclass(frozen=True, kw_only=True)
class Race:
    """Several runs at one moment; equal ones make equal pictures."""

    reports: tuple[Report, ...]
    names: tuple[str, ...]
    colours: tuple[str, ...]  # names in app.palette.QUANTITIES
    states: tuple[str, ...]  # in a few words, where each run comes from or how far it is

    @property
    def ended(self) -> bool:
        """Say whether no run is under way, so that all epochs can be scrubbed."""
        return all(report.ended or not report.key for report in self.reports)

    @property
    def steps(self) -> int:
        """Return the positions of the timeline: an epoch each, once all runs have ended."""
        return max((report.epoch_count for report in self.reports), default=0) if self.ended else 0


@cached(maxsize=64)
def rows(race: Race) -> Rows:
    """Return the rows of each of the picture's data sources; treat them as read-only."""
    buckets = MOST_POINTS // 2 // max(1, len(race.reports))
    return {
        "limits": _limits(race.reports),
        "curve": _together(race, [_curve(report, buckets) for report in race.reports]),
        "epochs": _together(race, list(map(_epochs, [race] * len(race.reports), race.reports, race.names))),
        "event": _together(race, [_event(report) for report in race.reports]),
        "legend": pd.DataFrame(_legend(race)),
        "titles": pd.DataFrame([_titles(race.states)]),
    }


@cached(maxsize=64)
def encoded_rows(race: Race) -> dict[str, Encoded]:
    """Encode the rows once for all readers of the same moment."""
    return {name: encoded(frame) for name, frame in rows(race).items()}


def _limits(reports: Sequence[Report]) -> pd.DataFrame:
    """Return the ends of the axes; that of the accuracies begins where the later test accuracies of all runs lie.

    The first epochs are so much worse that the runs would be one line at the end.
    """
    later = [epoch for report in reports for epoch in report.epochs[report.epoch_count // 2 : report.epoch_count]]
    lowest = min((epoch.test_accuracy for epoch in later), default=0.0)
    ends = limit_rows(reports)
    ends.loc[0, "accuracy"] = next(floor for floor in FLOORS if floor <= lowest)
    return ends


@cached(maxsize=128)
def _curve(report: Report, buckets: int) -> pd.DataFrame:
    return curve_rows(report, buckets)


def _epochs(race: Race, report: Report, name: str) -> pd.DataFrame:
    frame = epoch_rows(report)
    position = frame["epoch"] - 1 if race.ended else (frame["epoch"] != report.epoch_count) * -1
    return frame.assign(position=position, name=name)


@cached(maxsize=128)
def _event(report: Report) -> pd.DataFrame:
    """Mark where a run turned, at the height of the test loss before, or at the average's last height."""
    if not events(report):
        return pd.DataFrame(columns=["x", "loss", "text"])
    curve = _curve(report, MOST_POINTS // 2)
    heights = [curve.loc[curve["x"] <= x, "s3"].dropna() for x, _text in events(report)]
    return pd.DataFrame(
        [
            (x, float(height.iloc[-1]) if len(height) else 0.0, text)
            for (x, text), height in zip(events(report), heights, strict=True)
        ],
        columns=["x", "loss", "text"],
    )


def _together(race: Race, frames: list[pd.DataFrame]) -> pd.DataFrame:
    """Put the runs' rows under each other, with the place and the colour of each run."""
    looks = zip(race.colours, frames, strict=True)
    numbered = [frame.assign(run=place, colour=colour) for place, (colour, frame) in enumerate(looks)]
    filled = [frame for frame in numbered if len(frame)]
    return pd.concat(filled, ignore_index=True) if filled else numbered[0]


def _titles(states: tuple[str, ...]) -> dict[str, object]:
    """Name the legend's columns, above the runs; a state that all runs share is said here where there is no column."""
    return {
        "line": -1,
        "state": states[0] if len(set(states)) == 1 else "",
        "accuracy": _("test accuracy"),
        "best": _("best (epoch)"),
        "speed": _("images/s"),
        "spent": _("seconds"),
    }


def _legend(race: Race) -> list[dict[str, object]]:
    """Write each run's line at each position of the playhead."""
    return [
        {"run": place, "line": place, "position": position, "name": race.names[place], "state": race.states[place]}
        | {"colour": race.colours[place]}
        | line(report, position + 1 if race.ended else report.epoch_count)
        for position in range(max(1, race.steps))
        for place, report in enumerate(race.reports)
    ]


def table(race: Race) -> pd.DataFrame:
    """List the epochs of all runs with their numbers in full precision, for those who do not see the picture."""
    columns = ["epoch", "train_loss", "train_accuracy", "test_loss", "test_accuracy", "seconds", "images_per_second"]
    listed = [
        [name, *(getattr(epoch, column) for column in columns)]
        for name, report in zip(race.names, race.reports, strict=True)
        for epoch in report.epochs[: report.epoch_count]
    ]
    return pd.DataFrame(listed, columns=["run", *columns])
