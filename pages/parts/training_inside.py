"""Inside the net: what its gradients, weights and ReLUs do over the epochs, and what it computes for one image."""

from dataclasses import replace
from functools import partial

import numpy as np
import streamlit as st

from app import link, page
from app.charts import compiled
from app.choice import choice
from app.figures import comparison
from app.figures import inside as figure
from app.figures import inside_maps as maps_figure
from app.figures import inside_maps_rows as maps_drawn
from app.figures import inside_maps_words as maps_words
from app.figures import inside_rows as drawn
from app.figures import inside_words as words
from app.figures.class_names import class_names
from app.figures.run_names import names
from app.figures.training_rows import image_url
from app.history import is_restored
from app.i18n import _, error_sentence, language, ngettext
from app.player import Drag, Slider, player
from core.errors import InputError
from core.image_data import truth
from core.job import Job
from core.jobs import Jobs
from core.run import RunSpec
from core.torch_thread import torch_ready
from pages.parts import training_compare as compare
from pages.parts.training_data import images_here
from pages.parts.training_found import find
from pages.parts.training_playhead import playhead
from pages.parts.training_under_way import follow, summary

LOADING = 0.5  # s between two looks whether torch is loaded
LAST_IMAGE = 9_999.0  # of the test set
CHOSEN = {"layer": 1, "map": 0, "pixel": 0}  # what is shown at first


def show(jobs: Jobs, spec: RunSpec, job: Job | None) -> None:
    """Draw what is known of the inside; of a run under way it is drawn anew."""
    follow(_draw, job, jobs, spec)


def _draw(jobs: Jobs, spec: RunSpec) -> None:
    job = find(jobs, spec)
    if job is None or not job.insides:
        st.markdown(_("Appears when the training starts."))
        return
    ready = torch_ready()  # begins to load it while the layers are looked at
    views = {"layers": _("Layer by layer"), "image": _("One image"), "kernels": _("First kernels")}
    link.check_choice("look", views)
    view = choice(_("Look at"), views, key="look", default="layers", label_visibility="collapsed")
    with st.container():  # every view fills both places, so that nothing of another one can stay
        _show_view(jobs, spec, job, view, ready)
    if view != "layers":
        st.empty()
        return
    st.caption(
        _(
            "Measured with a fixed batch of training images, before the first step and after each epoch. A dead "
            "channel is one that none of these images switches on."
        )
    )


def _show_view(jobs: Jobs, spec: RunSpec, job: Job, view: str, ready: bool) -> None:
    if view == "layers":
        show_layers(jobs, spec, job)
        return
    if not images_here(spec.data):
        return
    kept = summary(jobs.store, job.key)
    if kept is None or not kept.weight_epochs:
        st.markdown(_("Appears after the first epoch, when its weights are kept."))
        return
    st.fragment(show_computed, run_every=None if ready else LOADING)(jobs, job, kept.weight_epochs, view, ready)


# --- Layer by layer


def show_layers(jobs: Jobs, spec: RunSpec, job: Job) -> None:
    """Draw the state of each layer; a stack stands beside its twin with, or without, the skip connections."""
    runs = [job, *twin_of(jobs, spec)]
    specs = tuple(run.spec for run in runs)
    called, hues = stack_names(specs), colours_of(specs) if len(runs) > 1 else ()
    insides = [tuple(run.insides) for run in runs]
    epochs = range(insides[0][-1].epoch + 1)
    states = tuple(drawn.state_of(run.key, name, kept) for run, name, kept in zip(runs, called, insides, strict=True))
    player(
        compiled(figure.layers, called, hues),
        key="inside",
        name="inside",
        alt=words.alternative(insides, called),
        data=drawn.rows(states),
        steps=len(epochs),
        start=playhead(epochs),
        moments=epochs,
        first=0,
        captions=words.captions(insides, called, states[0].epochs),
    )


def stack_names(specs: tuple[RunSpec, ...]) -> tuple[str, ...]:
    """Name a run and its twin by what differs between them, and by their depth."""
    if len(specs) == 1:
        return names(specs)
    options = dict(specs[0].options)
    deeper = replace(specs[0], options=tuple((options | {"depth": 110 if options.get("depth") != 110 else 8}).items()))
    return names([*specs, deeper])[: len(specs)]


def colours_of(specs: tuple[RunSpec, ...]) -> tuple[str, ...]:
    """Return the colours that the runs have in the comparison above; else the first ones that are free."""
    shown = compare.shown(specs[0])
    above = dict(zip(shown, comparison.colours(shown), strict=True))
    free = (colour for colour in comparison.ORDER if colour not in above.values())
    return tuple(above.get(spec) or next(free) for spec in specs)


def twin_of(jobs: Jobs, spec: RunSpec) -> list[Job]:
    """Return the same stack with the skip connections that this one lacks, or without them, where it was trained."""
    options = dict(spec.options)
    if spec.model != "stack":
        return []
    twin = jobs.get(replace(spec, options=tuple((options | {"residual": not options.get("residual", True)}).items())))
    return [twin] if twin is not None and twin.insides else []


# --- What it computes for one image


def show_computed(jobs: Jobs, job: Job, kept: tuple[int, ...], view: str, drawn_ready: bool) -> None:
    """Draw what needs a forward pass, once torch is loaded; meanwhile the rest of the page goes on."""
    if not torch_ready():
        page.status(_("PyTorch is being loaded to run the network …"))
        return
    if not drawn_ready:
        st.rerun()  # the polling ends
    image = choose_image(job) if view == "image" else 0
    if image is None:
        return
    asked = maps_drawn.Asked(
        key=job.key,
        image=image,
        epochs=maps_drawn.shown_epochs(kept),
        spec=job.spec,
        weights=partial(jobs.store.weights, job.key),
    )
    try:
        (show_maps if view == "image" else show_kernels)(asked)
    except InputError as error:
        page.status(error_sentence(error), "warning")


