"""The sentences beside the pictures of gradient descent, each computed from the runs that are shown."""

from collections.abc import Mapping

from app.figures.descent_clock import FIRST, Steps
from app.figures.descent_data import samples
from app.figures.descent_runs import title
from app.figures.mse_words import number
from app.figures.written import bracketed, known, live
from app.i18n import _, ngettext
from app.page import Kind
from core import mse, verdict
from core.descent import LIMIT, Trajectory
from core.mse import Sweep
from core.points import Points
from core.verdict import Verdict

NOW = "data('follow')[step]"


def captions(course: Trajectory, racer: str, beat: Steps) -> tuple[str, ...]:
    """Write a sentence for each step: what the last update of the followed method did."""
    none = _("{method} starts at {place}, where the loss of all data is {cost}; it has made no update yet.")
    made = _(
        "{method}, update {update} of {updates}, sees {samples}: {name} goes {before} → {after}, the loss is {cost}."
    )
    name = "(w, b)" if course.spec.with_bias else "w"
    fixed = {"method": title(racer), "updates": f"{len(course):,}", "name": name}
    start = none.format(place=f"{name} = {_place(course, -1)}", cost=number(course.start_cost), **fixed)
    written = []
    for done in beat.done[racer].tolist():
        last = done - 1
        numbers = {"before": _place(course, last - 1), "after": _place(course, last), "cost": number(course.cost[last])}
        sentence = made.format(update=f"{done:,}", samples=samples(course, last), **numbers, **fixed) if done else start
        written.append(sentence)
    return tuple(written)


def _place(course: Trajectory, update: int) -> str:
    """Write where a run is after an update; before the first one that is -1."""
    w, b = (course.w[update], course.b[update]) if update >= 0 else (course.spec.w, course.spec.b or 0.0)
    return f"({number(w)}, {number(b)})" if course.spec.with_bias else number(w)


def fate(course: Trajectory, racer: str) -> tuple[str, Kind]:
    """Say what became of a method's run, at which rate and why."""
    judged = verdict.judge(course)
    numbers = {
        "method": title(racer),
        "lr": number(course.spec.lr),
        "edge": number(judged.edge),
        "factor": number(judged.factor),
        "best": number(judged.best),
        "w": number(course.w[-1]),
        "low": number(judged.low),
        "high": number(judged.high),
        "digits": judged.digits,
        "since": f"{judged.since:,}",
    }
    template, kind = _verdict(course, judged)
    sentence = template.format(**numbers) + " " + _end(course, judged)
    if course.spec.decay and judged.kind in {"converges", "oscillates", "edge"}:
        sentence += " " + _("The learning rate decays, so this is how it begins.")
    return sentence, kind


def _verdict(course: Trajectory, judged: Verdict) -> tuple[str, Kind]:
    """Choose the sentence of a verdict."""
    is_full = verdict.is_full_batch(course)
    sentences: dict[str, tuple[str, Kind]] = {
        "flat": (_("Every x is 0, so every gradient is 0 and no method moves."), "warning"),
        "diverges": (
            _(
                "{method} diverges: lr = {lr} is above 2/λmax = {edge}, so each update multiplies the distance to the "
                "minimum by {factor}."
            )
            if is_full
            else _(
                "{method} diverges: at lr = {lr} an update multiplies the distance by {factor} in the geometric mean."
            ),
            "bad",
        ),
        "edge": (_("{method} jumps from side to side for ever: lr = {lr} is 2/λmax exactly."), "warning"),
        "oscillates": (
            _(
                "{method} jumps across the minimum, w = {best}, at each update: lr = {lr} is above 1/λmax. It still "
                "arrives, because the distance is multiplied by {factor}."
            ),
            "warning",
        ),
        "converges": (
            _("{method} converges: each update multiplies the distance to the minimum, w = {best}, by {factor}."),
            "good",
        ),
        "arrived": (_("{method} has arrived: w equals the minimum, {best}, to {digits} digits."), "good"),
        "circles": (
            _(
                "{method} does not come to rest: in the last epoch w runs between {low} and {high}, pulled to and fro; "
                "the minimum of all samples is at {best}."
            ),
            "warning",
        ),
        "underway": (_("{method} is still under way: w = {w}, and the minimum is at {best}."), "neutral"),
    }
    return sentences[judged.kind]


