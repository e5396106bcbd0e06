"""The sentences beside the pictures of gradient descent, each computed from the runs that are shown."""

from collections.abc import Mapping
from functools import lru_cache

from app.figures.descent_clock import FIRST, Steps
from app.figures.descent_data import EXACT, TERMS, samples, written
from app.figures.descent_runs import title_of
from app.figures.mse_words import number
from app.figures.written import bracketed, known, live, quoted
from app.i18n import _, ngettext
from app.page import Kind
from core import mse, verdict
from core.descent import LIMIT, Trajectory
from core.mse import Sweep
from core.points import Points
from core.verdict import Verdict

NOW = "data('follow')[step]"
W0 = f"format({NOW}.w0, '.' + {NOW}.digits + '~g')"


judge = lru_cache(maxsize=24)(verdict.judge)  # of runs that are kept anyway; a second run is made for some


def captions(course: Trajectory, racer: str, beat: Steps, clock: str) -> tuple[str, ...]:
    """Write a sentence for each step: what the last update of the followed method did."""
    none = _("Start: {method} is at {place}, where the loss of all data is {cost}; it has made no update yet.")
    made = _(
        "{method}, update {update} of {updates}, sees {samples}: {name} goes {before} → {after}, the loss is {cost}."
    )
    ends = _("Epoch {epoch} ends with this. ")  # the picture has moved by all updates of the epoch
    name = "(w, b)" if course.spec.with_bias else "w"
    fixed = {"method": title_of(racer, course), "updates": f"{len(course):,}", "name": name}
    start = none.format(place=f"{name} = {_place(course, -1)}", cost=written(course.start_cost, 4), **fixed)
    sentences = []
    for done in beat.done[racer].tolist():
        last = done - 1
        numbers = {"before": _place(course, last - 1), "after": _place(course, last)}
        numbers["cost"] = written(course.cost[last], 4)
        sentence = made.format(update=f"{done:,}", samples=samples(course, last), **numbers, **fixed) if done else start
        if clock == "epochs" and done:
            sentence = ends.format(epoch=int(course.epoch[last])) + sentence
        sentences.append(sentence)
    return tuple(sentences)


def _place(course: Trajectory, update: int) -> str:
    """Write where a run is after an update; before the first one that is -1."""
    w, b = (course.w[update], course.b[update]) if update >= 0 else (course.spec.w, course.spec.b or 0.0)
    return _pair(w, b, with_bias=course.spec.with_bias)


def _pair(w: float, b: float, *, with_bias: bool) -> str:
    """Write w, or (w, b) where the model has a bias."""
    return f"({number(w)}, {number(b)})" if with_bias else number(w)


def fate(course: Trajectory, racer: str) -> tuple[str, Kind]:
    """Say what became of a method's run, at which rate and why."""
    judged = judge(course)
    lr, edge = apart(course.spec.lr, judged.edge)
    best = _pair(judged.lowest.w, judged.lowest.b, with_bias=course.spec.with_bias)
    name = "(w, b)" if course.spec.with_bias else "w"
    numbers = {
        "method": title_of(racer, course),
        "lr": lr,
        "edge": edge,
        "factor": _factor(judged.factor),
        "best": f"{name} = {best}",
        "here": f"{name} = {_place(course, len(course) - 1)}",
        "low": number(judged.low),
        "high": number(judged.high),
        "digits": judged.digits,
        "least": written(judged.lowest.loss, 4),
    }
    template, kind = _verdict(course, judged)
    sentence = template.format(**numbers) + " " + _end(course, judged)
    if course.spec.decay and judged.kind in {"converges", "oscillates", "edge"}:
        sentence += " " + _("The learning rate decays, so this is how it begins.")
    if judged.kind == "circles":
        sentence += " " + _way_out(course)
    return sentence, kind


def apart(value: float, other: float) -> tuple[str, str]:
    """Write two numbers with four digits, or with as many more as tell them apart."""
    for digits in range(4, 16):
        texts = written(value, digits), written(other, digits)
        if texts[0] != texts[1]:
            return texts
    return number(value), number(other)


def _factor(factor: float) -> str:
    """Write a factor so that one that is not 1 or −1 does not look like it."""
    return apart(factor, 1.0 if factor > 0 else -1.0)[0]


def _way_out(course: Trajectory) -> str:
    """Say what brings a run to rest that its samples pull to and fro."""
    if course.spec.decay:
        return _("The learning rate decays, so the swings become narrower and narrower.")
    return _(
        "A smaller learning rate or larger batches make the swings narrower, and a decay of the learning rate (under "
        "“{more}”) ends them; see “{floor}”."
    ).format(more=_("More settings"), floor=_("The noise floor"))


