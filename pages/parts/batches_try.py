"""Things to try with batches: what is predicted is computed, the rest is one click."""

import streamlit as st

from app import page
from app.figures import batches_words as words
from app.i18n import _
from core.loading import Loading
from core.samples import samples
from pages.parts.batches_controls import USUAL


def show() -> None:
    count, size = 759, 32
    spec = Loading(count=count, batch_size=size)
    page.predict(
        key="try_iterations",
        question=_(
            "A data set of {count} rows, handed out in batches of {size}: how many iterations has an epoch, and how "
            "large is the last batch?"
        ).format(count=count, size=size),
        options=[
            _("{iterations} iterations, {rest} in the last batch").format(iterations=iterations, rest=rest)
            for iterations, rest in ((23, 32), (spec.iterations, spec.rest), (24, 32), (23, 23))
        ],
        answer=1,
        explanation=_("⌈{count} / {size}⌉ = {iterations}, and {count} − {full} · {size} = {rest}.").format(
            count=count, size=size, iterations=spec.iterations, full=spec.iterations - 1, rest=spec.rest
        ),
    )
    in_file, sorted_ = (
        words.shares(Loading(count=768, batch_size=32, shuffle=False), samples("all", order))
        for order in ("file", "sorted")
    )
    page.predict(
        key="try_sorted",
        question=_(
            "All 768 rows, sorted by label, batch size 32, no shuffle. How many of the 24 batches hold one label only?"
        ),
        options=[_("None"), _("About half"), _("All but one")],
        answer=2,
        explanation=_(
            "{sorted} of 24. In the file's own order there are already {file}; shuffled, usually none."
        ).format(sorted=sorted_[2], file=in_file[2]),
    )
    few = {"rows": "few", "batch_size": USUAL["few"], "shuffle": True, "drop_last": False}  # each sets all of them
    in_order = {"rows": "all", "order": "file", "batch_size": USUAL["all"], "shuffle": False, "drop_last": False}
    suggestions = (
        (
            _("Every epoch leaves out the same rows: shuffle off, drop_last on."),
            few | {"shuffle": False, "drop_last": True},
        ),
        (_("One sample a batch: how many updates has an epoch now?"), few | {"batch_size": 1}),
        (_("All rows in the file's order without shuffle: watch the bars."), in_order),
    )
    for place, (text, values) in enumerate(suggestions):
        page.suggestion(text, st.session_state.update, values, key=str(place))
