"""Exercises: a random chain, a shape to type, the way revealed step by step, and a score for this visit."""

from random import SystemRandom

import streamlit as st

from app import link, page
from app.choice import choice
from app.figures import shapes_words as words
from app.i18n import _
from core.shapes.practice import HARDEST, LEVELS, Exercise, exercise, parse_answer

MOST_SEEDS = 1_000_000
_SCORE = "practice.score"  # right answers, questions answered
_TRIED = "practice.tried"  # the exercise that was answered last, so that it counts once
_WON = "practice.won"  # the exercise that was answered rightly at once
_SHOWN = "practice.shown"  # (exercise, how many of its steps are revealed)


def show() -> None:
    levels = {str(level): f"{level}" for level in LEVELS}
    link.check_choice("level", levels)
    level = int(choice(_("Level"), levels, key="level", default="1"))
    seed = st.session_state.setdefault("practice.seed", SystemRandom().randrange(MOST_SEEDS))
    question = exercise(level, seed)
    st.caption(_("New here: {what}.").format(what=_(LEVELS[level])))
    st.code(question.text, language="python")
    st.markdown(_("A tensor of shape {shape} goes in.").format(shape=f"`{words.written(question.input_shape)}`"))
    with st.form("practice_form", border=False):
        typed = st.text_input(
            _("Which shape comes out?"), key=f"practice-{level}-{seed}", placeholder="64, 10, 24, 24", max_chars=60
        )
        sent = st.form_submit_button(_("Check"))
    if sent:
        check(question, typed)
    reveal(question)
    right, asked = st.session_state.get(_SCORE, (0, 0))
    with st.container(horizontal=True, vertical_alignment="center"):
        won = st.session_state.get(_WON) == (level, seed)
        st.button(
            _("Next exercise"),
            key="practice_next",
            icon=":material/navigate_next:",
            on_click=_next,
            args=(min(level + won, HARDEST),),
        )
        if asked:
            st.markdown(_("This visit: {right} of {asked} right at the first answer.").format(right=right, asked=asked))


def check(question: Exercise, typed: str) -> None:
    """Say whether an answer is right; the first one of an exercise counts."""
    given = parse_answer(typed)
    if given is None:
        page.status(_("Type the sizes with commas, as in 64, 10, 24, 24."), "warning")
        return
    right = given == question.answer
    this = (question.level, question.seed)
    if st.session_state.get(_TRIED) != this:
        before = st.session_state.get(_SCORE, (0, 0))
        st.session_state[_SCORE] = (before[0] + right, before[1] + 1)
        st.session_state[_TRIED] = this
        if right:
            st.session_state[_WON] = this
    if right:
        st.session_state[_SHOWN] = (this, len(question.report.rows))
        page.status(_("Right."), "good")
    else:
        page.status(_("Not yet. Reveal a step, or try again."), "warning")


def reveal(question: Exercise) -> None:
    """Draw as many steps as were asked for, and the button for the next one."""
    this, rows = (question.level, question.seed), question.report.rows
    of, count = st.session_state.get(_SHOWN, (this, 0))
    count = count if of == this else 0
    for row in rows[:count]:
        st.markdown(f"`{words.title(row)}`  \n" + "  \n".join(words.calculation(row)))
    if count < len(rows):
        st.button(_("Reveal a step"), key="practice_reveal", on_click=_reveal, args=(this, count + 1))


def _reveal(this: tuple[int, int], count: int) -> None:
    """Show one more step; what is revealed before an answer does not count as right."""
    st.session_state[_SHOWN] = (this, count)
    if st.session_state.get(_TRIED) != this:
        right, asked = st.session_state.get(_SCORE, (0, 0))
        st.session_state[_SCORE], st.session_state[_TRIED] = (right, asked + 1), this


def _next(level: int) -> None:
    """Go on, one level up after a right answer."""
    st.session_state["level"] = str(level)
    st.session_state["practice.seed"] = SystemRandom().randrange(MOST_SEEDS)
