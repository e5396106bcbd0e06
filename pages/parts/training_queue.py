"""Every run that trains or waits on this server, with a button to stop each."""

import streamlit as st

from app.figures.run_names import names
from app.figures.training_words import called
from app.i18n import _, ngettext
from core.job import Job
from core.jobs import Jobs

POLL, GLANCE = 0.7, 3.0  # s between two looks, while runs are under way and while none is
WIDE = [5, 3, 1]  # of the columns


def active(jobs: Jobs) -> list[Job]:
    """Return the runs under way, then those that wait, by their places."""
    return sorted((job for job in jobs.list() if job.active), key=lambda job: job.position)


def show(jobs: Jobs) -> None:
    """List the runs; looked at again and again while it is open."""
    st.fragment(_rows, run_every=POLL if active(jobs) else GLANCE)(jobs)


def _rows(jobs: Jobs) -> None:
    listed = active(jobs)
    if not listed:
        st.markdown(_("No run trains or waits at the moment."))
        return
    sentence = ngettext("{n} run trains or waits.", "{n} runs train or wait.", len(listed))
    st.markdown(sentence.format(n=len(listed)))
    for job, told in zip(listed, names([job.spec for job in listed]), strict=True):
        name, progress, button = st.columns(WIDE, vertical_alignment="center")
        name.markdown(called(job.spec) if len(listed) == 1 else f"**{told}**  \n{called(job.spec)}")
        progress.progress(min(1.0, job.progress), text=_progress(job))
        button.button(
            _("Stop"),
            icon=":material/stop:",
            key=f"stop_{job.key}",
            on_click=jobs.cancel,
            args=(job.key,),
            help=_("Stops the run for everyone who watches it; what is finished stays kept."),
        )


def _progress(job: Job) -> str:
    if job.status == "queued":
        return _("waits, place {position}").format(position=job.position)
    left, rate = job.seconds_left, job.images_per_second
    if left is None or rate is None:
        return _("begins")
    return _("{left} s left, {rate} images/s").format(left=max(1, round(left)), rate=f"{rate:,.0f}")
