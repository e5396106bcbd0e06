"""Formulas with live numbers, for the player: MathML whose numbers are Vega expressions.

Each piece is a <math> of its own, so that a long sum can break into lines on a phone.
"""

from app.figures.line import LOSS_NOW, shown

MOST_TERMS = 4  # samples; a longer sum shows its first two and its last
FRAME = "data('frame')[0]"


def written_mse(count: int) -> str:
    """Write the mean squared error of `count` samples out: 1/3[(1·w−2)² + …] = 1/3[1.00 + …] = 4.67.

    The numbers are read from the chart's sources "points" and "frame" and from its parameter w.
    """
    places: list[int | None] = [*range(count)] if count <= MOST_TERMS else [0, 1, None, count - 1]
    fraction = _math(f"<mfrac><mn>1</mn><mn>{count}</mn></mfrac><mo>[</mo>")
    end = _math("<mo>]</mo>")
    with_w = _sum([_term(place) for place in places])
    squared = _sum([_square(place) for place in places])
    loss = shown(LOSS_NOW.replace("$", FRAME))
    result = _math(f"<mo>=</mo><mn class='q-loss'><b>{{{{{loss}}}}}</b></mn>")
    return f"{fraction} {with_w} {end} {_math('<mo>=</mo>')} {fraction} {squared} {end} {result}"


def _math(inner: str) -> str:
    return f"<math>{inner}</math>"


def _sum(pieces: list[str]) -> str:
    plus = "<mo>+</mo>"
    return " ".join(_math((plus if index else "") + piece) for index, piece in enumerate(pieces))


def _term(place: int | None) -> str:
    """Write (x·w - y)² of one sample."""
    if place is None:
        return "<mo>⋯</mo>"
    x, y = _cell(place, "x"), _cell(place, "y")
    return (
        f"<msup><mrow><mo>(</mo><mn>{x}</mn><mo>·</mo><mn class='q-weight'>{{{{w|.2f}}}}</mn>"
        f"<mo>−</mo><mn>{y}</mn><mo>)</mo></mrow><mn>2</mn></msup>"
    )


def _square(place: int | None) -> str:
    """Write the value of one sample's term."""
    if place is None:
        return "<mo>⋯</mo>"
    row = f"data('points')[{place}]"
    residual = f"(w * {row}.x - {row}.y)"
    return f"<mn class='q-residual'>{{{{{shown(f'{residual} * {residual}')}}}}}</mn>"


def _cell(place: int, field: str) -> str:
    """Write a coordinate, in brackets where a sign would follow a sign."""
    value = f"data('points')[{place}].{field}"
    number = f"format({value}, '.6~g')"
    return f"{{{{{value} < 0 ? '(' + {number} + ')' : {number}}}}}"
