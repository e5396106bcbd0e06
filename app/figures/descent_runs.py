"""The runs that the gradient descent page compares: its settings, and each method's run, computed once."""

from dataclasses import dataclass, replace

from app.figures.line import some
from app.i18n import _
from core.caching import cached
from core.descent import RACERS, Descent, Trajectory, descend
from core.errors import InputError
from core.points import Points

MOST_ROWS = 1_000  # of more, that many are taken evenly
MOST_SAMPLES = 200_000  # seen in a run: epochs times rows

COLOURS = {racer: f"@{how.method}" for racer, how in RACERS.items()}
IS_DASHED = {racer: how.shuffle for racer, how in RACERS.items()}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What all runs share. Raises InputError for a value outside the range that `Descent` gives it."""

    lr: float = 0.01
    epochs: int = 10  # so few that each sample is a step of the picture
    batch_size: int = 2
    decay: float = 0.0
    seed: int = 0
    w: float = 1.0
    b: float = 0.0  # start of the bias, where the model has one

    def __post_init__(self) -> None:
        self.spec("gd", with_bias=True)

    def spec(self, racer: str, *, with_bias: bool = False) -> Descent:
        """Return the run of one of RACERS."""
        shared = Descent(
            lr=self.lr,
            epochs=self.epochs,
            batch_size=self.batch_size,
            decay=self.decay,
            seed=self.seed,
            w=self.w,
            b=self.b if with_bias else None,
        )
        return RACERS[racer].enter(shared)

    def check(self, points: Points) -> None:
        """Refuse what these points cannot give: a batch that is larger, or more samples than a picture can show."""
        self.spec("minibatch").size(len(points))
        if self.epochs * len(points) > MOST_SAMPLES:
            raise InputError(
                "{epochs:,} epochs of {count:,} rows are too many for one picture; take at most {most:,} epochs.",
                epochs=self.epochs,
                count=len(points),
                most=MOST_SAMPLES // len(points),
            )

    def fitted(self, points: Points) -> "Settings":
        """Return the nearest settings that these points allow."""
        count = len(points)
        return replace(
            self, batch_size=min(self.batch_size, count), epochs=min(self.epochs, max(1, MOST_SAMPLES // count))
        )


def title(racer: str, batch_size: int | None = None) -> str:
    """Name a method in the reader's language, a mini-batch with its size where that is given."""
    how = RACERS[racer]
    if how.method != "minibatch" or batch_size is None:
        return _(how.title)
    named = _("Mini-batch of {size}, shuffled") if how.shuffle else _("Mini-batch of {size}, in order")
    return named.format(size=f"{batch_size:,}")


def title_of(racer: str, course: Trajectory) -> str:
    """Name the method of a run."""
    return title(racer, course.spec.batch_size)


def on_screen(error: InputError, label: str) -> InputError:
    """Name the field of a refused setting as its label does, and write its value as the field does."""
    value = error.values.get("value")
    changed: dict[str, object] = {"value": f"{value:.15g}"} if isinstance(value, float) else {}
    if error.values.get("name") in {"epochs", "batch_size", "seed"}:
        changed["name"] = label
    return InputError(error.message, **error.values | changed)


@cached(maxsize=24)  # of 200,000 updates each at most, about 15 MB
def run(points: Points, spec: Descent) -> Trajectory:
    """Compute a run; treat it as read-only."""
    return descend(points, spec)


def few(points: Points) -> Points:
    """Return at most MOST_ROWS of the points, taken evenly."""
    if len(points) <= MOST_ROWS:
        return points
    chosen = some(len(points), MOST_ROWS)
    return Points(x=tuple(points.x[i] for i in chosen), y=tuple(points.y[i] for i in chosen))


@cached(maxsize=64)
def seconds_per_update(points: Points, settings: Settings, racer: str) -> float:
    """Measure what an update of a method takes on this machine, once: the picture stands still then."""
    from core import vectorised

    return vectorised.seconds_per_update(points, settings.spec(racer))
