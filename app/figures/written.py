"""Formulas and sentences with live numbers, for the player: templates whose numbers are Vega expressions.

Each piece of a formula is a <math> of its own, so that a long sum can break into lines on a phone.
"""

import re

from app.figures.line import LOSS_NOW, shown

MOST_TERMS = 3  # samples; a longer sum shows its first two and its last
FRAME = "data('frame')[0]"
LOSS = LOSS_NOW.replace("$", FRAME)
EQUALS = "<mo lspace='0' rspace='.3em'>=</mo>"
PLUS = "<mo form='infix' lspace='0' rspace='.25em'>+</mo>"


def written_mse(count: int, *, digits: int = 2, with_bias: bool = False, loss: str = LOSS) -> str:
    """Write the mean squared error of `count` samples out: 1/3[(1·w - 2)² + …] = 1/3[1.00 + …] = 4.67.

    The numbers are read from the chart's source "points" and its parameters w and b, which get `digits` decimals;
    `loss` is the expression of the result.
    """
    places: list[str | None] = [*("0", "1", "length(data('points')) - 1")[:count]]
    if count > MOST_TERMS:
        places.insert(2, None)
    with_w = _mean(count, [_term(place, digits, with_bias=with_bias) for place in places])
    squares = [_square(place, with_bias=with_bias) for place in places]
    squared = _mean(count, squares, before=EQUALS) if count > 1 else ""  # of one sample it is the result itself
    result = f"<math>{EQUALS}<mn class='q-loss'><b>{live(shown(loss))}</b></mn></math>"
    return f"<div style='font-size:.92em'>{with_w} {squared} {result}</div>"


def live(expression: str) -> str:
    """Return the placeholder whose text the browser keeps up to date."""
    return "{{" + expression.replace("&", "&amp;").replace("<", "&lt;") + "}}"


def spoken(template: str, **expressions: str) -> str:
    """Return the Vega expression of a sentence, in which each {name} is a number written by an expression.

    >>> spoken("The slope is {slope}.", slope="format(w, '.2f')")
    "'The slope is ' + (format(w, '.2f')) + '.'"
    """
    pieces = re.split(r"\{(\w+)\}", template)
    texts = [quoted(piece) if index % 2 == 0 else f"({expressions[piece]})" for index, piece in enumerate(pieces)]
    return " + ".join(texts)


def quoted(text: str) -> str:
    """Return a string as Vega's expressions write it."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _mean(count: int, pieces: list[str], *, before: str = "") -> str:
    """Write 1/n[a + b + …]; a line may break before each plus."""
    if count == 1:
        return f"<math>{before}{pieces[0]}</math>"
    fraction = f"<mfrac displaystyle='true'><mn>1</mn><mn>{count}</mn></mfrac>"
    first, *others = pieces
    signed = [f"{before}{fraction}<mo>[</mo>{first}", *(f"{PLUS}{piece}" for piece in others)]
    signed[-1] += "<mo>]</mo>"
    return " ".join(f"<math>{piece}</math>" for piece in signed)


def _term(place: str | None, digits: int, *, with_bias: bool) -> str:
    """Write (x·w + b - y)² of one sample."""
    if place is None:
        return "<mo>⋯</mo>"
    w = f"<mn class='q-weight'>{live(bracketed('w', f'.{digits}f'))}</mn>"
    b = f"<mo>+</mo><mn class='q-bias'>{live(bracketed('b', f'.{digits}f'))}</mn>" if with_bias else ""
    x, y = (live(bracketed(f"data('points')[{place}].{field}", ".6~g")) for field in ("x", "y"))
    inner = f"<mn>{x}</mn><mo>·</mo>{w}{b}<mo>−</mo><mn>{y}</mn>"
    return f"<msup><mrow><mo>(</mo>{inner}<mo>)</mo></mrow><mn>2</mn></msup>"


def _square(place: str | None, *, with_bias: bool) -> str:
    """Write the value of one sample's term."""
    if place is None:
        return "<mo>⋯</mo>"
    row = f"data('points')[{place}]"
    residual = f"(w * {row}.x{' + b' if with_bias else ''} - {row}.y)"
    return f"<mn class='q-residual'>{live(shown(f'{residual} * {residual}'))}</mn>"


def bracketed(value: str, how: str, missing: str = "–") -> str:
    """Return the expression that writes a number, in brackets where its sign would follow another sign."""
    number = f"format({value}, '{how}')"
    return f"!isFinite({value}) ? {quoted(missing)} : {value} < 0 ? '(' + {number} + ')' : {number}"


def known(value: str, how: str, missing: str = "") -> str:
    """Return the expression that writes a number where there is one, and its symbol or nothing where there is none."""
    return f"isFinite({value}) ? format({value}, '{how}') : {quoted(missing)}"
