"""How numbers are written in sentences, tables and labels: few digits, a true minus, powers of ten."""

import re

_POWER = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)e([+-]?\d+)(?![\w.])")  # as Python writes a number with an exponent
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def numeral(value: float, digits: int) -> str:
    """Write a number with so many digits at most, one of five places before the point in full.

    >>> numeral(0.0000123, 2), numeral(12345.0, 2), numeral(1e8, 2)
    ('1.2·10⁻⁵', '12000', '10⁸')
    """
    text = f"{value:.{digits}g}"
    return tidy(f"{float(text):.0f}" if "e" in text and 1 <= abs(float(text)) < 1e5 else text)


def percent(share: float, decimals: int = 2) -> str:
    """Write a share of 1; two decimals are what ten thousand test images give it."""
    return f"{100 * share:.{decimals}f} %"


def tidy(written: str) -> str:
    """Rewrite numbers as Python writes them: with a true minus, and 8.18·10⁻⁹ for 8.18e-09, as in the formulas."""
    return _POWER.sub(_power, written).replace("-", "−")


def _power(number: re.Match[str]) -> str:
    power = f"10{str(int(number[2])).translate(_SUPERSCRIPTS)}"
    return power if number[1] == "1" else f"{number[1]}·{power}"