def _end(course: Trajectory, judged: Verdict) -> str:
    """Say where the run stands at its end."""
    updates = ngettext("After {count:,} update", "After {count:,} updates", len(course)).format(count=len(course))
    numbers = {
        "after": updates,
        "w": number(course.w[-1]),
        "cost": number(course.cost[-1]),
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
    found = [racer for racer, course in runs.items() if racer != follow and verdict.judge(course).kind == "diverges"]
    if not found:
        return ""
    return _("Diverging too: {methods}.").format(methods=", ".join(title(racer) for racer in found))


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
            method=title(racer),
            updates=len(course),
            start=number(course.spec.w),
            end=number(course.w[-1]),
            first=number(course.start_cost),
            last=number(course.cost[-1]),
        )
        for racer, course in runs.items()
    ]
    return curve + " ".join(ways)


def formula(course: Trajectory) -> str:
    """Write the followed method's update with the numbers of the present step; with its symbols at the start."""
    count = len(course.points)
    size = course.spec.size(count)
    w0, gradient = live(bracketed(f"{NOW}.w0", ".4~g", "w")), result(f"{NOW}.gw", ".5~g", "gradient")
    if size == 1:
        x, y = (live(bracketed(f"{NOW}.{field}", ".4~g", field)) for field in "xy")
        middle = (
            f"<mn>2</mn><mo>·</mo><mn>{x}</mn><mo>·</mo><mo>(</mo><mn class='q-weight'>{w0}</mn><mo>·</mo><mn>{x}</mn>"
            f"<mo>−</mo><mn>{y}</mn><mo>)</mo>"
        )
    else:
        over = (
            "<munder><mo>∑</mo><mi>i</mi></munder>"
            if size == count
            else "<munder><mo>∑</mo><mtext>batch</mtext></munder>"
        )
        xi, yi = "<msub><mi>x</mi><mi>i</mi></msub>", "<msub><mi>y</mi><mi>i</mi></msub>"
        number_of = live(known(f"{NOW}.size", "d", str(size)))  # the last batch may be short
        middle = (
            f"<mfrac displaystyle='true'><mn>1</mn><mn>{number_of}</mn></mfrac>{over}<mn>2</mn>{xi}<mo>(</mo>"
            f"<mn class='q-weight'>{w0}</mn><mo>·</mo>{xi}<mo>−</mo>{yi}<mo>)</mo>"
        )
    name = f"<mtext class='q-gradient'>{_('gradient')}</mtext>"
    slope = f"<math>{name}<mo>=</mo>{middle}{gradient}</math>"
    return f"<div style='font-size:.92em'>{slope}&emsp; {step('w', 'weight')}</div>"


def step(name: str, quantity: str) -> str:
    """Write the update of one parameter: w ← 1 − 0.01·(−2) = 1.02."""
    before, slope = known(f"{NOW}.{name}0", ".6~g", name), bracketed(f"{NOW}.g{name}", ".5~g", _("gradient"))
    after = f"isFinite({NOW}.{name}0) ? {NOW}.{name}1 : NaN"  # at the start there is no update
    return (
        f"<math><mi class='q-{quantity}'>{name}</mi><mo>←</mo><mn class='q-{quantity}'>{live(before)}</mn><mo>−</mo>"
        f"<mn>{live(f'{NOW}.lr|.4~g')}</mn><mo>·</mo><mn class='q-gradient'>{live(slope)}</mn>"
        f"{result(f'({after})', '.6~g', quantity, is_bold=True)}</math>"
    )


def result(value: str, how: str, quantity: str, *, is_bold: bool = False) -> str:
    """Write = and a number, or nothing where there is none."""
    number = live(known(value, how))
    inner = f"<b>{number}</b>" if is_bold else number
    equals = live(f"isFinite({value}) ? '=' : ''")
    return f"<mo>{equals}</mo><mn class='q-{quantity}'>{inner}</mn>"