def _verdict(course: Trajectory, judged: Verdict) -> tuple[str, Kind]:
    """Choose the sentence of a verdict."""
    is_full = verdict.is_full_batch(course)
    sentences: dict[str, tuple[str, Kind]] = {
        "flat": (_("Every x is 0, so every gradient is 0 and no method moves."), "warning"),
        "diverges": (
            _(
                "{method} diverges: lr = {lr} is above 2/λmax = {edge} (λmax: the largest curvature of the loss), so "
                "each update multiplies the distance to the minimum by {factor}."
            )
            if is_full
            else _(
                "{method} diverges: at lr = {lr} an update multiplies the distance by {factor} on average (geometric "
                "mean), and only a factor below 1 shrinks it."
            ),
            "bad",
        ),
        "edge": (_("{method} jumps from side to side for ever: lr = {lr} is 2/λmax exactly."), "warning"),
        "oscillates": (
            _(
                "{method} jumps across the minimum, {best}, at each update: lr = {lr} is above 1/λmax (λmax: the "
                "largest curvature of the loss). It still arrives, because the distance is multiplied by {factor}."
            ),
            "warning",
        ),
        "converges": (
            _("{method} converges: each update multiplies the distance to the minimum, {best}, by {factor}."),
            "good",
        ),
        "arrived": (_("{method} has arrived: it equals the minimum, {best}, to {digits} digits."), "good"),
        "circles": (
            _(
                "{method} does not come to rest: its start is forgotten, but each update walks towards the minimum of "
                "its own samples. In the last epoch w runs between {low} and {high}; the minimum of all samples is at "
                "{best}."
            ),
            "warning",
        ),
        "underway": (
            _(
                "{method} is still under way: {here}, and the minimum is at {best}. What is left of the start "
                "outweighs what the samples do."
            ),
            "neutral",
        ),
        "valley": (
            _(
                "All x are equal, so w and b are not determined: a whole line of them has the least loss, {least}. "
                "{method} ends at {here}."
            ),
            "warning",
        ),
    }
    return sentences[judged.kind]


def _end(course: Trajectory, judged: Verdict) -> str:
    """Say where the run stands at its end."""
    updates = ngettext("After {count:,} update", "After {count:,} updates", len(course)).format(count=len(course))
    numbers = {
        "after": updates,
        "w": number(course.w[-1]),
        "cost": written(course.cost[-1], 4),
        "since": f"{judged.since:,}",
    }
    if course.diverged_at is not None:
        sentence = _(
            "The loss rises from update {since} on; {after} {name} is above {limit:,.0f}, and the run ends there."
        )
        name = "|w|" if abs(course.w[-1]) > LIMIT else "|b|"
        return sentence.format(limit=LIMIT, name=name, **(numbers | {"after": updates[0].lower() + updates[1:]}))
    if judged.kind == "diverges":
        return _("The loss rises from update {since} on. {after} w = {w} and the loss is {cost}.").format(**numbers)
    if judged.kind == "flat":
        return ""
    return _("{after} the loss of all data is {cost}.").format(**numbers)


def also_diverging(runs: Mapping[str, Trajectory], follow: str) -> str:
    """Name the other methods that diverge; empty where there are none."""
    found = [racer for racer, course in runs.items() if racer != follow and judge(course).kind == "diverges"]
    if not found:
        return ""
    names = _(", ").join(title_of(racer, runs[racer]) for racer in found)
    return _("Diverging too: {methods}.").format(methods=names)


def key(clock: str, runs: Mapping[str, Trajectory]) -> str:
    """Explain what is drawn in the first picture."""
    sentences = [
        _(
            "Thick: the loss of all samples, which is the mean of the thin curves. Thin: each sample's own loss, a "
            "tick at its minimum; darker: the samples of the last update, whose slope is the arrow. Dotted: the "
            "minimum of all. Dashed: the start; drag it. Dots: where each method stands now, hollow where shuffled."
        )
    ]
    if any(not course.cost.all() for course in runs.values()):
        sentences.append(_("A loss of 0 lies at the lower end of its axis, which is logarithmic."))
    if clock == "time":
        sentences.append(_("The time of an update was measured just now, on the computer that runs this app."))
    return " ".join(sentences)


def compared(count: int, difference: float) -> str:
    """Say how far our run is from that of torch.optim.SGD; `difference` is relative where the numbers are above 1."""
    if difference == 0:
        return _("Over {count:,} updates w equals that of torch.optim.SGD to the last digit.").format(count=count)
    sentence = _(
        "Over {count:,} updates w differs from that of torch.optim.SGD by {difference} at most, relative to its size "
        "where that is above 1."
    )
    return sentence.format(count=count, difference=written(difference, 1))


def thinning(beat: Steps) -> str:
    """Say which steps the picture leaves out; empty where it has all."""
    if not beat.is_thinned:
        return ""
    sentence = _(
        "The picture has the first {first} steps and {rest} of the later ones, chosen evenly; the table has all."
    )
    return sentence.format(first=FIRST, rest=len(beat.ticks) - FIRST)


