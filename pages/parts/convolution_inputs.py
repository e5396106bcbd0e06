"""Inputs of the convolution page: numbers and matrices that are typed, each kept in the link."""

import streamlit as st

from app import link
from core.errors import InputError

FIRST_OWN = {"x": "0 0 0 0 0 0; 0 9 9 9 9 0; 0 9 0 0 9 0; 0 9 0 0 9 0; 0 9 9 9 9 0; 0 0 0 0 0 0", "k": "1 1; 1 1"}


def number_of(label: str, key: str, value: float, low: float, high: float) -> float:
    link.check_number(key, low, high)
    return st.number_input(
        label,
        float(low),
        float(high),
        float(value),
        1.0,
        format="%g",
        key=key,
        bind="query-params",
        persist_state="session",
    )


def whole(label: str, key: str, value: int, low: int, high: int) -> int:
    """Draw an input for a whole number; raises InputError where it is none."""
    given = number_of(label, key, value, low, high)
    if given != int(given):
        raise InputError("{label} must be a whole number, not {value:g}.", label=label, value=given)
    return int(given)


def typed(label: str, key: str) -> str:
    return st.text_input(label, FIRST_OWN[key], key=key, max_chars=4000, bind="query-params", persist_state="session")
