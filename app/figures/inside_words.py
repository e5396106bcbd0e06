"""The sentences beside the picture of the state inside a network, computed from its records."""

import math
from collections.abc import Sequence

from app.figures.numbers import numeral
from app.figures.training_words import joined
from app.i18n import _, ngettext
from app.page import Kind
from core.records import Inside

VANISHED = 1e-3  # a first layer whose gradient is so small a share of the last one's hardly learns
SHRUNK = 0.05
GROWN = 20.0
DEAD = 0.1  # a share of channels that is worth a word


def headline(inside: Inside, *, name: str = "") -> tuple[str, Kind]:
    """Say what the gradient does on its way back through a network, and how good that is."""
    ratio = gradient_ratio(inside)
    where = _("before the first step") if inside.epoch == 0 else _("after epoch {epoch}").format(epoch=inside.epoch)
    first, last = (layer.name for layer in (inside.layers[0], inside.layers[-1]))
    kind: Kind = "neutral"
    if ratio is None:
        sentence, kind = _("{where} the gradient is no longer a finite number: the run has diverged."), "bad"
    elif ratio == 0:
        sentence, kind = _("{where} the gradient of the first layer ({first}) is 0: it does not learn at all."), "bad"
    elif ratio < VANISHED:
        sentence = _(
            "{where} the gradient of the first layer ({first}) is 1/{share} of that of the last one ({last}): it "
            "hardly learns."
        )
        kind = "bad"
    elif ratio < SHRUNK:
        sentence = _(
            "{where} the gradient of the first layer ({first}) is 1/{share} of that of the last one ({last}): it "
            "shrinks on its way back."
        )
        kind = "warning"
    elif ratio <= GROWN:
        sentence = _(
            "{where} the gradient reaches the first layer ({first}): there it is {ratio} times that of the last one "
            "({last})."
        )
        kind = "good"
    else:
        sentence = _(
            "{where} the gradient grows on its way back: at the first layer ({first}) it is {ratio} times that of the "
            "last one ({last})."
        )
        kind = "warning"
    text = sentence.format(where=where, first=first, last=last, share=_share(ratio), ratio=_times(ratio))
    return (_("{name}: {text}").format(name=name, text=text) if name else text[:1].upper() + text[1:]), kind


def gradient_ratio(inside: Inside) -> float | None:
    """Return the first layer's gradient norm as a share of the last one's; None where they are not finite."""
    first, last = inside.layers[0].gradient_norm, inside.layers[-1].gradient_norm
    if not (math.isfinite(first) and math.isfinite(last)):
        return None
    if last == 0:
        return 0.0 if first == 0 else None
    return first / last


def _share(ratio: float | None) -> str:
    """Write the inverse of a ratio with two digits, as 40,000."""
    if not ratio:
        return ""
    inverse = 1 / ratio
    digits = max(0, math.floor(math.log10(inverse)) - 1)
    return f"{round(inverse / 10**digits) * 10**digits:,}" if inverse < 1e12 else numeral(inverse, 1)


def _times(ratio: float | None) -> str:
    """Write a ratio with two digits."""
    if ratio is None:
        return ""
    return f"{float(f'{ratio:.2g}'):,.0f}" if 10 <= ratio < 1e12 else numeral(ratio, 2)


def captions(runs: Sequence[Sequence[Inside]], names: Sequence[str], epochs: int) -> list[str]:
    """Say for each epoch what the gradient, the weights and the ReLUs of each run do."""
    said = []
    for epoch in range(epochs + 1):
        sentences = []
        for insides, name in zip(runs, names, strict=True):
            present = max((inside for inside in insides if inside.epoch <= epoch), key=lambda inside: inside.epoch)
            sentences.append(headline(present, name=name if len(runs) > 1 else "")[0])
            if len(runs) == 1:
                sentences += [_moved(present), _dead(present)]
        said.append(joined(sentences))
    return said


def _moved(inside: Inside) -> str:
    if inside.epoch == 0:
        return ""
    finite = [layer for layer in inside.layers if math.isfinite(layer.change)]
    if len(finite) < len(inside.layers):
        return ""
    most, least = max(finite, key=lambda layer: layer.change), min(finite, key=lambda layer: layer.change)
    return _("The weights of {most} have moved most ({high}), those of {least} least ({low}).").format(
        most=most.name, high=_percent(most.change), least=least.name, low=_percent(least.change)
    )


def _percent(share: float) -> str:
    return f"{100 * share:,.0f} %" if share >= 0.0995 else f"{100 * share:.2g} %"


def _dead(inside: Inside) -> str:
    """Say how many ReLUs have dead channels."""
    many = [share for share in inside.dead if share >= DEAD]
    if not many:
        return _("No ReLU has more than a tenth of its channels dead.") if inside.dead else ""
    worst = max(inside.dead)
    return ngettext(
        "In {n} of {count} ReLUs a tenth of the channels or more is dead; at worst {share} in ReLU {place}.",
        "In {n} of {count} ReLUs a tenth of the channels or more is dead; at worst {share} in ReLU {place}.",
        len(inside.dead),
    ).format(
        n=len(many), count=len(inside.dead), share=f"{100 * worst:.0f} %", place=1 + list(inside.dead).index(worst)
    )


def alternative(runs: Sequence[Sequence[Inside]], names: Sequence[str]) -> str:
    """Say what the picture shows at its last epoch, for a reader who cannot see it."""
    sentences = [
        _(
            "Four plots over the layers, from input to output: the norm of the gradient on a logarithmic axis, the "
            "change of the weights, their norm, and the share of dead channels of each ReLU."
        )
    ]
    for insides, name in zip(runs, names, strict=True):
        last = insides[-1]
        chosen = _chosen(last)
        listed = ", ".join(f"{layer.name} {numeral(layer.gradient_norm, 2)}" for layer in chosen)
        sentences.append(headline(last, name=name if len(runs) > 1 else "")[0])
        sentences.append(_("Gradients: {listed}.").format(listed=listed))
    return joined(sentences)


def _chosen(inside: Inside) -> list:  # type: ignore[type-arg]
    layers = inside.layers
    if len(layers) <= 8:
        return list(layers)
    return [layers[round(place * (len(layers) - 1) / 7)] for place in range(8)]