def in_words(runs: Mapping[str, Trajectory], window: Sweep, points: Points) -> str:
    """Write the text alternative of the first picture."""
    lowest = mse.minimum(points)
    curve = _("The loss over w from {start} to {stop}, lowest at w = {w} with {loss}. ").format(
        start=number(window.start), stop=number(window.stop), w=number(lowest.w), loss=number(lowest.loss)
    )
    one = _("{method}: {updates:,} updates from w = {start} to {end}, loss from {first} to {last}.")
    ways = [
        one.format(
            method=title_of(racer, course),
            updates=len(course),
            start=number(course.spec.w),
            end=number(course.w[-1]),
            first=written(course.start_cost, 4),
            last=written(course.cost[-1], 4),
        )
        for racer, course in runs.items()
    ]
    return curve + " ".join(ways)


def formula(course: Trajectory) -> str:
    """Write the followed method's update with the numbers of the present step; with its symbols at the start.

    The sum over a batch shows its first two samples and its last. Each piece is a <math> of its own, where a line may
    break.
    """
    size = course.spec.size(len(course.points))
    name = f"<mtext class='q-gradient'>{_('gradient')}</mtext><mo>=</mo>"
    if size == 1:
        pieces = [f"{name}{_term('a', 'x', 'y')}"]
    else:
        many = live(f"{NOW}.size")  # the last batch may be short
        divisor = f"<mfrac displaystyle='true'><mn>1</mn><mn>{many}</mn></mfrac><mo>[</mo>"
        dots = "".join(
            f"<mo lspace='0' rspace='0'>{live(f'{NOW}.size > {len(TERMS)} ? {quoted(sign)} : {quoted(str())}')}</mo>"
            for sign in "⋯+"
        )
        pieces = [f"{name}{divisor}{_term('a', 'x₁', 'y₁')}"]
        pieces += [f"{_plus(2)}{_term('b', 'x₂', 'y₂', least=2)}"]
        if size > 2:
            pieces += [f"{_plus(3)}{dots}{_term('c', 'xₙ', 'yₙ', least=3)}"]
        pieces[-1] += "<mo>]</mo>"
    pieces.append(result(f"{NOW}.gw", f".{EXACT}~g", "gradient"))
    slope = " ".join(f"<math>{piece}</math>" for piece in pieces)
    return f"<div style='font-size:.92em'>{slope}&emsp; {step('w', 'weight')}</div>"


def _plus(least: int) -> str:
    """Write a plus where the present batch has so many samples."""
    sign = live(f"{NOW}.size >= {least} ? '+' : ''")
    return f"<mo form='infix' lspace='0' rspace='.25em'>{sign}</mo>"


def _term(which: str, x: str, y: str, *, least: int = 1) -> str:
    """Write 2·x·(w·x − y) of one sample of the present batch; nothing where that has fewer than `least`."""

    def there(expression: str) -> str:
        return live(expression if least == 1 else f"{NOW}.size >= {least} ? ({expression}) : ''")

    def sign(text: str) -> str:
        return f"<mo>{there(quoted(text))}</mo>"

    w = there(f"!isFinite({NOW}.w0) ? 'w' : {NOW}.w0 < 0 ? '(' + {W0} + ')' : {W0}")
    x_, y_ = (there(bracketed(f"{NOW}.{field}{which}", ".6~g", symbol)) for field, symbol in (("x", x), ("y", y)))
    return (
        f"<mn>{there(quoted('2'))}</mn>{sign('·')}<mn>{x_}</mn>{sign('·')}{sign('(')}<mn class='q-weight'>{w}</mn>"
        f"{sign('·')}<mn>{x_}</mn>{sign('−')}<mn>{y_}</mn>{sign(')')}"
    )


def step(name: str, quantity: str) -> str:
    """Write the update of one parameter: w ← 1 − 0.01·(−2) = 1.02."""
    before = known(f"{NOW}.{name}0", ".6~g", name)
    slope = bracketed(f"{NOW}.g{name}", ".5~g", _("gradient"))
    after = f"isFinite({NOW}.{name}0) ? {NOW}.{name}1 : NaN"  # at the start there is no update
    return (
        f"<math><mi class='q-{quantity}'>{name}</mi><mo>←</mo><mn class='q-{quantity}'>{live(before)}</mn><mo>−</mo>"
        f"<mn>{live(f'{NOW}.lr|.4~g')}</mn><mo>·</mo><mn class='q-gradient'>{live(slope)}</mn></math> "
        f"<math>{result(f'({after})', '.6~g', quantity, is_bold=True)}</math>"
    )


def result(value: str, how: str, quantity: str, *, is_bold: bool = False) -> str:
    """Write = and a number, or nothing where there is none."""
    number = live(known(value, how))
    inner = f"<b>{number}</b>" if is_bold else number
    equals = live(f"isFinite({value}) ? '=' : ''")
    return f"<mo>{equals}</mo><mn class='q-{quantity}'>{inner}</mn>"
