"""The set of images to train on: whether it is here, and its download, which all who look at the page share."""

import streamlit as st

from app import page
from app.i18n import _, error_sentence
from core.errors import InputError
from core.image_data import is_here, truth, was_damaged
from core.image_job import image_download
from core.image_sets import DATASETS
from core.measuring import State

POLL = 0.7  # s between two looks at a download
GLANCE = 3.0  # s between two looks at a set that somebody else may get
DONE = 0.999  # of the download: what is left is to unpack it


def titles() -> dict[str, str]:
    """Return the names of the sets, with what they show, and how much is to be downloaded of those not here."""
    here, away = _("{title} ({about})"), _("{title} ({about}; {size} MB to download)")
    return {
        name: (here if is_here(name) else away).format(title=entry.title, about=_(entry.about), size=entry.megabytes)
        for name, entry in DATASETS.items()
    }


def images_here(data: str) -> bool:
    """Say whether a set's test images can be shown; where they cannot, say why."""
    try:
        truth(data)
    except InputError as error:
        page.status(error_sentence(error), "warning")
        return False
    return True


def offer(data: str, place: str) -> None:
    """Offer to download a set that is not here; follow the download, whoever began it."""
    if is_here(data):
        return
    running = image_download(data).snapshot.running
    st.fragment(_draw, run_every=POLL if running else GLANCE)(data, place, running)


def _draw(data: str, place: str, was_running: bool) -> None:
    download = image_download(data)
    state = download.snapshot
    if is_here(data) or state.running != was_running:
        st.rerun()
    if state.running:
        st.progress(min(1.0, state.done), text=_progress(data, state))
        st.button(
            _("Stop the download"),
            icon=":material/stop:",
            help=_("Stops it for everyone who waits for it."),
            on_click=download.stop,
            key=f"data_stop_{place}",
        )
        return
    for sentence, kind in _told(data, state):
        page.status(sentence, kind)
    st.button(
        _("Download {title} ({size} MB)").format(title=DATASETS[data].title, size=DATASETS[data].megabytes),
        icon=":material/download:",
        type="primary",
        on_click=download.start,
        key=f"data_get_{place}",
    )
    st.caption(_("Source: {source}.").format(source=_(DATASETS[data].source)))


def _progress(data: str, state: State) -> str:
    entry = DATASETS[data]
    if state.done >= DONE:
        return _("{title} has arrived and is being unpacked.").format(title=entry.title)
    arrived = round(state.done * entry.megabytes)
    text = _("{title}: {arrived} of {size} MB have arrived. The download goes on while you look at other runs.")
    return text.format(title=entry.title, arrived=arrived, size=entry.megabytes)


def _told(data: str, state: State) -> list[tuple[str, page.Kind]]:
    """Say what the set is, and what became of it and of the last download."""
    entry = DATASETS[data]
    sentence = _("{title} is not on the computer that runs this app: {about}, {count} training images of {shape}.")
    if was_damaged(data):
        sentence = _(
            "{title} was damaged on the computer that runs this app (a checksum differs) and has been set aside; get "
            "it again."
        )
    sentence = sentence.format(
        title=entry.title, about=_(entry.about), count=f"{entry.train_images:,}", shape=entry.size
    )
    told: list[tuple[str, page.Kind]] = [(sentence, "neutral")]
    if state.error is not None:
        told.append((error_sentence(state.error), "warning"))
    elif state.stopped:
        stopped = _("The last download was stopped at {time}, maybe by another reader.")
        told.append((stopped.format(time=state.stopped), "neutral"))
    return told
