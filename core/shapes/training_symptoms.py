"""What PyTorch says when a loss is computed or weights are loaded: the net itself ran."""

from __future__ import annotations

from collections.abc import Iterator

from core.messages import N_
from core.shapes.layer import listed
from core.shapes.source import Note
from core.shapes.symptoms import Match, Symptom, everywhere, note, numbers, registrar

TRAINING_SYMPTOMS: dict[str, Symptom] = {}
symptom = registrar(TRAINING_SYMPTOMS)


@symptom(r"Expected input batch_size \((\d+)\) to match target batch_size \((\d+)\)", everywhere)
def samples(found: Match) -> Iterator[Note]:
    """Another number of predictions than of labels."""
    yield note(N_("The net gives {rows} rows for {labels} labels."), rows=found[1], labels=found[2])
    yield note(
        N_(
            "A view such as x.view(-1, 320) with a wrong number moves values from one sample to the next; "
            "x.view(x.size(0), -1) keeps every sample in its row."
        )
    )


@symptom(r"Target (-?\d+) is out of bounds", everywhere)
def label(found: Match) -> Iterator[Note]:
    """A label for which there is no output."""
    yield note(
        N_("A label is {label}, but the net has no output of that number: it needs at least {count}, counted from 0."),
        label=found[1],
        count=int(found[1]) + 1,
    )


@symptom(
    r"[Tt]arget size \(torch\.Size\(\[([\d, ]*)\]\)\) (?:that is different to the|must be the same as) input size "
    r"\(torch\.Size\(\[([\d, ]*)\]\)\)",
    everywhere,
)
def target_size(found: Match) -> Iterator[Note]:
    """Targets of another shape than the predictions."""
    targets, predictions = numbers(found[1]), numbers(found[2])
    yield note(
        N_("The loss compares predictions of shape {predictions} with targets of shape {targets}; they must be equal."),
        predictions=listed(predictions),
        targets=listed(targets),
    )
    if len(predictions) == len(targets) + 1 and predictions[-1:] == (1,):
        yield note(N_("Write targets.unsqueeze(1), or read the targets as a matrix: xy[:, [-1]]."))


@symptom(r"0D or 1D target tensor expected, multi-target not supported", everywhere)
def one_hot(found: Match) -> Iterator[Note]:
    """Labels as a matrix."""
    yield note(N_("CrossEntropyLoss takes one label a sample, a whole number: targets of shape (N), not (N, 1)."))


@symptom(
    r"size mismatch for ([\w.]+): copying a param with shape torch\.Size\(\[([\d, ]*)\]\) from checkpoint, "
    r"the shape in current model is torch\.Size\(\[([\d, ]*)\]\)",
    lambda found, node, shapes: 2 * (bool(node.module) and found[1].rpartition(".")[0] == node.module),
)
def saved(found: Match) -> Iterator[Note]:
    """Saved weights of another net."""
    yield note(
        N_(
            "The saved weights have {name} as {saved}, but this net has {here}: "
            "build the net as it was when it was saved."
        ),
        name=found[1],
        saved=listed(numbers(found[2])),
        here=listed(numbers(found[3])),
    )


@symptom(r"mat1 and mat2 must have the same dtype, but got (\w+) and (\w+)", everywhere)
def dtype(found: Match) -> Iterator[Note]:
    """Numbers of another precision than the weights."""
    yield note(
        N_("The shapes fit, but the input holds {input} numbers and the weights {weights} numbers: write x.float()."),
        input=found[1],
        weights=found[2],
    )


NOT_DEVICES = N_(
    "This is no error of shapes: the data and the weights are on different devices. Move both to the same one, "
    "as in model.to(device) and x = x.to(device)."
)
NOT_TYPES = N_(
    "This is no error of shapes: the numbers are of different types. Data from NumPy are Double and the weights "
    "Float: write x.float()."
)


@symptom(
    r"Expected all tensors to be on the same device|Tensor on device [\w:]+ is not on the expected device|"
    r"Input type \(torch\.cuda\.\w+\) and (?:weight|bias) type \(torch\.(?!cuda)\w+\)|"
    r"Input type \(torch\.(?!cuda)\w+\) and (?:weight|bias) type \(torch\.cuda\.\w+\)",
    everywhere,
)
def devices(found: Match) -> Iterator[Note]:
    """The net on the GPU and the data not, or the other way round."""
    yield note(NOT_DEVICES)


@symptom(
    r"expected scalar type \w+ but found \w+|"
    r"Input type \([\w.]+\) and (?:weight|bias) type \([\w.]+\) should be the same",
    everywhere,
)
def types(found: Match) -> Iterator[Note]:
    """Double numbers for Float weights, in the words of layers with windows and of older versions."""
    yield note(NOT_TYPES)
