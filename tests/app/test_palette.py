import pytest

from app.palette import BACKGROUND, QUANTITIES


def luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("quantity", sorted(set(QUANTITIES) - {"grid", "background"}))
def test_text_in_the_colour_of_a_quantity_can_be_read_on_both_grounds(quantity):
    colour = QUANTITIES[quantity]
    assert contrast(colour.light, BACKGROUND.light) >= 4.5
    assert contrast(colour.dark, BACKGROUND.dark) >= 4.5
