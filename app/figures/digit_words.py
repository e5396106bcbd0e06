"""What is said about a drawn digit: what the networks see, what each step did, where the gradient is large."""

from collections.abc import Mapping, Sequence

from app.figures.convolution_words import below_zero
from app.figures.digit_names import settings
from app.figures.numbers import numeral
from app.figures.numbers import percent as of_hundred
from app.figures.run_names import SAID
from app.i18n import _, enumerated
from app.page import Kind
from core.datasets import MEAN, STD
from core.digits import FIELD, PEN, RARE, SIDE, SMALL, Centred, Drawing, ink_share, usual_ink
from core.errors import InputError
from core.predict import Net, Prediction
from core.saliency import Saliency

Answer = Prediction | InputError | None  # of a network; None where nothing was asked

SURE = 0.995  # from here on a probability would be rounded to 100 %
VISIBLE = 0.005  # from here on a number is not 0 with two decimals
MANY = 3  # networks that agree among others that do not are not named one by one


def percent(probability: float) -> str:
    """Write a probability; one that is not 1 is not written as 100 %."""
    return "> 99 %" if probability >= SURE else f"{100 * probability:.0f} %"


def verdict(answer: Answer) -> str:
    """Say what a network sees, in a few characters."""
    if not isinstance(answer, Prediction):
        return ""
    if answer.digit is None:
        return _("not finite")
    return _("{digit} ({probability})").format(digit=answer.digit, probability=percent(answer.confidence))


def titles(names: Sequence[str], nets: Sequence[Net]) -> list[str]:
    """Name each network with how good it is on the test images.

    Where they were trained on unlike numbers of images these are said, else the epochs whose weights answer.
    """
    alike = len({net.spec.train_images for net in nets}) == 1
    return [_title(name, net, alike) for name, net in zip(names, nets, strict=True)]


def _title(name: str, net: Net, alike: bool) -> str:
    said = SAID["train_images"]
    images = _(said).format(value=f"{net.spec.train_images:,}")
    if not alike and images not in name:
        return _("{name} · {images}: {accuracy}").format(name=name, images=images, accuracy=of_hundred(net.accuracy))
    return _("{name} · epoch {epoch}: {accuracy}").format(name=name, epoch=net.epoch, accuracy=of_hundred(net.accuracy))


def whose_weights() -> str:
    """Say which of a run's weights answer."""
    return _(
        "Each network answers with its weights after the epoch in which it was best on the test images; the percentage "
        "is its test accuracy after that epoch."
    )


def details(net: Net) -> str:
    """Write a network's settings, and which of its weights answer."""
    return _("{settings}; weights after epoch {epoch} of {epochs}").format(
        settings=settings(net.spec), epoch=net.epoch, epochs=net.spec.epochs
    )


def a_digit(digit: int) -> str:
    """Write a digit with its article."""
    return _("an 8") if digit == 8 else _("a {digit}").format(digit=digit)


def status(
    names: Sequence[str], answers: Sequence[Answer], drawing: Drawing, small: Centred | None
) -> tuple[str, Kind]:
    """Say what the networks see, as a sentence and its kind; of what is hardly a digit that first."""
    if not names:
        return _("No trained network is there yet. Start a run above; the quick one takes a few seconds."), "warning"
    if all(answer is None for answer in answers):
        if drawing == Drawing():
            return _(
                "Draw a digit, or begin with one of the test set; the networks say at once what they see."
            ), "neutral"
        return _("This is no more than a dot; draw a digit that fills most of the pad."), "warning"
    sentence, kind = _agreement(
        {name: answer for name, answer in zip(names, answers, strict=True) if isinstance(answer, Prediction)}
    )
    odd = unlike(small) if small else ""
    return (f"{odd} {sentence}", "warning") if odd else (sentence, kind)


def unlike(small: Centred) -> str:
    """Say that a drawing has far more or far less ink than MNIST's digits, or nothing."""
    low, high = usual_ink()
    share = ink_share(small.field)
    if low <= share <= high:
        return ""
    digits = 0
    while round(100 * low, digits) <= round(100 * share, digits) <= round(100 * high, digits):
        digits += 1  # until what is printed lies outside as well
    return _(
        "This is hardly a digit: {share} of the small image is ink; among MNIST's training images {most} have {low} "
        "to {high}. A network must choose one of ten all the same."
    ).format(
        share=f"{100 * share:.{digits}f} %",
        most=f"{100 * (1 - 2 * RARE):.1f} %",
        low=f"{100 * low:.{digits}f} %",
        high=f"{100 * high:.{digits}f} %",
    )


def _agreement(predictions: Mapping[str, Prediction]) -> tuple[str, Kind]:
    seen = {name: answer.digit for name, answer in predictions.items() if answer.digit is not None}
    if not seen:
        return _("No network has an answer: what they compute is not finite."), "bad"
    if len(seen) == 1:
        ((name, digit),) = seen.items()
        return _("{name} sees {digit}, with probability {probability}.").format(
            name=name, digit=a_digit(digit), probability=percent(predictions[name].confidence)
        ), "neutral"
    if len(set(seen.values())) == 1:
        return _("All {count} networks see {digit}.").format(count=len(seen), digit=a_digit(min(seen.values()))), "good"
    return _("The networks disagree. {answers}.").format(answers=_("; ").join(_groups(seen))), "warning"


