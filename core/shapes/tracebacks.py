"""Explains a pasted error of PyTorch, and finds the layer of a net that it is about."""

from __future__ import annotations

import re
from dataclasses import dataclass

from core.errors import InputError
from core.messages import N_
from core.shapes.chain import Chain, Node, Report, Row, run
from core.shapes.layer import Shape, elements, product
from core.shapes.layer_symptoms import LAYER_SYMPTOMS
from core.shapes.linear import needs_flatten
from core.shapes.remarks import about_input
from core.shapes.source import Note
from core.shapes.symptoms import Match, Shapes, Symptom, note, numbers
from core.shapes.tensor_symptoms import TENSOR_SYMPTOMS, view_notes
from core.shapes.training_symptoms import TRAINING_SYMPTOMS

SYMPTOMS: dict[str, Symptom] = {**LAYER_SYMPTOMS, **TENSOR_SYMPTOMS, **TRAINING_SYMPTOMS}
LONGEST = 20_000  # characters, from the end: the message is the last line of a traceback
LONG_NUMBER = re.compile(r"\d{16,}")  # no size; left as it is, it would only take time
CALLED = re.compile(r"self\.(\w+)")  # in the lines of code that a traceback quotes


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """What an error means."""

    symptom: str  # a key of SYMPTOMS
    quoted: str  # PyTorch's words, as they stand in the text
    notes: tuple[Note, ...]  # what it means and what would be right
    places: tuple[Node, ...] = ()  # the operations of the net that could have said it, as far as the message tells
    certain: bool = False  # the net as it stands says exactly this


def explain(text: str, chain: Chain | None = None, input_shape: Shape = ()) -> Explanation:
    """Explain the last error of PyTorch in a text; raises InputError where there is none about shapes."""
    symptom, found = find(text[-LONGEST:])
    notes = tuple(symptom.explain(found))
    places, certain = locate(symptom, found, text[-LONGEST:], chain, input_shape) if chain else ((), False)
    return Explanation(symptom=symptom.name, quoted=found[0], notes=notes, places=places, certain=certain)


def find(text: str) -> tuple[Symptom, Match]:
    """Return the message that stands last, with its match."""
    flat = LONG_NUMBER.sub("0", re.sub(r"\s+", " ", text))  # terminals break long lines
    matches = [(symptom, found) for symptom in SYMPTOMS.values() for found in symptom.pattern.finditer(flat)]
    if not matches:
        raise InputError(
            "No error of PyTorch about shapes was found in this text. Paste its last line, for example "
            "RuntimeError: mat1 and mat2 shapes cannot be multiplied (64x320 and 1280x10)."
        )
    return max(matches, key=lambda pair: pair[1].start())


def locate(
    symptom: Symptom, found: Match, text: str, chain: Chain, input_shape: Shape
) -> tuple[tuple[Node, ...], bool]:
    """Return the operations that fit the message best, and whether the net says the very same."""
    report = run(chain, input_shape) if input_shape else None
    if report and report.error:
        said = symptom.pattern.search(re.sub(r"\s+", " ", report.error.torch))
        failed = report.rows[-1]
        if said and without_batch(said) == without_batch(found):
            return (failed.node,), True
    arriving = shapes_of(report)
    named = {name for line in text.splitlines() for name in CALLED.findall(line)}
    scores = {
        node.id: score + (node.name.rpartition(".")[2] in named)
        for node in chain.nodes
        if (score := symptom.fits(found, node, arriving.get(node.id, ())))
    }
    best = max(scores.values(), default=0)
    if best < 2:  # of the right kind is not enough, unless there is only one
        return tuple(node for node in chain.nodes if node.id in scores)[:1] if len(scores) == 1 else (), False
    return tuple(node for node in chain.nodes if scores.get(node.id) == best), False


def without_batch(found: Match) -> tuple[str, ...]:
    """Return the numbers of a message without the first one, where that is the batch size."""
    if found.re is SYMPTOMS["matrices"].pattern:
        return found.groups()[1:]
    if found.re is SYMPTOMS["channels"].pattern:
        return (found[2], found[3].partition(",")[2], found[4])
    return found.groups()


def diagnose(report: Report) -> tuple[Note, ...]:
    """Say in sentences why a net fails, what would be right, and where the number that arrives comes from."""
    error = report.error
    if error is None:
        return ()
    row, misread = report.rows[-1], about_input(report)
    if misread and len(report.rows) == 1:
        return (misread,)
    try:
        explanation = explain(error.torch)
        notes = explanation.notes
        if row.node.kind == "Linear" and needs_flatten(row.in_shapes[0], int(row.node.arguments["in_features"])):
            notes = flatten_notes(row)
        elif explanation.symptom == "view":
            shape = row.in_shapes[0]
            found = SYMPTOMS["view"].pattern.search(error.torch)
            notes = tuple(view_notes(numbers(found[1]), elements(shape), shape[0])) if found else notes
    except InputError:  # our own limits, or a message that needs no more than its own sentence
        notes = (Note(message=error.message, values=error.values),)
    source = origin(report)
    return (*notes, source) if source else notes


def flatten_notes(row: Row) -> tuple[Note, ...]:
    """Say that images arrive at a linear layer, and how many features they are once they are flat."""
    assert row.error is not None  # noqa: S101 - by diagnose
    notes = (Note(message=row.error.message, values=row.error.values),)
    count, made = elements(row.in_shapes[0][1:]), row.node.arguments["out_features"]
    if count == row.node.arguments["in_features"]:
        return notes
    return (*notes, note(N_("Then write Linear({features}, {outside})."), features=count, outside=made))


def origin(report: Report) -> Note | None:
    """Say which product arrives at the failing operation, as in 20·4·4 = 320; None where nothing was flattened."""
    rows = {row.node.id: row for row in report.rows}
    row = rows.get(report.rows[-1].node.inputs[0])
    while row and row.in_shapes[0] == row.out_shape:  # an activation in between
        row = rows.get(row.node.inputs[0])
    out = row.out_shape if row else None
    if row is None or out is None or len(out) != 2 or row.in_shapes[0][0] != out[0] or len(row.in_shapes[0]) < 3:
        return None
    values = {"product": product(row.in_shapes[0][1:]), "count": out[1], "name": row.node.name or row.node.kind}
    return Note(message=N_("{product} = {count}: that many values {name} puts into a row."), values=values)


def shapes_of(report: Report | None) -> dict[str, Shapes]:
    """Return what goes into each operation, as far as the net runs."""
    return {row.node.id: row.in_shapes for row in report.rows} if report else {}


def sentence(explanation: Explanation) -> Note | None:
    """Say where in the net the error is, in words; None where the message does not tell."""
    places = explanation.places
    if not places:
        return None
    names = ", ".join(dict.fromkeys(node.name for node in places))
    lines = ", ".join(dict.fromkeys(str(node.defined or node.line) for node in places if node.line))
    if explanation.certain:
        return Note(
            message=N_("This net says the same at {names}, line {lines}."), values={"names": names, "lines": lines}
        )
    return Note(message=N_("In this net it fits {names}, line {lines}."), values={"names": names, "lines": lines})
