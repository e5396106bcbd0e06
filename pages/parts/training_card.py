"""The model card of a run; the run to take away; and runs that somebody else exported."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from app import page
from app.figures import training_card as drawn
from app.figures import training_rows
from app.figures.numbers import percent
from app.figures.run_names import names
from app.i18n import _
from core.archive import MOST_BYTES
from core.card import Card, model_card
from core.entries import RunSummary
from core.errors import InputError
from core.exchange import export_run, import_run
from core.job import Job
from core.jobs import Jobs
from core.models import MODELS
from core.run import RunSpec
from core.training_script import training_script
from pages.parts.training_found import find
from pages.parts.training_under_way import follow, summary

LINK = "run"  # in the link: the key of the imported run that the page shows
MOST_LISTED = 20
# Streamlit's uploader speaks English. Its limit stands in our label, its button gets our word, and our sentence appears
# where it refuses a file.
STYLE = """<style>
.st-key-card_bring [data-testid="stFileUploaderDropzoneInstructions"] {{ display: none; }}
.st-key-card_bring [data-testid="stFileUploaderDropzone"] button p {{ font-size: 0; }}
.st-key-card_bring [data-testid="stFileUploaderDropzone"] button p::after {{ content: "{choose}"; font-size: 0.9rem; }}
.st-key-card_bring:not(:has([data-testid="stFileChip"][aria-invalid="true"])) .st-key-card_refused {{ display: none; }}
</style>"""
_SEEN = "card.uploaded"  # in the session: the uploaded file that was looked at last
_ERROR = "card.error"  # in the session: why it was refused


def show(jobs: Jobs, spec: RunSpec, job: Job | None) -> None:
    """Show the card of the run and offer it, then what others have exported."""
    follow(_draw, job, jobs, spec)
    bring(jobs)


def _draw(jobs: Jobs, spec: RunSpec) -> None:
    job = find(jobs, spec)
    card = _card(jobs, job)
    if job is None or card is None:
        st.markdown(_("The card comes with the first finished epoch."))
    else:
        st.html(drawn.html(card))
        take_away(jobs, job, card)


def _card(jobs: Jobs, job: Job | None) -> Card | None:
    kept = summary(jobs.store, job.key) if job is not None else None
    return model_card(kept, tuple(job.epochs)) if job is not None and kept is not None else None


# --- Take away


def take_away(jobs: Jobs, job: Job, card: Card) -> None:
    """Offer weights, metrics, the whole run and the script that trains it."""
    name = f"{job.spec.model}-{job.key}"
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        if card.weight_epochs:
            choose_weights(jobs, job, card, name)
        _download(_("Metrics (CSV)"), partial(_metrics, job), f"{name}.csv", "text/csv")
        _download(_("The whole run (zip)"), partial(export_run, job.key, jobs.store), f"{name}.zip", "application/zip")
        script = partial(training_script, job.spec, job.placement, name)
        _download(_("Script (.py)"), script, f"{name}.py", "text/x-python")
    st.caption(
        _(
            "The weights are a safetensors file: safetensors.torch.load_file reads it, and load_state_dict puts it "
            "into the network of the script."
        )
    )


def _metrics(job: Job) -> str:
    return training_rows.epoch_table(job.epochs).to_csv(index=False)


def choose_weights(jobs: Jobs, job: Job, card: Card, name: str) -> None:
    """Offer the weights after one of the epochs at which they were kept, the best one first."""
    titles = {card.best_epoch: _("{epoch} (best)"), card.epochs: _("{epoch} (last)")}
    if card.best_epoch == card.epochs:
        titles = {card.epochs: _("{epoch} (best and last)")}
    version = f"{card.best_epoch}_{card.epochs}"  # a longer run has another best and last
    if job.active:  # they change under the reader's hand, who keeps what is chosen
        titles, version = {}, "active"
    epoch = st.selectbox(
        _("Weights after epoch"),
        card.weight_epochs,
        index=card.weight_epochs.index(card.best_epoch) if card.best_epoch in card.weight_epochs else 0,
        format_func=lambda epoch: titles.get(epoch, "{epoch}").format(epoch=epoch),
        key=f"card_epoch_{job.key}_{version}",
        width=170,
    )
    weights = partial(jobs.store.weights, job.key, epoch)
    _download(_("Weights"), weights, f"{name}-{epoch:03d}.safetensors", "application/octet-stream")


def _download(label: str, make: Callable[[], str | bytes], file_name: str, mime: str) -> None:
    """Offer a file that is made when it is asked for."""
    ending = file_name.rpartition(".")[2]
    st.download_button(
        label,
        make,
        file_name=file_name,
        mime=mime,
        on_click="ignore",
        icon=":material/download:",
        key=f"card_{ending}",
    )


# --- Bring


def bring(jobs: Jobs) -> None:
    """Take in a run that somebody exported, and list those that are there."""
    most = MOST_BYTES // 1_000_000
    with st.container(key="card_bring"):
        st.html(STYLE.format(choose=_("Choose a file")))
        uploaded = st.file_uploader(
            _("Load a run that someone exported (a zip archive of at most {most} MB)").format(most=most),
            max_upload_size=most,
            key="card_upload",
        )
        with st.container(key="card_refused"):
            sentence = _("The file marked red was not taken: an exported run is a zip archive of at most {most} MB.")
            st.caption(f":red[:material/error: {sentence.format(most=most)}]")
    if uploaded is None:
        st.session_state.pop(_ERROR, None)
    elif st.session_state.get(_SEEN) != uploaded.file_id:
        st.session_state[_SEEN] = uploaded.file_id
        _take_in(jobs, uploaded.getvalue())
    if error := st.session_state.get(_ERROR):
        page.input_error(error)
    runs = jobs.store.imported()
    if runs:
        st.markdown(_("Imported runs:"))
    for run in runs[:MOST_LISTED]:
        _row(jobs, run)


def _take_in(jobs: Jobs, content: bytes) -> None:
    """Import a run and show it, or remember why it cannot be."""
    try:
        st.query_params[LINK] = import_run(content, jobs.store)
    except InputError as error:
        st.session_state[_ERROR] = error
        return
    st.session_state.pop(_ERROR, None)
    st.rerun()


def _row(jobs: Jobs, run: RunSummary) -> None:
    is_open = st.query_params.get(LINK) == run.key
    if run.spec is None:
        st.markdown(_("A run that cannot be read."))
    else:
        st.markdown(f"{_called(run.spec)} · {percent(run.best_accuracy or 0.0)} · {run.when:%Y-%m-%d}")
    if is_open:
        page.status(_("This run is open: the page above shows it."), "good")
    with st.container(horizontal=True, gap="small"):
        if run.spec is not None and not is_open:
            st.button(_("Open"), on_click=_open, args=(run.key,), key=page.leading_up(run.key))
        st.button(_("Remove"), on_click=_remove, args=(jobs, run.key), key=f"remove_{run.key}")


def _called(spec: RunSpec) -> str:
    """Name a run by its network and all that is not as usual."""
    other = next(name for name in MODELS if name != spec.model)
    return names((spec, RunSpec(model=spec.model), RunSpec(model=other)))[0]


def _remove(jobs: Jobs, key: str) -> None:
    """Remove an imported run, and its name from the link where that shows it."""
    jobs.store.remove(key)
    if st.query_params.get(LINK) == key:
        st.query_params.pop(LINK)


def _open(key: str) -> None:
    st.query_params[LINK] = key
