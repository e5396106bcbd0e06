"""English and Simplified Chinese: English is the source text, catalogues hold the rest.

The catalogues are plain `.po` files under `app/locale`; they are compiled in memory when first needed, so there is
no binary file that could be older than its source.
"""

import gettext as _gettext
import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path

import streamlit as st
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from app.choice import choice
from core.errors import InputError, Names
from core.messages import N_

__all__ = [
    "KEY",
    "LANGUAGES",
    "N_",
    "_",
    "enumerated",
    "error_sentence",
    "language",
    "language_switch",
    "ngettext",
    "speaking",
]

LOCALE = Path(__file__).parent / "locale"
LANGUAGES = {"en": "English", "zh": "简体中文"}  # as in the URL: ?lang=zh
_CATALOGUES = {"zh": "zh_CN"}  # en needs none: it is the source text
KEY = "lang"
_spoken: ContextVar[str | None] = ContextVar("spoken", default=None)  # where there is no session


@lru_cache(maxsize=len(LANGUAGES))
def translations(code: str) -> _gettext.NullTranslations:
    """Compile the catalogue of a language; English answers with the source text itself."""
    if code not in _CATALOGUES:
        return _gettext.NullTranslations()
    path = LOCALE / _CATALOGUES[code] / "LC_MESSAGES" / "messages.po"
    with path.open("rb") as source:
        catalogue = read_po(source, locale=_CATALOGUES[code])
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return _gettext.GNUTranslations(compiled)


def browser_language() -> str:
    """Return the code of the language that the browser asks for, English where it is neither."""
    return "zh" if (st.context.locale or "").lower().startswith("zh") else "en"


def language() -> str:
    """Return the code of this session's language: the switch, or the browser's before there is one."""
    if (spoken := _spoken.get()) is not None:
        return spoken
    chosen = st.session_state.get(KEY)
    return chosen if chosen in LANGUAGES else browser_language()


@contextmanager
def speaking(code: str) -> Iterator[None]:
    """Let a thread that has no session speak the language with this code."""
    token = _spoken.set(code)
    try:
        yield
    finally:
        _spoken.reset(token)


def language_switch() -> None:
    """Draw the switch; its position is part of the URL."""
    choice("Language · 语言", LANGUAGES, key=KEY, default=browser_language())


def _(message: str) -> str:
    """Translate one message into this session's language."""
    return translations(language()).gettext(message)


def ngettext(singular: str, plural: str, n: int) -> str:
    """Translate a message that depends on a count."""
    return translations(language()).ngettext(singular, plural, n)


def error_sentence(error: InputError) -> str:
    """Translate the template of an input error and fill in its values.

    Several names are listed as the language does, and a reason is translated where it is a sentence of ours.
    """
    return _(error.message).format(**{name: _value(name, value) for name, value in error.values.items()})


def _value(name: str, value: object) -> object:
    if isinstance(value, Names):
        return enumerated(value)
    return _(value) if name == "reason" and isinstance(value, str) and value else value


def enumerated(names: Iterable[str]) -> str:
    """Write names after each other, as the language does."""
    return _(", ").join(names)
