"""How long a training waits for its data: the measured bars, and the two ways to read as code and as bytes."""

from functools import lru_cache

import altair as alt
import pandas as pd

from app.charts import source
from app.figures.line import View
from app.figures.mse_words import number
from app.i18n import _, language, ngettext
from app.page import Kind
from core.datasets import diabetes, mnist
from core.loading_job import Conditions, Snapshot, Timing

ALL_AT_ONCE = """\
class InMemory(Dataset):
    def __init__(self, filepath):
        xy = np.loadtxt(
            filepath, delimiter=",",
            dtype=np.float32,
        )
        self.x = torch.from_numpy(xy[:, :-1])
        self.y = torch.from_numpy(xy[:, [-1]])

    def __getitem__(self, i):
        return self.x[i], self.y[i]

    def __len__(self):
        return len(self.y)
"""
ON_DEMAND = """\
class OnDisk(Dataset):
    def __init__(self, folder):
        names = Path(folder).glob("*.png")
        self.paths = sorted(names)

    def __getitem__(self, i):
        return read_image(self.paths[i])

    def __len__(self):
        return len(self.paths)
"""
KINDS = {"waiting": "@residual", "training": "@batch"}  # parts of an epoch, and their colours

Data = dict[str, pd.DataFrame]


def two_ways() -> str:
    """Say what the two kinds of Dataset have in common."""
    return _(
        "A `Dataset` answers two questions: how many samples are there (`__len__`), and what is sample number i "
        "(`__getitem__`). When it reads them is its own affair."
    )


@lru_cache(maxsize=4)
def _memory_table(_language: str) -> pd.DataFrame:
    table, digits = diabetes(), mnist()
    floats = 4 * (table.x.size + table.y.size)
    pixels = digits.train_images.nbytes
    photographs = 60_000 * 4 * 3 * 224 * 224
    rows = [
        (_("The diabetes table, 768 × 9 numbers of 4 bytes"), floats, _("all at once")),
        (_("MNIST, 60,000 × 28 × 28 pixels of 1 byte"), pixels, _("all at once")),
        (_("60,000 photographs, 3 × 224 × 224 numbers of 4 bytes"), photographs, _("on demand")),
    ]
    return pd.DataFrame(rows, columns=[_("data set"), _("bytes in memory"), _("read it")])


def memory_table() -> pd.DataFrame:
    """Return how many bytes some data sets take in memory; those of the first two are measured."""
    return _memory_table(language())


def memory_note() -> str:
    """Say where the figures come from."""
    return _("The first two are the sizes of the arrays that this app holds; the third is their product.")


# --- The measurement


def what_is_measured() -> str:
    """Say what the measuring program does."""
    return _(
        "A separate process trains a small network on the 60,000 MNIST images. Each lies compressed in a file and is "
        "read when it is asked for: opened, unpacked, enlarged to 256 × 256, turned by a random angle, reduced to "
        "128 × 128, made noisy, and handed over as 3 × 128 × 128 float32. Everyone on this server sees the same "
        "measurement."
    )


def progress(state: Snapshot) -> str:
    """Say how far the measurement is."""
    if state.seconds_left is None:
        return _("Measuring.")
    return _("Measuring, about {left} s left.").format(left=max(1, round(state.seconds_left)))


def chart() -> View:
    """Build the bars: for each way of loading, how long an epoch waits for data and how long it computes."""
    names = {"waiting": _("waiting for data"), "training": _("computing")}
    scale = alt.Scale(domain=list(names.values()), range=[KINDS[kind] for kind in names])
    rows = alt.Chart(source("parts"))
    y = alt.Y("way:N", sort=alt.SortField("place"), title=None, axis=alt.Axis(labelLimit=200))
    color = alt.Color("part:N", scale=scale, legend=alt.Legend(title=None, orient="top"))
    bars = rows.mark_bar(size=20).encode(
        x=alt.X("seconds:Q", title=_("seconds per epoch")),
        y=y,
        color=color,
        order=alt.Order("rank:Q"),
        tooltip=[
            alt.Tooltip("way:N", title=_("Reading")),
            alt.Tooltip("part:N", title=_("Part")),
            alt.Tooltip("seconds:Q", title=_("Seconds"), format=".3f"),
        ],
    )
    return alt.layer(bars, name="workers").properties(width=700, height=220)


@lru_cache(maxsize=16)
def _chart_data(timings: tuple[Timing, ...], _language: str) -> Data:
    names = {"waiting": _("waiting for data"), "training": _("computing")}
    return {
        "parts": pd.DataFrame(
            [
                {
                    "way": title(timing),
                    "place": place,
                    "part": names[part],
                    "rank": rank,
                    "seconds": getattr(timing, part),
                }
                for place, timing in enumerate(timings)
                for rank, part in enumerate(names)
            ]
        )
    }


