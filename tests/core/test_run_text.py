import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import run_text
from core.errors import InputError
from core.models import MODELS
from core.optimizers import OPTIMIZERS, SCHEDULES
from core.run import RunSpec


@st.composite
def specs(draw):
    model = draw(st.sampled_from(sorted(MODELS)))
    options = {}
    for option in MODELS[model].options:
        if isinstance(option.default, bool):
            options[option.name] = draw(st.booleans())
        elif isinstance(option.default, str):
            options[option.name] = draw(st.sampled_from(sorted(option.choices)))
        elif isinstance(option.default, int):
            options[option.name] = draw(st.sampled_from(range(int(option.low), int(option.high) + 1, option.step)))
        else:
            options[option.name] = draw(st.floats(option.low, option.high))
    momentum = draw(st.floats(0, 1, exclude_max=True))
    images = draw(st.integers(100, 60_000))
    try:
        return RunSpec(
            model=model,
            options=options,
            epochs=draw(st.integers(1, 100)),
            train_images=images,
            batch_size=draw(st.integers(1, min(images, 10_000))),
            optimizer=draw(st.sampled_from(sorted(OPTIMIZERS))),
            lr=draw(st.floats(0, 10, exclude_min=True)),
            momentum=momentum,
            nesterov=draw(st.booleans()) and momentum > 0,
            weight_decay=draw(st.floats(0, 1)),
            schedule=draw(st.sampled_from(sorted(SCHEDULES))),
            shift=draw(st.integers(0, 8)),
            rotate=draw(st.floats(0, 45)),
            patience=draw(st.integers(0, 100)),
            seed=draw(st.integers(0, 2**32 - 1)),
        )
    except InputError:  # options of a network that exclude each other
        return RunSpec(model=model)


@given(specs())
def test_a_run_is_read_as_it_was_written(spec):
    text = run_text.write(spec)
    assert run_text.read(text) == spec
    assert all(character.isalnum() or character in "-._~" for character in text)


@given(st.lists(specs(), max_size=run_text.MOST_RUNS, unique=True))
def test_several_runs_are_read_as_they_were_written(runs):
    assert run_text.read_all(run_text.write_all(runs)) == (tuple(runs), ())


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused_in_words(text):
    runs, errors = run_text.read_all(text)
    assert len(runs) <= run_text.MOST_RUNS
    assert runs or errors or not text
    assert all(error.message.format(**error.values) for error in errors)


@pytest.mark.parametrize(
    "text",
    [
        "transformer",
        "cnn~epochs-0",
        "cnn~epochs-2.5",
        "cnn~lr-nan",
        "cnn~lr-inf",
        "cnn~lr-" + "9" * 5000,
        "cnn~lr-__import__('os')",
        "cnn~__class__-1",
        "cnn~model-mlp",
        "cnn~options-1",
        "cnn~nesterov-1",
        "cnn~epochs",
        "cnn~",
        "~",
    ],
)
def test_what_is_no_run_is_refused(text):
    with pytest.raises(InputError):
        run_text.read(text)


def test_a_default_run_is_its_network():
    assert run_text.write(RunSpec()) == "cnn"
    assert run_text.write(RunSpec(model="mlp", lr=1e-5, epochs=3)) == "mlp~epochs-3~lr-1e-05"


def test_a_comparison_holds_a_few_runs():
    text = run_text.write_all([RunSpec(seed=seed) for seed in range(30)])
    runs, errors = run_text.read_all(text)
    assert len(runs) == run_text.MOST_RUNS
    assert [error.values for error in errors] == [{"most": run_text.MOST_RUNS, "left": 30 - run_text.MOST_RUNS}]


def test_a_run_that_stands_twice_counts_once_and_one_that_cannot_be_read_is_left_out():
    runs, errors = run_text.read_all("cnn~~cnn~epochs-10~~cnn~epochs-1000~~mlp")
    assert runs == (RunSpec(), RunSpec(model="mlp"))
    assert len(errors) == 1


def test_a_number_keeps_all_its_digits():
    assert run_text.read(run_text.write(RunSpec(lr=math.pi))).lr == math.pi
