import json
from dataclasses import replace

import pytest

from core.device import Placement
from core.errors import InputError
from core.run import FIRST_RUNS, RunSpec

PLACEMENT = Placement(device="cpu", dtype="float32", layout="contiguous", threads=1, torch="2.13.0+cpu")


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("model", "lenet", "must be one of"),
        ("model", 3, "must be one of"),
        ("epochs", 0, "from 1 to 100"),
        ("epochs", 101, "from 1 to 100"),
        ("epochs", 1.5, "whole number"),
        ("epochs", True, "whole number"),
        ("batch_size", 0, "from 1 to 10,000"),
        ("batch_size", 10_001, "from 1 to 10,000"),
        ("lr", 0, "from 0.00000001 to 10"),
        ("lr", 1e-300, "from 0.00000001 to 10"),
        ("lr", -1, "from 0.00000001 to 10"),
        ("lr", float("nan"), "from 0.00000001 to 10"),
        ("lr", float("inf"), "from 0.00000001 to 10"),
        ("lr", 10**400, "from 0.00000001 to 10"),
        ("lr", "0.1", "from 0.00000001 to 10"),
        ("momentum", 1, "below 1"),
        ("momentum", -0.1, "below 1"),
        ("momentum", float("nan"), "below 1"),
        ("train_images", 99, "from 100 to 60,000"),
        ("train_images", 60_001, "from 100 to 60,000"),
        ("seed", -1, "from 0 to 4,294,967,295"),
        ("seed", 2**32, "from 0 to 4,294,967,295"),
        ("optimizer", "lion", "must be one of"),
        ("schedule", "zigzag", "must be one of"),
        ("weight_decay", 1.1, "from 0 to 1"),
        ("weight_decay", float("nan"), "from 0 to 1"),
        ("shift", 9, "from 0 to 8"),
        ("shift", 0.5, "whole number"),
        ("rotate", 46, "from 0 to 45"),
        ("rotate", float("inf"), "from 0 to 45"),
        ("patience", 101, "from 0 to 100"),
        ("nesterov", 1, "true or false"),
        ("options", {"depth": 8}, "cnn has no option depth"),
        ("options", {"dropout": float("nan")}, "from 0"),
    ],
)
def test_a_value_outside_its_range_gets_a_sentence(field, value, words):
    with pytest.raises(InputError, match=words):
        RunSpec(**{field: value})


def test_a_batch_is_not_larger_than_the_set():
    assert RunSpec(train_images=100, batch_size=100).steps_per_epoch == 1
    with pytest.raises(InputError, match="from 1 to 100"):
        RunSpec(train_images=100, batch_size=101)


def test_the_last_batch_counts_as_a_step():
    assert RunSpec().steps_per_epoch == 938


def test_equal_runs_have_equal_keys():
    assert RunSpec(lr=1).key(PLACEMENT) == RunSpec(lr=1.0).key(PLACEMENT)
    explained = replace(PLACEMENT, reasons={"device": "a reason"})
    assert RunSpec().key(PLACEMENT) == RunSpec().key(explained)


def test_what_an_optimizer_does_not_use_does_not_count():
    assert RunSpec(optimizer="adam", momentum=0.9) == RunSpec(optimizer="adam", nesterov=True)
    assert RunSpec(options={"dropout": 0}) == RunSpec()


def test_nesterov_needs_momentum():
    with pytest.raises(InputError, match="momentum above 0"):
        RunSpec(nesterov=True, momentum=0)


def test_a_run_comes_back_from_json():
    spec = RunSpec(model="stack", options={"depth": 56, "residual": False}, schedule="step", patience=3, rotate=10)
    assert RunSpec(**json.loads(json.dumps(spec.as_dict()))) == spec
    assert RunSpec(**json.loads(json.dumps(spec.changed()))) == spec


def test_whatever_changes_the_numbers_changes_the_key():
    specs = [
        RunSpec(),
        RunSpec(epochs=2),
        RunSpec(batch_size=32),
        RunSpec(lr=0.02),
        RunSpec(momentum=0.9),
        RunSpec(train_images=1_000),
        RunSpec(seed=1),
        RunSpec(options={"dropout": 0.5}),
        RunSpec(optimizer="adam"),
        RunSpec(nesterov=True),
        RunSpec(weight_decay=0.01),
        RunSpec(schedule="cosine"),
        RunSpec(shift=1),
        RunSpec(rotate=1),
        RunSpec(patience=1),
    ]
    keys = [spec.key(PLACEMENT) for spec in specs]
    for change in (
        {"device": "cuda"},
        {"dtype": "bfloat16"},
        {"layout": "channels_last"},
        {"threads": 2},
        {"torch": "3"},
    ):
        keys.append(RunSpec().key(replace(PLACEMENT, **change)))
    assert len(set(keys)) == len(keys)
    assert all(len(key) == 16 for key in keys)


def test_the_first_runs_are_different_runs():
    assert len({spec.key(PLACEMENT) for spec in FIRST_RUNS}) == len(FIRST_RUNS)
