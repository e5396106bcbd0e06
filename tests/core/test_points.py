"""What people type, paste and upload: everything good is read, everything bad gets one sentence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from core.points import LIMIT, MAX_ROWS, PRESETS, Points, from_csv, from_file, from_rows, from_url, to_url

COURSE = Points(x=(1.0, 2.0, 3.0), y=(2.0, 4.0, 6.0))
VALUES = st.floats(min_value=-LIMIT, max_value=LIMIT)
POINTS = st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=40).map(
    lambda pairs: Points(x=tuple(x for x, _ in pairs), y=tuple(y for _, y in pairs))
)


def refusal(function, *args, **kwargs):
    with pytest.raises(InputError) as caught:
        function(*args, **kwargs)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert ";" in sentence  # what is wrong; what would be right
    return sentence


@pytest.mark.parametrize(
    "text",
    [
        "1,2\n2,4\n3,6",
        "1,2\n2,4\n3,6\n",
        "x,y\n1,2\n2,4\n3,6",
        "hours,points\n1,2\n2,4\n3,6",
        "\n\nx;y\n1;2\n2;4\n\n3;6\n",
        "x\ty\r\n1\t2\r\n2\t4\r\n3\t6\r\n",
        "1 2\n2  4\n 3 6",
        "y,name,x\n2,a,1\n4,b,2\n6,c,3",
        "\ufeffx,y\n1.0,2e0\n+2,4.\n3,6",
        "1，2\n2，4\n3，6",
        '"1","2"\n"2","4"\n"3","6"',
    ],
)
def test_csv_is_read(text):
    assert from_csv(text) == COURSE


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", "no data"),
        (" \n\n ", "no data"),
        ("x,y", "no data"),
        ("x,y\n", "no data"),
        ("1\n2\n3", "Row 1, column y is empty"),
        ("x\n1\n2", "Row 1 has one column"),
        ("1,2,3\n4,5,6", "Row 1 has 3 columns"),
        ("a,b,c\n4,5,6", "Row 1 has 3 columns"),
        ("x,y\n1,2\n2,four", "Row 3, column y: “four” is not a number"),
        ("1,2\nx,4", "Row 2, column x: “x” is not a number"),
        ("1,2\n2,nan", "Row 2, column y: “nan” is not a number"),
        ("1,2\n2,1e308", "Row 2, column y: 1e308 is too large"),
        ("1,2\n-inf,2", "Row 2, column x: -inf is too large"),
        ("1,2\n2,1e999", "Row 2, column y: 1e999 is too large"),
        ("1,2\n,4", "Row 2, column x is empty"),
        ("x,y\n1,2\n2", "Row 3, column y is empty"),
        ("abc", "Row 1, column x: “abc” is not a number"),
        ("1_000,2", "Row 1, column x: “1_000” is not a number"),
        ("x;y\n1,5;2,5", "Row 2: a comma parts the columns; write decimals with a point"),
        ("1,5 2,5", "Row 1: a comma parts the columns; write decimals with a point"),
        ("1,2\n" * (MAX_ROWS + 1), "There are 10,001 rows"),
        ("x,y\n" + "1,2\n" * (MAX_ROWS + 1), "There are 10,001 rows"),
        ("9" * 1_000_001, "more than 1,000,000 characters"),
        ('1,"' + "a" * 200_000, "no table"),
        ("1," + "a" * 100, "“aaaaaaaaaaaaaaaaaaaaaaaa…”"),
    ],
)
def test_csv_is_refused_with_the_place(text, place):
    assert place in refusal(from_csv, text)


@pytest.mark.parametrize("text", ["", "abc", "1,2;3", "1,2;nan,1", "1,2;;3,4;x", "1,2,3", "1,2" + ";1,2" * MAX_ROWS])
def test_nonsense_in_the_link_is_refused(text):
    refusal(from_url, text)


@pytest.mark.parametrize(
    "content", ["x,y\n1,2\n2,4\n3,6", "\ufeffx,y\n1,2\n2,4\n3,6", "小时,分数\r\n1,2\r\n2,4\r\n3,6"]
)
@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_a_file_is_read(content, encoding):
    assert from_file(content.encode(encoding)) == COURSE


def test_a_file_that_is_no_table_is_refused():
    refusal(from_file, b"\x89PNG\r\n\x1a\n\xff\xff")
    refusal(from_file, bytes(1000))
    refusal(from_file, b"")


def test_ten_thousand_rows_are_welcome():
    assert len(from_csv("x,y\n" + "1,2\n" * MAX_ROWS)) == MAX_ROWS


def test_cells_of_a_table_may_be_numbers_text_or_empty():
    assert from_rows([(1, "2"), (None, None), ("2.0", 4.0), ("", ""), (3, " 6 ")]) == COURSE


@pytest.mark.parametrize(
    ("x", "y"),
    [((), ()), ((1.0,), ()), ((float("nan"),), (1.0,)), ((1.0,), (float("inf"),)), ((1e308,), (1.0,))],
)
def test_points_refuse_what_cannot_be_shown(x, y):
    refusal(Points, x=x, y=y)


@given(POINTS)
def test_a_link_gives_back_exactly_the_same_points(points):
    assert from_url(to_url(points)) == points


@given(POINTS)
def test_csv_gives_back_exactly_the_same_points(points):
    rows = zip(points.x, points.y, strict=True)
    assert from_csv("x,y\n" + "\n".join(f"{x!r},{y!r}" for x, y in rows)) == points


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text):
    for parse in (from_csv, from_url):
        try:
            count = len(parse(text))
        except InputError:
            continue
        assert 1 <= count <= MAX_ROWS


def test_the_digest_depends_on_the_content_alone():
    again = Points(x=(1.0, 2.0, 3.0), y=(2.0, 4.0, 6.0))
    assert again.digest == COURSE.digest
    assert Points(x=(2.0, 4.0, 6.0), y=(1.0, 2.0, 3.0)).digest != COURSE.digest
    assert len({preset.points.digest for preset in PRESETS.values()}) == len(PRESETS)


def test_arrays_cannot_be_changed_by_accident():
    with pytest.raises(ValueError, match="read-only"):
        COURSE.arrays[0][0] = 5
