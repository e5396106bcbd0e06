"""The model card of a run in words, and as the small table that a page shows."""

from html import escape
from math import isfinite

from app.figures.numbers import percent
from app.figures.training_words import device
from app.i18n import N_, _, enumerated
from core.card import Card
from core.models import MODELS
from core.optimizers import OPTIMIZERS, SCHEDULES
from core.options import Option, Value
from core.run import RunSpec

Group = tuple[str, list[tuple[str, str]]]  # its title, and what it says: name and value

ORIGINS = {
    "here": N_("here"),
    "shipped": N_("on another machine; it ships with the project"),
    "imported": N_("not known; it was imported from a file"),
}
FACTS = {  # of core.hardware
    "processor": N_("Processor"),
    "cores": N_("Cores"),
    "accelerator": N_("Accelerator"),
    "system": N_("System"),
    "python": N_("Python"),
}
STYLE = """<style>
.run-card { columns: 2 260px; column-gap: 2rem; }
.run-card section { break-inside: avoid; padding-bottom: 1.25rem; }
.run-card h4 { font-size: 1rem; font-weight: 600; margin: 0 0 0.25rem; padding: 0; }
.run-card dl { display: grid; grid-template-columns: minmax(6rem, auto) minmax(9rem, 1fr); gap: 0.15rem 1rem;
  align-content: start; margin: 0 !important; padding: 0; font-size: 0.9rem; }
.run-card dt { opacity: 0.7; margin: 0; padding: 0; }
.run-card dd { margin: 0 !important; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
</style>"""


def groups(card: Card) -> list[Group]:
    """Return all that is told of a run."""
    return [
        (_("The run"), spec_rows(card.spec)),
        (_("What came of it"), result_rows(card)),
        (_("Where it was computed"), place_rows(card)),
    ]


def html(card: Card) -> str:
    """Write the card; every value is text, whoever wrote it."""
    parts = []
    for title, rows in groups(card):
        lines = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in rows)
        parts.append(f"<section><h4>{escape(title)}</h4><dl>{lines}</dl></section>")
    return f'{STYLE}<div class="run-card">{"".join(parts)}</div>'


def spec_rows(spec: RunSpec) -> list[tuple[str, str]]:
    """Say what was to be trained, and how."""
    model = MODELS[spec.model]
    chosen = dict(spec.options)
    stopping = [(_("Early stopping"), _("after {n} epochs without a better one").format(n=spec.patience))]
    rate = _("{lr}, {schedule}").format(lr=f"{spec.lr:g}", schedule=_(SCHEDULES[spec.schedule].title))
    options = [
        (capitalised(_(option.title)), _value(option, chosen.get(option.name, option.default)))
        for option in model.options
    ]
    return [
        (_("Network"), _(model.title)),
        *options,
        (_("Data"), _("{title} ({about})").format(title=spec.images.title, about=_(spec.images.about))),
        (_("Epochs"), f"{spec.epochs:,}"),
        (_("Training images"), f"{spec.train_images:,}"),
        (_("Batch size"), f"{spec.batch_size:,}"),
        (_("Optimizer"), _optimizer(spec)),
        (_("Learning rate"), rate),
        (_("Augmentation"), _augmentation(spec)),
        *(stopping if spec.patience else ()),
        (_("Seed"), str(spec.seed)),
    ]


def result_rows(card: Card) -> list[tuple[str, str]]:
    """Say how good it became, and what it costs."""
    after = _("{accuracy} after epoch {epoch}")
    loss = f"{card.last_loss:.4g}" if isfinite(card.last_loss) else _("no finite number: the run has diverged")
    return [
        (_("Best test accuracy"), after.format(accuracy=percent(card.best_accuracy), epoch=card.best_epoch)),
        (_("Last test accuracy"), after.format(accuracy=percent(card.last_accuracy), epoch=card.epochs)),
        (_("Last test loss"), loss),
        (_("Training time"), _("{seconds} s").format(seconds=f"{card.seconds:,.1f}")),
        (_("Parameters"), f"{card.parameters:,}"),
        (_("Multiply-adds for one image"), f"{card.multiply_adds:,}"),
    ]


def place_rows(card: Card) -> list[tuple[str, str]]:
    """Say where, when and by what it was computed."""
    placement = card.placement
    return [
        (_("Trained"), _(ORIGINS[card.origin])),
        (_("Date"), f"{card.when:%Y-%m-%d %H:%M} UTC"),
        (_("Device"), device(placement)),
        (_("Number format"), placement.dtype),
        (_("Memory layout"), placement.layout),
        (_("Threads"), str(placement.threads)),
        (_("PyTorch"), placement.torch),
        *((_(title), _fact(name, card.hardware[name])) for name, title in FACTS.items() if name in card.hardware),
        (_("Key"), card.key),
    ]


def _fact(name: str, fact: str) -> str:
    """Say "2 of 4" cores in the reader's language; the other facts are names."""
    used, of, there = fact.partition(" of ")
    return _("{used} of {there}").format(used=used, there=there) if name == "cores" and of else fact


def capitalised(title: str) -> str:
    """Begin a title as those around it do; in sentences it begins small."""
    return title[:1].upper() + title[1:]


def _value(option: Option, value: Value) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, str):
        return _(option.choices[value])
    return f"{value:g}"


def _optimizer(spec: RunSpec) -> str:
    optimizer = OPTIMIZERS[spec.optimizer]
    parts = [optimizer.title]
    if "momentum" in optimizer.uses:
        parts.append(_("momentum {value}").format(value=f"{spec.momentum:g}"))
    if spec.nesterov:
        parts.append(_("Nesterov"))
    if spec.weight_decay:
        parts.append(_("weight decay {value}").format(value=f"{spec.weight_decay:g}"))
    return enumerated(parts)


def _augmentation(spec: RunSpec) -> str:
    parts = []
    if spec.shift:
        parts.append(_("shift ±{value} px").format(value=spec.shift))
    if spec.rotate:
        parts.append(_("rotation ±{value}°").format(value=f"{spec.rotate:g}"))
    return enumerated(parts) or _("none")
