"""A fit with a saddle: the bump on the data, the paths on the map of the loss, and the loss over the epochs."""

from functools import lru_cache

import altair as alt
import numpy as np
import pandas as pd

from app.charts import parameter, source
from app.figures.line import Data, View, axis, carrier
from app.figures.mse_words import number
from app.figures.terrain import cells, cells_layer
from app.i18n import _
from app.page import Kind
from core.bumps import COUNT, SAMPLES, WINDOW, BumpFit, BumpPath, descend, minima, predict, saddle, surface
from core.losses import Array

SIZE = {"width": 400, "height": 260}  # px
LOW = {"width": 860, "height": 130}  # px, of the loss
STEPS = 100  # at most, of the timeline
PATHS = ("gd", "minibatch")  # full batch first


def chart() -> alt.VConcatChart:
    """Build the three pictures; `step` is a place on the timeline of both fits."""
    views = alt.vconcat(alt.hconcat(_data_view(), _map_view()), _loss_view()).add_params(parameter("step"))
    built: alt.VConcatChart = views.resolve_scale(color="independent")
    return built


def _colour(*, legend: bool) -> alt.Color:
    titles = [_("Full batch"), _("Mini-batch shuffled")]
    return alt.Color(
        "title:N",
        scale=alt.Scale(domain=titles, range=[f"@{path}" for path in PATHS]),
        legend=alt.Legend(title=None, orient="top") if legend else None,
    )


def _data_view() -> View:
    x, y = axis(alt.X, "x", _("x")), axis(alt.Y, "y", _("y"))
    dots = alt.Chart(source("points")).mark_circle(clip=True, color="@data", size=50, opacity=1)
    fits = alt.Chart(source("fits")).transform_filter("datum.step == step")
    lines = fits.mark_line(clip=True, strokeWidth=3).encode(x=x, y=y, color=_colour(legend=True), order="x:Q")
    return alt.layer(carrier(), lines, dots.encode(x=x, y=y), name="fit").properties(**SIZE)


def _map_view() -> View:
    titles = (_("place c"), _("height a"))
    x, y = axis(alt.X, "c", titles[0]), axis(alt.Y, "a", titles[1])
    walked = alt.Chart(source("paths")).transform_filter("datum.step <= step")
    now = alt.Chart(source("paths")).transform_filter("datum.step == step")
    special = alt.Chart(source("special"))
    layers = [
        carrier(),
        cells_layer("c", "a", titles, _("mean squared error")),
        special.mark_point(clip=True, size=110, strokeWidth=2, stroke="@text", fill="@background", opacity=1).encode(
            x=x,
            y=y,
            shape=alt.Shape(
                "kind:N", scale=alt.Scale(domain=["saddle", "minimum"], range=["cross", "diamond"]), legend=None
            ),
        ),
        walked.mark_line(clip=True, strokeWidth=1.6).encode(x=x, y=y, color=_colour(legend=False), order="step:Q"),
        now.mark_circle(clip=True, size=150, opacity=1).encode(x=x, y=y, color=_colour(legend=False)),
    ]
    view: View = alt.layer(*layers, name="map").properties(**SIZE).resolve_scale(color="independent")
    return view


def _loss_view() -> View:
    x, y = axis(alt.X, "epoch", _("epochs")), axis(alt.Y, "loss", _("mean squared error"))
    rows = alt.Chart(source("paths"))
    colour = _colour(legend=False)
    layers = [
        carrier(),
        rows.mark_line(clip=True, strokeWidth=1.2, opacity=0.4).encode(x=x, y=y, color=colour),
        rows.transform_filter("datum.step <= step").mark_line(clip=True, strokeWidth=3).encode(x=x, y=y, color=colour),
        rows.transform_filter("datum.step == step")
        .mark_circle(clip=True, size=150, opacity=1)
        .encode(x=x, y=y, color=colour),
    ]
    return alt.layer(*layers, name="loss").properties(**LOW)


@lru_cache(maxsize=16)
def fits(spec: BumpFit) -> dict[str, BumpPath]:
    """Run the fit with all samples in each update, and with the mini-batches of the spec."""
    full = BumpFit(batch_size=COUNT, epochs=spec.epochs, lr=spec.lr, c=spec.c, a=spec.a, seed=spec.seed)
    return {"gd": descend(full), "minibatch": descend(spec)}


