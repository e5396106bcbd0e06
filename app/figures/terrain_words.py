"""The sentences about walks down a terrain, each computed from what is shown."""

from app.figures.mse_words import number
from app.figures.solid import NUDGE, starts
from app.figures.terrain import GOOD, SENTENCE, SENTENCE_2D, SHORT, sentence_about
from app.figures.written import live, spoken
from app.i18n import _, ngettext
from app.page import Kind
from core.chord import chord, convexity
from core.terrain import TERRAINS
from core.walk import Walk, judge, walk


def walk_in_words(name: str, walked: Walk, lr: float) -> str:
    """Write the text alternative: the function, the walk, and where it ended."""
    terrain = TERRAINS[name]
    places = [", ".join(map(number, place)) for place in walked.at[[0, -1]]]
    sentence = _(
        "{title}. Gradient descent with learning rate {lr} starts at {start} and is at {end} after {count} updates. "
        "{verdict}"
    )
    return sentence.format(
        title=_(terrain.title),
        lr=number(lr),
        start=f"{', '.join(terrain.names)} = {places[0]}",
        end=places[1],
        count=len(walked.value) - 1,
        verdict=verdict(name, walked)[0],
    )


def verdict(name: str, walked: Walk) -> tuple[str, Kind]:
    """Say what became of a walk."""
    found = judge(name, walked)
    return sentence_about(found), "good" if found.kind in GOOD else "warning"


def happening(variables: tuple[str, ...]) -> str:
    """Write what the browser says about the present start: the end of its walk."""
    if len(variables) == 1:
        start, said = spoken(_("Start at x = {x}. "), x="format(start, '.2~f')"), SENTENCE
    else:
        numbers = {"u": "format(u, '.2~f')", "v": "format(v, '.2~f')"}
        start, said = spoken(_("Start at u = {u}, v = {v}. "), **numbers), SENTENCE_2D
    return f"<div>{live(f'{start} + {said}')}</div>"


def share_of_starts(kinds: list[str]) -> tuple[str, Kind]:
    """Say what becomes of the walks from all starts that are tried."""
    count = len(kinds)
    parts = []
    for sort, found in SORTS.items():
        number_of = sum(kind in found for kind in kinds)
        if number_of == count:
            return _whole(sort).format(count=count), "good" if sort in ("lowest", "down") else "warning"
        if number_of:
            parts.append(_part(sort, number_of).format(count=number_of))
    sentence = _("Of {count} starts at even distances {parts}.")
    return sentence.format(count=count, parts=_("; ").join(parts)), "warning"


# What becomes of walks, in the order in which it is said -> the verdicts that this sums up.
SORTS = {
    "lowest": ("minimum",),
    "down": ("bottomless",),
    "held": ("local minimum", "saddle", "maximum", "inflection"),
    "slow": ("plateau", "flat"),
    "jumping": ("jumping", "restless"),
    "gone": ("diverged",),
    "moving": ("moving",),
}


def _whole(sort: str) -> str:
    """Say that the walks from all {count} starts end alike."""
    return {
        "lowest": _("From all {count} starts, at even distances, the walk ends in the lowest minimum."),
        "down": _("From all {count} starts, at even distances, the walk goes down without end."),
        "held": _("From all {count} starts, at even distances, the walk is held where the gradient is zero."),
        "slow": _("From all {count} starts, at even distances, the walk creeps where it is nearly flat."),
        "jumping": _("From all {count} starts, at even distances, the walk jumps to and fro: its steps are too long."),
        "gone": _("From all {count} starts, at even distances, the walk leaves the picture: its steps are too long."),
        "moving": _("From all {count} starts, at even distances, the walk is still on its way."),
    }[sort]


def _part(sort: str, count: int) -> str:
    """Say how {count} of the walks end."""
    return {
        "lowest": ngettext("{count} ends in the lowest minimum", "{count} end in the lowest minimum", count),
        "down": ngettext("{count} goes down without end", "{count} go down without end", count),
        "held": ngettext(
            "{count} is held elsewhere by a gradient of zero", "{count} are held elsewhere by a gradient of zero", count
        ),
        "slow": ngettext("{count} creeps where it is nearly flat", "{count} creep where it is nearly flat", count),
        "jumping": ngettext("{count} jumps to and fro", "{count} jump to and fro", count),
        "gone": ngettext(
            "{count} leaves the picture with ever longer steps",
            "{count} leave the picture with ever longer steps",
            count,
        ),
        "moving": ngettext("{count} is still on its way", "{count} are still on their way", count),
    }[sort]


def is_convex(name: str) -> tuple[str, Kind]:
    """Say whether a curve is convex on the part that is drawn, and name a chord that shows it."""
    found = convexity(name)
    if found.example is None:
        return _("No chord of this curve has the curve above it: it is convex here."), "good"
    sentence = _("It is not convex: between x = {a} and x = {b} the curve rises above its chord by up to {rise}.")
    numbers = {"a": found.example.a[0], "b": found.example.b[0], "rise": found.example.rise}
    return sentence.format(**{key: number(value) for key, value in numbers.items()}), "warning"


def two_paths(name: str) -> str:
    """Say what the two walks in 3-D show."""
    terrain = TERRAINS[name]
    first, second = starts(terrain)
    sentence = _("Two walks that start {nudge} apart, at v = {first} and v = {second}. Turn it by dragging.")
    return sentence.format(nudge=number(NUDGE), first=number(first[1]), second=number(second[1]))


def solid_in_words(name: str, lr: float) -> str:
    """Write the text alternative of the picture in 3-D."""
    ends = [verdict(name, walk(name, start, lr, SHORT))[0] for start in starts(TERRAINS[name])]
    sentence = _(
        "{title}, in 3-D, with two walks that start next to each other. The first: {first} The second: {second}"
    )
    return sentence.format(title=_(TERRAINS[name].title), first=ends[0], second=ends[1])


def chord_in_words(name: str, a: float, b: float) -> str:
    """Write the text alternative of the curve with a chord."""
    found = chord(name, (a,), (b,))
    numbers = {"a": number(a), "b": number(b), "rise": number(found.rise)}
    sentence = _("The curve with a chord from a = {a} to b = {b}; the curve rises above it by up to {rise}.")
    if found.rise_at is None:
        sentence = _("The curve with a chord from a = {a} to b = {b}; the curve stays below it.")
    return f"{_(TERRAINS[name].title)}. " + sentence.format(**numbers)
