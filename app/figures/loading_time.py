"""How long a training waits for its data: the measured bars, and the two ways to read as code and as bytes."""

import time
from functools import lru_cache

import altair as alt
import pandas as pd

from app.charts import source
from app.figures.line import View
from app.figures.mse_words import number
from app.i18n import _, language, ngettext
from app.measured import busy
from app.page import Kind
from core.datasets import diabetes, mnist
from core.loading_job import BATCH, BATCHES, PASSES, PLAN, Conditions, Snapshot, Timing

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
IMAGES = 60_000  # of the data set
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
    """Say what the measuring program does, and how much of it makes one figure."""
    return _(
        "A separate process trains a small network on MNIST images. Each of the 60,000 lies compressed in a file and "
        "is read when it is asked for: opened, unpacked, enlarged to 256 × 256, turned by a random angle, reduced to "
        "128 × 128, made noisy, and handed over as 3 × 128 × 128 numbers of 32 bits (float32). Timed are not all "
        "60,000 but **{samples} of them, {batches} batches of {batch}**, chosen anew {passes} times for each way to "
        "read; the fastest pass after the first counts. Everyone on this server sees the same measurement."
    ).format(samples=BATCH * BATCHES, batches=BATCHES, batch=BATCH, passes=PASSES)


def progress(state: Snapshot) -> str:
    """Say what is being measured and for how long; how long it will take is known from the last time only."""
    doing = way_title(state.way, state.workers) if state.way else _("preparing the data set")
    measured = (state.way, state.workers)
    said = _("Part {part} of {parts}: {doing}. {seconds} s so far.").format(
        part=PLAN.index(measured) + 1 if measured in PLAN else 1,
        parts=len(PLAN),
        doing=doing,
        seconds=max(0, round(time.monotonic() - state.began)),
    )
    if state.took is not None:
        said += " " + _("The last measurement took {took} s in all.").format(took=round(state.took))
    return said


def chart(samples: int) -> View:
    """Build the bars: for each way of loading, how long these samples wait for data and for the computing."""
    names = {"waiting": _("waiting for data"), "training": _("computing")}
    scale = alt.Scale(domain=list(names.values()), range=[KINDS[kind] for kind in names])
    rows = alt.Chart(source("parts"))
    y = alt.Y("way:N", sort=alt.SortField("place"), title=None, axis=alt.Axis(labelLimit=200))
    color = alt.Color("part:N", scale=scale, legend=alt.Legend(title=None, orient="top"))
    bars = rows.mark_bar(size=20).encode(
        x=alt.X("seconds:Q", title=_("seconds for {samples} images").format(samples=samples)),
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
    """Name the way of loading that was timed."""
    return way_title(timing.way, timing.workers)


def way_title(way: str, workers: int) -> str:
    """Name a way of loading."""
    if way == "once":
        return _("all at once, 0 workers")
    return ngettext("on demand, {n} worker", "on demand, {n} workers", workers).format(n=workers)


def table(timings: tuple[Timing, ...]) -> pd.DataFrame:
    """Return the figures, and what they come to for all images."""
    samples = timings[0].samples
    return pd.DataFrame(
        {
            _("reading"): [title(timing) for timing in timings],
            _("seconds for {samples} images").format(samples=samples): [timing.seconds for timing in timings],
            _("of which waiting for data"): [timing.waiting for timing in timings],
            _("images per second"): [timing.per_second for timing in timings],
            _("at that rate, seconds for all 60,000"): [IMAGES / timing.per_second for timing in timings],
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
    best = max(demand.values(), key=lambda timing: timing.per_second)
    pays = bool(best.workers) and best.per_second > 1.05 * demand[0].per_second
    judged = best if pays else max(demand.values(), key=lambda timing: timing.workers)
    said = [_busy(state.conditions), _gain(best, demand[0]) if pays else _no_gain(state)]
    if judged.workers:
        said += [_start(judged), _crowd(judged, demand[0])]
    said.append(_all_at_once(once, demand[0]))
    return [sentence for sentence in said if sentence is not None]


def _busy(found: Conditions | None) -> tuple[str, Kind] | None:
    sentence = busy(found.load, found.cores) if found is not None else ""
    return (sentence, "warning") if sentence else None


def _gain(best: Timing, alone: Timing) -> tuple[str, Kind]:
    sentence = ngettext(
        "With {n} worker the training is {times} times as fast as with none: it reads the next batches while the "
        "network computes.",
        "With {n} workers the training is {times} times as fast as with none: they read the next batches while the "
        "network computes.",
        best.workers,
    )
    return sentence.format(n=best.workers, times=_times(best, alone)), "good"


def _no_gain(state: Snapshot) -> tuple[str, Kind]:
    sentence = _(
        "Workers do not pay here: handing each batch over from process to process costs as much as they save, "
        "or there is no free core for them ({cores} here)."
    )
    return sentence.format(cores=state.conditions.cores if state.conditions else "?"), "warning"


def _start(judged: Timing) -> tuple[str, Kind]:
    sentence = ngettext(
        "But {n} worker has to start first: it loads torch, and the first batch comes after {seconds} s. "
        "A short training is over by then.",
        "But {n} workers have to start first: each loads torch, and the first batch comes after {seconds} s. "
        "A short training is over by then.",
        judged.workers,
    )
    return sentence.format(n=judged.workers, seconds=number(round(judged.first_batch, 1))), "neutral"


def _crowd(judged: Timing, alone: Timing) -> tuple[str, Kind] | None:
    if judged.training < 1.1 * alone.training:
        return None
    sentence = ngettext(
        "The computing itself takes {with_them} s instead of {without} s with {n} worker: it uses the same cores "
        "and the same memory.",
        "The computing itself takes {with_them} s instead of {without} s with {n} workers: they use the same cores "
        "and the same memory.",
        judged.workers,
    )
    seconds = {"with_them": number(round(judged.training, 2)), "without": number(round(alone.training, 2))}
    return sentence.format(n=judged.workers, **seconds), "neutral"


def _all_at_once(once: Timing, alone: Timing) -> tuple[str, Kind]:
    if abs(once.per_second / alone.per_second - 1) < 0.05:
        sentence = _(
            "Reading all images at once takes {seconds} s and {megabytes} MB in the beginning, and after that is no "
            "faster than on demand: nearly all the time goes into the work on each image."
        )
    else:
        sentence = _(
            "Reading all images at once takes {seconds} s and {megabytes} MB in the beginning; after that the "
            "training is {times} times as fast as on demand without workers. What remains is the work on each image."
        )
    numbers = {"seconds": number(round(once.reading, 1)), "megabytes": number(round(once.memory / 1e6))}
    return sentence.format(times=_times(once, alone), **numbers), "neutral"


def _times(one: Timing, other: Timing) -> str:
    return number(round(one.per_second / other.per_second, 1))


def conditions(found: Conditions) -> str:
    """Say under which conditions it was measured, and how large the data set is."""
    memory = (
        _("{gigabytes} GB of memory").format(gigabytes=number(round(found.memory / 1e9, 1))) if found.memory else ""
    )
    sentence = _(
        "Measured on {when}: {system}, torch {torch}, cores: {cores}, {memory}, load {load} (busy processes just "
        "before); batches of {batch}, one thread. Each worker is a fresh Python process that loads everything anew "
        "(“spawn”, as on Windows and macOS). On disk the data set is {disk} MB; decoded all at once as the network "
        "takes it, it would be {decoded} GB."
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
    what = _("Seconds for {samples} images, for each way to read.").format(samples=timings[0].samples)
    return " ".join([what, *said])
