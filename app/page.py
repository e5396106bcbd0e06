"""The parts that a page is made of, so that all pages look and behave alike.

A page is written with these from top to bottom: `header`, controls, the picture (`app.player`), `formula`,
`status`, sections that run only when they are open, `predict`, `code_panel`, `table`.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

import pandas as pd
import streamlit as st

from app.i18n import _, error_sentence
from app.palette import QUANTITIES
from core.errors import InputError

Kind = Literal["neutral", "good", "warning", "bad"]

# The sign says the same as the colour, for readers who do not see the difference.
_SIGNS: dict[Kind, str] = {
    "neutral": ":material/arrow_forward:",
    "good": ":green[:material/check_circle:]",
    "warning": ":orange[:material/warning:]",
    "bad": ":red[:material/error:]",
}
MOST_ROWS = 5_000  # of a table on screen
_TOKEN = re.compile(r"@([a-z]+)\{")
_POWER = re.compile(r"(?<![\w.\\])(\d+(?:\.\d+)?)e([+-]?\d+)")  # as Python writes a number with an exponent


def theme() -> Literal["light", "dark"]:
    """Return which of the two grounds the reader sees."""
    return "dark" if st.context.theme.type == "dark" else "light"


def colour(quantity: str) -> str:
    """Return the colour of a quantity on the reader's ground, as #RRGGBB."""
    return str(getattr(QUANTITIES[quantity], theme()))


def header(title: str, promise: str) -> None:
    """Write the title of the page and its one-line promise."""
    st.title(title, anchor=False)
    st.markdown(promise)


def formula(latex: str) -> None:
    """Write a formula; `@weight{w}` sets w in the colour of the weight, and so on for every quantity.

    A number as Python writes it, 8.18e-09, becomes 8.18·10⁻⁹.
    """
    st.latex(_TOKEN.sub(lambda token: rf"\textcolor{{{colour(token[1])}}}{{", _POWER.sub(_power, latex)))


def _power(number: re.Match[str]) -> str:
    power = rf"10^{{{int(number[2])}}}"
    return power if number[1] == "1" else rf"{number[1]} \cdot {power}"


def status(sentence: str, kind: Kind = "neutral") -> None:
    """Say what is happening now."""
    st.markdown(f"{_SIGNS[kind]} {sentence}")


def input_error(error: InputError) -> None:
    """Show the one sentence of a refused value, in the reader's language."""
    st.error(error_sentence(error), icon=":material/error:")


@contextmanager
def section(label: str, *, key: str) -> Iterator[bool]:
    """Open a part of the page that is closed at first and runs only when it is open.

    >>> with section(_("The course's sweep"), key="sweep") as is_open:
    ...     if is_open:
    ...         ...
    """
    panel = st.expander(label, key=key, on_change="rerun", bind="query-params", type="compact")
    with panel:
        yield bool(panel.open)


@st.fragment
def part(label: str, show: Callable[[], None], *, key: str) -> None:
    """Draw a section that nothing else on the page depends on: what is clicked in it draws it alone anew."""
    with section(label, key=key) as is_open:
        if is_open:
            show()


def table(
    frame: pd.DataFrame,
    *,
    name: str,
    alt: str = "",
    digits: int | None = None,
    labels: Mapping[str, str] | None = None,
    formats: Mapping[str, str] | None = None,
    written: Mapping[str, Callable[[Any], str]] | None = None,
) -> None:
    """Show what is drawn as a table, the first rows of a long one, with its CSV in full precision to take away.

    `alt` is its translated name for those who hear it; `digits` are the significant ones of fractions on screen, where
    the table's own way, four decimals, would make small numbers look alike; `formats` are those of single columns.
    `written` are columns that are shown as the text which a function makes of each number, for numbers that the table
    cannot show: infinite ones, and none at all.
    `labels` are translated headings; the CSV keeps the columns' own names.
    """
    st.space("small")  # for the table's own tools, which float above it
    fractions = frame.select_dtypes("float").columns.tolist() if digits else []
    printed = dict.fromkeys(fractions, f"%.{digits}g") | {
        column: way for column, way in (formats or {}).items() if column in frame
    }
    config: dict[str, Any] = {
        column: st.column_config.NumberColumn((labels or {}).get(column), format=printed[column])
        if column in printed
        else (labels or {}).get(column, column)
        for column in frame.columns
    }
    shown = frame.head(MOST_ROWS)
    for column, write in (written or {}).items():
        shown = shown.assign(**{column: shown[column].map(write)})
        config[column] = st.column_config.TextColumn((labels or {}).get(column), alignment="right")
    st.dataframe(shown, hide_index=True, alt=alt or name, column_config=config)
    if len(frame) > MOST_ROWS:
        sentence = _("These are the first {most:,} of {count:,} rows; the CSV has them all.")
        st.caption(sentence.format(most=MOST_ROWS, count=len(frame)))
    st.download_button(
        _("Download CSV"),
        lambda: frame.to_csv(index=False),
        file_name=f"{name}.csv",
        mime="text/csv",
        on_click="ignore",
        icon=":material/download:",
        key=f"{name}_csv",
    )


def code_panel(make_source: Callable[[], str], *, name: str) -> None:
    """Offer the complete script of what is shown: to read, to copy, to download as .py or .ipynb."""

    def show() -> None:
        source = make_source()
        st.markdown(_("A complete PyTorch script for exactly what this page shows now."))
        with st.container(horizontal=True):
            _download(_("Download .py"), source, f"{name}.py", "text/x-python")
            _download(_("Download .ipynb"), notebook(source), f"{name}.ipynb", "application/x-ipynb+json")
        st.code(source, language="python", line_numbers=True)

    part(_("The code"), show, key="code")


def _download(label: str, data: str, file_name: str, mime: str) -> None:
    st.download_button(
        label, data, file_name=file_name, mime=mime, on_click="ignore", icon=":material/download:", key=file_name
    )


def notebook(source: str) -> str:
    """Wrap a script as a notebook of one cell (format: https://nbformat.readthedocs.io/en/latest/format_description.html)."""
    cell: dict[str, object] = {
        "cell_type": "code",
        "id": "script",
        "execution_count": None,
        "metadata": {},
        "outputs": [],
        "source": source.splitlines(keepends=True),
    }
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return json.dumps(
        {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": kernel}, "cells": [cell]}, indent=1
    )


def leading_up(key: str) -> str:
    """Return the key of a button that changes the page's first picture: a press brings it into view (frame.js)."""
    return f"up_{key}"


def suggestion(text: str, act: Callable[..., None], *args: object, key: str) -> None:
    """Offer something to try, which is set at the head of the page; a press leads up there."""
    st.button(text, key=leading_up(key), type="tertiary", icon=":material/arrow_forward:", on_click=act, args=args)


def predict(*, key: str, question: str, options: list[str], answer: int, explanation: str) -> None:
    """Ask first, tell afterwards: the answer appears when the reader has chosen one and asks for it."""
    chosen = st.radio(question, range(len(options)), index=None, format_func=options.__getitem__, key=key)
    revealed = st.button(_("Reveal"), key=f"{key}_reveal", disabled=chosen is None)
    if revealed:
        st.session_state[f"{key}_revealed"] = chosen
    if chosen is None or st.session_state.get(f"{key}_revealed") != chosen:
        return
    if chosen == answer:
        status(_("Right.") + " " + explanation, "good")
    else:
        status(_("No: {answer}.").format(answer=options[answer]) + " " + explanation, "warning")
