"""Numbers as a reader takes them from the page."""

import re
import unicodedata

SUPERSCRIPTS = re.compile("[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+")


def plain(text):
    """Return the number that a text such as "−1.7·10¹⁰" says."""
    power = SUPERSCRIPTS.search(text)
    mantissa = text[: power.start()].removesuffix("10").removesuffix("·") if power else text
    sign = {"": "1", "−": "-1"}.get(mantissa, mantissa.replace("−", "-"))
    exponent = unicodedata.normalize("NFKC", power[0]).replace("−", "-") if power else "0"
    return float(f"{sign}e{exponent}")


def width(text):
    """Return about how many characters wide a number is; the raised ones are half as wide."""
    return len(text) - sum(map(len, SUPERSCRIPTS.findall(text))) / 2