def chart_data(timings: tuple[Timing, ...]) -> Data:
    """Return what `chart` draws; treat it as read-only."""
    return _chart_data(timings, language())


def title(timing: Timing) -> str:
    """Name a way of loading."""
    if timing.way == "once":
        return _("all at once, 0 workers")
    return ngettext("on demand, {n} worker", "on demand, {n} workers", timing.workers).format(n=timing.workers)


def table(timings: tuple[Timing, ...]) -> pd.DataFrame:
    """Return the figures."""
    return pd.DataFrame(
        {
            _("reading"): [title(timing) for timing in timings],
            _("seconds per epoch"): [timing.waiting + timing.training for timing in timings],
            _("of which waiting for data"): [timing.waiting for timing in timings],
            _("samples per second"): [timing.per_second for timing in timings],
            _("seconds of __init__"): [timing.reading for timing in timings],
            _("seconds to the first batch"): [timing.first_batch for timing in timings],
            _("bytes that the Dataset keeps"): [timing.memory for timing in timings],
        }
    )


def verdict(state: Snapshot) -> list[tuple[str, Kind]]:
    """Say what the figures mean, once they are complete."""
    demand = {timing.workers: timing for timing in state.timings if timing.way == "demand"}
    once = next((timing for timing in state.timings if timing.way == "once"), None)
    if not state.finished or 0 not in demand or once is None:
        return []
    alone = demand[0]
    best = max(demand.values(), key=lambda timing: timing.per_second)
    slowest = max(demand.values(), key=lambda timing: timing.first_batch)
    if best.workers and best.per_second > 1.05 * alone.per_second:
        sentence = ngettext(
            "With {n} worker an epoch is {times} times as fast as with none: it reads the next batches while the "
            "network computes.",
            "With {n} workers an epoch is {times} times as fast as with none: they read the next batches while "
            "the network computes.",
            best.workers,
        ).format(n=best.workers, times=number(round(best.per_second / alone.per_second, 1)))
        first: tuple[str, Kind] = (sentence, "good")
    else:
        sentence = _(
            "Workers do not pay here: handing each batch over from process to process costs as much as they save, "
            "or there is no free core for them ({cores} here)."
        )
        first = sentence.format(cores=state.conditions.cores if state.conditions else "?"), "warning"
    starting = _(
        "But {n} workers have to start first: each loads torch, and the first batch comes after {seconds} s. "
        "Short trainings are over by then."
    ).format(n=slowest.workers, seconds=number(round(slowest.first_batch, 1)))
    reading = _(
        "Reading all images at once takes {seconds} s and {megabytes} MB in the beginning, and makes an epoch "
        "{change}; what remains is the work on each image."
    ).format(
        seconds=number(round(once.reading, 1)),
        megabytes=number(round(once.memory / 1e6)),
        change=_faster(once.per_second / alone.per_second),
    )
    return [first, (starting, "neutral"), (reading, "neutral")]


def _faster(ratio: float) -> str:
    if 0.95 < ratio < 1.05:
        return _("about as long as before")
    if ratio > 1:
        return _("{percent} faster").format(percent=f"{ratio - 1:.0%}")
    return _("{percent} slower").format(percent=f"{1 - ratio:.0%}")


def conditions(found: Conditions) -> str:
    """Say under which conditions it was measured, and how large the data set is."""
    memory = (
        _("{gigabytes} GB of memory").format(gigabytes=number(round(found.memory / 1e9, 1))) if found.memory else ""
    )
    sentence = _(
        "Measured on {when}: {system}, torch {torch}, cores: {cores}, {memory}, load {load}; batches of {batch}, one "
        "thread, workers started by spawn. On disk the data set is {disk} MB; decoded all at once as the network "
        "takes it, it would be "
        "{decoded} GB."
    )
    return sentence.format(
        when=found.when,
        system=found.system,
        torch=found.torch,
        cores=found.cores,
        memory=memory,
        load=number(found.load),
        batch=found.batch_size,
        disk=number(round(found.on_disk / 1e6, 1)),
        decoded=number(round(found.decoded / 1e9, 1)),
    )


def in_words(timings: tuple[Timing, ...]) -> str:
    """Write the text alternative of the bars."""
    each = _("{way}: {waiting} s waiting, {training} s computing.")
    said = [
        each.format(way=title(timing), waiting=number(timing.waiting), training=number(timing.training))
        for timing in timings
    ]
    return " ".join([_("Seconds per epoch for each way to read."), *said])