def _groups(seen: Mapping[str, int]) -> list[str]:
    """Name for each digit the networks that see it; the largest group comes last and may be the others."""
    groups = {digit: [name for name, other in seen.items() if other == digit] for digit in sorted(set(seen.values()))}
    said = []
    for digit, members in sorted(groups.items(), key=lambda group: len(group[1])):
        others = len(members) >= MANY and digit == max(groups, key=lambda digit: len(groups[digit]))
        names = _("the other {count}").format(count=len(members)) if others else enumerated(members)
        said.append(_("{digit}: {names}").format(digit=digit, names=names))
    return said


def bars_alternative(names: Sequence[str], answers: Sequence[Answer]) -> str:
    """Describe the bars: each network's answer and its next best."""
    sentences = []
    for name, answer in zip(names, answers, strict=True):
        if not isinstance(answer, Prediction):
            continue
        if answer.digit is None:
            sentences.append(_("{name}: not finite.").format(name=name))
            continue
        order = sorted(range(10), key=lambda digit: -answer.probabilities[digit])
        sentences.append(
            _("{name}: {digit} with probability {first}, next {second} with {then}.").format(
                name=name,
                digit=order[0],
                first=percent(answer.confidence),
                second=order[1],
                then=percent(answer.probabilities[order[1]]),
            )
        )
    return " ".join(sentences) or _("Ten bars for each network, all empty.")


def hint(drawing: Drawing, small: Centred) -> str:
    """Say where a drawing is unlike those that the networks have learned, or nothing."""
    if drawing.strokes and drawing.example is None and max(small.cropped.shape) < SMALL:
        width = PEN * small.factor
        return _(
            "Drawn this small, the lines become {width:.1f} pixels wide; those of MNIST are about {usual:.1f}. Draw "
            "the digit larger, and the networks will know it better."
        ).format(width=width, usual=PEN * FIELD / SIDE)
    return ""


def sizes(small: Centred) -> list[str]:
    """Return what stands under each image: rows × columns, and of the last one the values."""
    shapes = [array.shape for array in (small.drawn, small.cropped, small.scaled, small.field)]
    low, high = -MEAN / STD, (small.field.max() - MEAN) / STD
    return [f"{rows} × {columns}" for rows, columns in shapes] + [f"{_number(low)} … {_number(high)}"]


def captions(small: Centred) -> list[str]:
    """Explain each step with its numbers."""
    top, left, bottom, right = small.box
    high, wide = small.cropped.shape
    rows, columns = small.scaled.shape
    return [
        _("What was drawn, as {high} × {wide} pixels: 0 is paper, 1 is ink, between them lies a soft edge.").format(
            high=small.drawn.shape[0], wide=small.drawn.shape[1]
        ),
        _(
            "The smallest rectangle that holds all ink: rows {top} to {bottom}, columns {left} to {right}. Where on "
            "the pad it was drawn is forgotten."
        ).format(top=top, bottom=bottom - 1, left=left, right=right - 1),
        _(
            "Scaled with its proportions until the longest side has 20 pixels: {high} × {wide} become {rows} × "
            "{columns}. Each new pixel is the mean of the {size:.1f} × {size:.1f} old ones under it, so edges turn "
            "grey (anti-aliasing). How large it was drawn is forgotten."
        ).format(high=high, wide=wide, rows=rows, columns=columns, size=1 / small.factor),
        _(
            "The centre of mass is the mean place of the ink, here row {row:.1f}, column {column:.1f}. It comes to the "
            "middle of a field of 28 × 28 pixels, as near as whole pixels allow."
        ).format(row=small.mass[0], column=small.mass[1]),
        _(
            "Minus the mean {mean}, divided by the deviation {std} of all training pixels: paper becomes {low}, the "
            "darkest ink {high}. This is what the networks get."
        ).format(mean=MEAN, std=STD, low=_number(-MEAN / STD), high=_number((small.field.max() - MEAN) / STD)),
    ]


def saliency_in_words(name: str, found: Saliency) -> str:
    """Say how to read the map, and how strong it is at most."""
    return _(
        "The slope of {name}'s score for {digit} in each pixel: more ink on blue raises the score, more ink on "
        "{colour} lowers it; squares are the ink that is there. The strongest slope is {largest}: a tenth of ink "
        "there changes the score by {change}."
    ).format(
        name=name,
        digit=found.digit,
        colour=below_zero(),
        largest=_slope(strongest(found)),
        change=_slope(strongest(found) / 10),
    )


def saliency_alternative(name: str, found: Saliency) -> str:
    """Describe the map of the gradient."""
    row, column = divmod(int(abs(found.gradient).argmax()), found.gradient.shape[1])
    return _(
        "28 × 28 cells, the gradient of {name}'s score for {digit}. It is strongest in row {row}, column {column}: "
        "{largest}."
    ).format(name=name, digit=found.digit, row=row, column=column, largest=_slope(strongest(found)))


def strongest(found: Saliency) -> float:
    """Return the entry of the gradient that is farthest from 0."""
    return float(found.gradient.flat[abs(found.gradient).argmax()])


def _slope(value: float) -> str:
    """Write a slope; one that two decimals would make nothing of keeps two digits."""
    if abs(value) >= VISIBLE or not value:
        return _number(value)
    return numeral(value, 2)


def _number(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")
