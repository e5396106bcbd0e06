"""Edits of the table, as Streamlit reports them."""

import pytest

from app.points import edited_rows
from core.points import PRESETS, Points, from_rows

COURSE = PRESETS["course"].points


@pytest.mark.parametrize(
    ("changes", "x", "y"),
    [
        ({}, (1, 2, 3), (2, 4, 6)),
        ({"edited_rows": {1: {"y": "5"}}}, (1, 2, 3), (2, 5, 6)),
        ({"edited_rows": {"1": {"y": "5", "x": "0.5"}}}, (1, 0.5, 3), (2, 5, 6)),
        ({"added_rows": [{"x": "4", "y": "8"}, {}]}, (1, 2, 3, 4), (2, 4, 6, 8)),
        ({"deleted_rows": [0], "edited_rows": {2: {"x": "9"}}}, (2, 9), (4, 6)),
        ({"deleted_rows": [0, 1, 2], "added_rows": [{"x": "1", "y": "1"}]}, (1,), (1,)),
    ],
)
def test_edits_are_applied_to_the_rows_that_were_shown(changes, x, y):
    all_changes = {"edited_rows": {}, "added_rows": [], "deleted_rows": []} | changes
    assert from_rows(edited_rows(COURSE, all_changes)) == Points(x=x, y=y)