def places(path: BumpPath) -> Array:
    """Return which entries of a path are shown: those at the start and after some epochs, the last one among them."""
    epochs = np.unique(np.linspace(0, path.spec.epochs, STEPS + 1).astype(int))
    return epochs * -(-COUNT // path.spec.batch_size)


@lru_cache(maxsize=16)
def chart_data(spec: BumpFit, language: str) -> Data:
    """Compute what `chart` draws; read-only. The reader's language is named for the cache."""
    titles = {"gd": _("Full batch"), "minibatch": _("Mini-batch shuffled")}
    c, a, heights = surface()
    x = np.linspace(-4.0, 4.0, 81)
    paths, bumps = [], []
    for name, path in fits(spec).items():
        shown = places(path)
        step = np.arange(len(shown))
        epoch = shown // -(-COUNT // path.spec.batch_size)
        at = {"c": path.c[shown], "a": path.a[shown], "loss": path.loss[shown]}
        paths.append(pd.DataFrame({"title": titles[name], "step": step, "epoch": epoch, **at}))
        drawn = predict(x[:, None], path.c[shown], path.a[shown])  # (x, steps)
        bumps.append(
            pd.DataFrame(
                {
                    "title": titles[name],
                    "step": np.repeat(step, len(x)),
                    "x": np.tile(x, len(step)),
                    "y": drawn.T.ravel(),
                }
            )
        )
    frame = {"x0": -4, "x1": 4, "y0": -0.1, "y1": 1.3, "epoch0": 0, "epoch1": spec.epochs}
    frame |= {"c0": WINDOW[0][0], "c1": WINDOW[0][1], "a0": WINDOW[1][0], "a1": WINDOW[1][1]}
    highest = max(float(rows["loss"].max()) for rows in paths)
    frame |= {"loss0": 0.0, "loss1": 1.08 * highest}
    special = [("saddle", saddle()), *(("minimum", found) for found in minima())]
    return {
        "frame": pd.DataFrame([frame]),
        "cells": cells(c, a, heights),
        "points": pd.DataFrame({"x": SAMPLES.x, "y": SAMPLES.y}),
        "paths": pd.concat(paths, ignore_index=True),
        "fits": pd.concat(bumps, ignore_index=True),
        "special": pd.DataFrame([{"kind": kind, "c": found.c, "a": found.a} for kind, found in special]),
    }


def captions(spec: BumpFit) -> list[str]:
    """Say where both fits are at each step of the timeline."""
    full, batches = fits(spec).values()
    sentence = _("Epoch {epoch}: full batch at c = {full}, mini-batch at c = {batches}.")
    return [
        sentence.format(epoch=epoch, full=f"{c_full:.3f}".replace("-", "−"), batches=f"{c:.3f}".replace("-", "−"))
        for epoch, c_full, c in zip(places(full), full.c[places(full)], batches.c[places(batches)], strict=True)
    ]


def in_words(spec: BumpFit) -> str:
    """Write the text alternative of the three pictures."""
    full, batches = fits(spec).values()
    sentence = _(
        "Left: the samples, two bumps, and the fitted bump of each method. Middle: the loss over c and a with a saddle "
        "at c = 0, a = {a} and minima at c = {left} and c = {right}; full batch ends at c = {full}, mini-batch at "
        "c = {batches}. Right: the loss over the epochs; it ends at {full_loss} and {batch_loss}."
    )
    left, right = minima()
    return sentence.format(
        a=number(saddle().a),
        left=number(left.c),
        right=number(right.c),
        full=number(full.c[-1]),
        batches=number(batches.c[-1]),
        full_loss=number(full.loss[-1]),
        batch_loss=number(batches.loss[-1]),
    )


def verdict(spec: BumpFit) -> tuple[str, Kind]:
    """Say who left the saddle, and what the mini-batches did differently."""
    full, batches = fits(spec).values()
    low, high = saddle().eigenvalues
    numbers = {
        "loss": number(full.loss[-1]),
        "batch_loss": number(batches.loss[-1]),
        "low": number(low),
        "high": number(high),
        "epochs": spec.epochs,
    }
    stays = _("Full batch stays at the saddle (curvatures {low} and {high}), with loss {loss}.")
    if spec.batch_size == COUNT:
        return (stays + " " + _("A batch of all samples is the full batch: choose a smaller one.")).format(
            **numbers
        ), "neutral"
    if batches.left_at is None:
        left = _("The mini-batches have not left it after {epochs} epochs either: try another seed or a larger rate.")
        return f"{stays} {left}".format(**numbers), "warning"
    left = _("The mini-batches leave it in epoch {epoch} and end with loss {batch_loss}.")
    return f"{stays} {left}".format(**numbers, epoch=int(batches.epoch[batches.left_at]) + 1), "good"