def choose_image(job: Job) -> int | None:
    """Choose a test image by its number, or step to the next one that the network gets wrong."""
    link.check_number("image", 0, LAST_IMAGE)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        value = st.number_input(
            _("Test image"), 0.0, LAST_IMAGE, 0.0, 1.0, format="%.0f", key="image", bind="query-params", width=160
        )
        st.button(_("Next mistake"), on_click=next_mistake, args=(job,), key="next_mistake")
        if job.spec.images.shape[0] > 1 and not value % 1:
            st.image(image_url(job.spec.data, int(value)), width=64, alt=_("The test image in its colours."))
    if value % 1:
        page.input_error(InputError("The test image must be a whole number from 0 to 9,999."))
        return None
    return int(value)


def next_mistake(job: Job) -> None:
    """Go to the next image that the network takes for something else after its last epoch."""
    labels = "".join(map(str, truth(job.spec.data)))
    wrong = [
        place for place, (is_, seen) in enumerate(zip(labels, job.epochs[-1].predicted, strict=True)) if is_ != seen
    ]
    if wrong:
        present = st.session_state["image"]
        st.session_state["image"] = float(next((place for place in wrong if place > present), wrong[0]))


def show_maps(asked: maps_drawn.Asked) -> None:
    """Draw the maps of a layer and one of them taken apart; sliders and clicks choose."""
    looks = asked.looks()
    stages = looks[-1].stages
    layer = min(chosen("layer"), len(stages) - 1)
    stage = stages[layer]
    count = min(len(stage.maps), maps_figure.MOST)
    number = min(chosen("map"), count - 1)
    pixel = min(chosen("pixel"), stage.maps[0].size)
    label = int(truth(asked.spec.data)[asked.image])
    names = class_names(asked.spec.data)
    rows = maps_drawn.apart(asked, layer, number, page.theme(), language())
    frame = rows["frame"].iloc[0]
    st.markdown(f"**{maps_words.layer_sentence(stage)}**")
    player(
        compiled(maps_figure.maps),
        key="maps",
        name="activations",
        alt=maps_words.alternative(stage, number, looks[-1], label, names),
        data={"maps": maps_drawn.grid(asked, layer, page.theme()), **rows},
        steps=len(asked.epochs),
        start=playhead(asked.epochs),
        moments=asked.epochs,
        first=first_step(asked),
        captions=maps_words.captions(looks, asked.epochs, label, names),
        sliders=[
            Slider("layer", _("layer"), 0, len(stages) - 1, 1, layer, maps_words.layer_names(stages)),
            Slider("map", _("map"), 0, max(1, count - 1), 1, number, tuple(str(place + 1) for place in range(count))),
            Slider("pixel", _("pixel (0: the largest)"), 0, stage.maps[0].size, 1, pixel),
        ],
        drags=[Drag("maps", set={"map": f"floor(y) * {maps_figure.COLUMNS} + floor(x)"})],
        formula=maps_words.formula(int(frame["channels"]) if frame["krows"] else 0, int(frame["others"])),
        outputs=maps_figure.PARTS,
        on_release=keep_chosen,
    )
    if looks[-1].left_out:
        sentence = ngettext(
            "{n} layer of this very deep network is left out here.",
            "{n} layers of this very deep network are left out here.",
            looks[-1].left_out,
        )
        st.caption(sentence.format(n=looks[-1].left_out))


def first_step(asked: maps_drawn.Asked) -> int:
    """Return the number of the player's first step: epochs are numbered as such where none is left out."""
    return 0 if asked.epochs == tuple(range(len(asked.epochs))) else 1


def chosen(name: str) -> int:
    """Return the layer, the map or the pixel: from this session, or from the link."""
    if is_restored():
        st.session_state.pop(f"inside.{name}", None)
    value = st.session_state.get(f"inside.{name}", st.query_params.get(name, ""))
    text = str(value)
    return int(text) if text.isdecimal() and len(text) < 5 else CHOSEN[name]


def keep_chosen(values: dict[str, float]) -> None:
    """Keep what was chosen, in the link too; another layer begins with its largest pixel."""
    if int(values["layer"]) != chosen("layer"):
        values = values | {"pixel": 0}
    for name, value in values.items():
        st.session_state[f"inside.{name}"] = int(value)
        if int(value) != CHOSEN[name]:
            st.query_params[name] = str(int(value))
        elif name in st.query_params:
            del st.query_params[name]


def show_kernels(asked: maps_drawn.Asked) -> None:
    """Draw the first layer's kernels as they change from epoch to epoch."""
    weights = maps_drawn.first_kernels(asked)
    count, size = len(weights[0]), weights[0].shape[2:]
    change = float(np.linalg.norm(weights[-1] - weights[0]) / np.linalg.norm(weights[0]))
    st.markdown(f"**{maps_words.kernels_sentence(count, size)}**")
    player(
        compiled(maps_figure.kernels),
        key="kernels",
        name="kernels",
        alt=maps_words.kernels_alternative(count, size, change),
        data={"kernels": maps_drawn.kernel_grid(asked, page.theme())},
        steps=len(asked.epochs),
        start=playhead(asked.epochs),
        moments=asked.epochs,
        first=first_step(asked),
        captions=maps_words.kernel_captions(asked.epochs),
    )
