"""Draw a digit: what every trained network sees in it while it grows, how it is made small, and what decides."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import streamlit as st

from app import link, page
from app.charts import compiled
from app.choice import choice
from app.figures import digit as figure
from app.figures import digit_rows as drawn
from app.figures import digit_words as words
from app.figures.digit_names import short_names
from app.figures.digit_words import Answer
from app.i18n import _, error_sentence, language, speaking
from app.pad import pad, sent
from app.player import News, player
from app.quick import offered
from core.digits import STEPS, Centred, Drawing, centre, pixels, read_drawing
from core.errors import InputError
from core.job import Job
from core.jobs import Jobs
from core.predict import Net, gradient, predict
from core.run import RunSpec
from core.torch_thread import torch_ready
from core.trained_nets import DRAWN, trained_nets
from pages.parts import training_compare

KEY = "digit"  # of the pad, in the link as well
LOADING = 0.5  # s between two looks while PyTorch is loaded
FRAGMENTS = (f"{KEY}-follow", f"{KEY}-closer")  # what runs anew when the pen is lifted
BARS = f"{KEY}-bars"  # of the player that follows the pen
NETS = f"{KEY}.nets"  # in the session: the networks, so that they are not looked up while a line grows


def show(jobs: Jobs, spec: RunSpec, _job: Job | None) -> None:
    """Draw the pad with its bars, which follow the pen, and below what is shown once the pen is lifted."""
    if spec.data != DRAWN:
        st.caption(
            _("A drawing is made small as MNIST's digits were: only networks that were trained on MNIST answer.")
        )
    ready = torch_ready()
    st.fragment(_follow, key=FRAGMENTS[0], run_every=None if ready else LOADING)(jobs, spec, ready)
    st.fragment(_closer, key=FRAGMENTS[1])(jobs, spec)


def _follow(jobs: Jobs, spec: RunSpec, was_ready: bool) -> None:
    ready = torch_ready()
    nets = _nets(jobs, spec)
    left, right = st.columns([2, 3], gap="medium")
    with right:
        said = _live(nets) if ready else _loading()
    quick = offered((KEY, language(), nets), partial(_answer, nets, language())) if ready else ""
    with left:  # last: the pad tells what is new when it sees that this run has ended
        pad(key=KEY, label=_("Draw a digit, 0 to 9"), live=True, quick=quick, said=said, at_rest=FRAGMENTS)
    if ready != was_ready:
        st.rerun()  # the page asks no more every half second


def _nets(jobs: Jobs, spec: RunSpec) -> tuple[Net, ...]:
    """Return the networks to ask; while a line grows, those of its beginning."""
    if sent(KEY).lifted or NETS not in st.session_state:
        st.session_state[NETS] = trained_nets(jobs, list(dict.fromkeys((spec, *training_compare.shown(spec)))))
    kept: tuple[Net, ...] = st.session_state[NETS]
    return kept


def _loading() -> str:
    page.status(_("PyTorch is being loaded; the pad can be used already."))
    return ""


def _live(nets: tuple[Net, ...]) -> str:
    """Draw each network's bars and return what was said."""
    answers, news = _news(nets, sent(KEY).drawing)
    player(
        compiled(figure.bars),
        key=BARS,
        name="drawn-digit",
        alt=news.alt,
        data=news.data,
        said=news.said,
        kind=news.kind,
        height=figure.ROW * max(1, len(nets)),
    )
    for error in (answer for answer in answers if isinstance(answer, InputError)):
        page.status(error_sentence(error), "warning")
    return news.said


def _news(nets: tuple[Net, ...], drawing: Drawing) -> tuple[list[Answer], News]:
    """Ask the networks and put their answers into bars and words."""
    small = _small(drawing)
    answers: list[Answer] = list(predict(nets, small.field)) if small else [None] * len(nets)
    names = short_names([net.spec for net in nets])
    said, kind = words.status(names, answers, drawing, small)
    data = drawn.bar_rows(nets, names, answers, language())
    return answers, News(data=data, alt=words.bars_alternative(names, answers), said=said, kind=kind)


def _answer(nets: tuple[Net, ...], code: str, question: object) -> dict[str, Any]:
    """Answer the pad past the page, in the language with this code. Raises InputError where it sent no drawing."""
    with speaking(code):
        return _news(nets, read_drawing(question))[1].message(BARS)


def _small(drawing: Drawing) -> Centred | None:
    """Return a drawing as the networks get it; None where nothing is drawn, or no more than a dot."""
    try:
        return centre(pixels(drawing))
    except InputError:
        return None


def _closer(jobs: Jobs, spec: RunSpec) -> None:
    """Show what became of the drawing, and what its prediction hangs on."""
    nets, drawing = _nets(jobs, spec), sent(KEY).drawing
    if not nets or not torch_ready():
        return  # said above
    st.caption(words.whose_weights())  # here, so that it is not sent again with every move of the pen
    try:
        small = centre(pixels(drawing))
    except InputError:
        return  # said above
    _steps(drawing, small)
    _slope(nets, small)


def _steps(drawing: Drawing, small: Centred) -> None:
    st.markdown(_("**How it is made small.** MNIST's digits were treated so, and a network knows only such."))
    captions = words.captions(small)
    player(
        compiled(figure.steps),
        key=f"{KEY}-steps",
        name="digit-steps",
        alt=_("Five images of the digit, from the pad to the network.") + " " + " ".join(captions),
        data=drawn.step_rows(drawing, language()),
        steps=len(STEPS),
        captions=captions,
    )
    if hint := words.hint(drawing, small):
        page.status(hint, "warning")


def _slope(nets: Sequence[Net], small: Centred) -> None:
    st.markdown(_("**What the prediction hangs on.** The gradient of a score by the pixels, from PyTorch's autograd."))
    names = dict(zip((net.key for net in nets), short_names([net.spec for net in nets]), strict=True))
    digits = {"seen": _("the prediction")} | {str(digit): str(digit) for digit in range(10)}
    with st.container(horizontal=True):
        with st.container(width=280):
            key = choice(_("Network"), names, key="slope_of", default=nets[0].key, folded=True)
        with st.container(width=210):
            link.check_choice("slope_by", digits)
            asked = choice(_("Score of"), digits, key="slope_by", default="seen", folded=True)
    net = next(net for net in nets if net.key == key)
    (answer,) = predict([net], small.field)
    if isinstance(answer, InputError) or answer.digit is None:
        return  # said above
    found = gradient(net, small.field, answer.digit if asked == "seen" else int(asked))
    left, right = st.columns([2, 3], gap="medium", vertical_alignment="center")
    with left:
        player(
            compiled(figure.saliency),
            key=f"{KEY}-slope",
            name="digit-gradient",
            alt=words.saliency_alternative(names[key], found),
            data=drawn.saliency_rows(small, found),
        )
    with right:
        st.markdown(words.saliency_in_words(names[key], found))
