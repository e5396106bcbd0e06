"""What the pictures of the inside of a network are given to draw."""

import base64
import io
import math

import numpy as np
import pytest
import safetensors.torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from app.charts import compiled
from app.figures import inside as figure
from app.figures import inside_maps as maps_figure
from app.figures import inside_maps_rows as maps_drawn
from app.figures import inside_maps_words as maps_words
from app.figures import inside_rows as drawn
from app.figures import inside_words as words
from app.figures.numbers import numeral
from app.palette import QUANTITIES
from core.inside import forward
from core.models import MODELS
from core.records import Inside, LayerState
from core.run import RunSpec
from core.train import build_network


def inside(epoch, gradients, *, change=0.5, weight=2.0, dead=(0.0,)):
    layers = tuple(
        LayerState(name=f"layer{place}", weight_norm=weight, change=change, gradient_norm=gradient)
        for place, gradient in enumerate(gradients)
    )
    return Inside(epoch=epoch, layers=layers, dead=tuple(dead))


VANISHING = tuple(inside(epoch, [0.0, 1e-30, 1e-9, 0.1]) for epoch in range(3))
REACHING = tuple(inside(epoch, [0.05, 0.07, 0.1, 0.1], dead=(0.25, 0.0)) for epoch in range(2))


def states(*runs):
    return tuple(
        drawn.state_of(f"{name}{len(kept)}", name, kept) for name, kept in zip(("first", "second"), runs, strict=False)
    )


# --- Layer by layer


def test_each_layer_is_drawn_at_each_epoch_and_a_shorter_run_stays_at_its_end():
    rows = drawn.rows(states(VANISHING, REACHING))
    layers = rows["layers"]
    assert len(layers) == 2 * 3 * 4
    for name, run in (("first", VANISHING), ("second", REACHING)):
        for epoch in range(3):
            here = layers[(layers["run"] == name) & (layers["epoch"] == epoch)]
            kept = run[min(epoch, len(run) - 1)]
            assert here["name"].tolist() == [layer.name for layer in kept.layers]
            assert here["true_gradient"].tolist() == [layer.gradient_norm for layer in kept.layers]
            assert here["layer"].tolist() == [1, 2, 3, 4]
    relus = rows["relus"]
    assert relus[(relus["run"] == "second") & (relus["epoch"] == 2)]["dead"].tolist() == [0.25, 0.0]


def test_the_logarithmic_axis_holds_every_gradient_and_zero_lies_at_its_end():
    rows = drawn.rows(states(VANISHING, REACHING))
    low, high = rows["limits"]["gradient"]
    shown = rows["layers"]["gradient"]
    assert low <= 1e-30
    assert high >= 0.1
    assert ((shown >= low) & (shown <= high)).all()
    assert (shown[rows["layers"]["true_gradient"] == 0] == low).all()


def test_what_is_not_finite_is_not_drawn_and_said():
    run = (inside(0, [1.0, 1.0]), inside(1, [math.nan, math.inf], change=math.nan, weight=math.inf))
    rows = drawn.rows(states(run))
    after = rows["layers"][rows["layers"]["epoch"] == 1]
    assert after[["gradient", "weight", "change"]].isna().all(axis=None)
    assert np.isfinite(rows["limits"].to_numpy(dtype=float)).all()
    sentence, kind = words.headline(run[-1])
    assert "diverged" in sentence
    assert kind == "bad"
    assert "diverged" in words.captions([run], ["run"], 1)[1]


@pytest.mark.parametrize(
    ("gradients", "said", "kind"),
    [
        ([0.0, 0.1], "is 0: it does not learn at all", "bad"),
        ([2.5e-6, 0.1], "is 1/40,000 of that of the last one (layer1): it hardly learns", "bad"),
        ([0.002, 0.1], "is 1/50 of that of the last one (layer1): it shrinks", "warning"),
        ([0.08, 0.1], "reaches the first layer (layer0): there it is 0.8 times", "good"),
        ([50.0, 0.1], "grows on its way back: at the first layer (layer0) it is 500 times", "warning"),
        ([1.0, 0.0], "no longer a finite number", "bad"),
    ],
)
def test_the_sentence_says_what_the_gradient_does(gradients, said, kind):
    sentence, how = words.headline(inside(3, gradients))
    assert said in sentence
    assert sentence.startswith("After epoch 3 the gradient")
    assert how == kind
    assert words.headline(inside(0, gradients), name="plain")[0].startswith("plain: before the first step")


def test_the_captions_name_each_run_and_what_moved():
    both = words.captions([VANISHING, REACHING], ["plain", "residual"], 2)
    assert len(both) == 3
    assert all("plain: " in caption and "residual: " in caption for caption in both)
    alone = words.captions([REACHING], ["residual"], 1)
    assert "moved" not in alone[0]
    assert "have moved most (50 %)" in alone[1]
    assert "In 1 of 2 ReLUs a tenth of the channels or more is dead; at worst 25 % in ReLU 1." in alone[1]


def test_the_alternative_tells_gradients_of_a_few_layers():
    deep = (inside(0, [10.0**-place for place in range(56)]),)
    text = words.alternative([deep], ["deep"])
    assert "layer0 1," in text
    assert "layer55 10⁻⁵⁵" in text
    assert text.count("layer") < 20


@pytest.mark.parametrize(("names", "colours"), [(("one",), ()), (("one", "two"), ("runc", "runa"))])
def test_the_chart_of_layers_has_the_colours_of_its_runs(names, colours):
    spec = compiled(figure.layers, names, colours)
    assert spec["$schema"].startswith("https://vega.github.io/schema/vega-lite")
    scales = [scale for scale in scales_of(spec) if scale.get("domain") == list(names)]
    expected = {tuple(f"@{colour}" for colour in colours)} if colours else {(hue,) for hue in figure.OWN.values()}
    assert {tuple(scale["range"]) for scale in scales} == expected


def scales_of(node):
    """Every scale of a colour in a spec."""
    if isinstance(node, list):
        return [scale for child in node for scale in scales_of(child)]
    if not isinstance(node, dict):
        return []
    own = [node["color"]["scale"]] if isinstance(node.get("color"), dict) and "scale" in node["color"] else []
    return own + [scale for child in node.values() for scale in scales_of(child)]


# --- One image


@given(st.lists(st.integers(1, 100), min_size=1, max_size=100, unique=True))
def test_the_player_shows_few_epochs_the_ends_among_them(kept):
    shown = maps_drawn.shown_epochs(sorted(kept))
    assert len(shown) == min(len(kept) + 1, maps_drawn.MOST_EPOCHS)
    assert (shown[0], shown[-1]) == (0, max(kept))
    assert list(shown) == sorted(set(shown))
    assert set(shown) <= {0, *kept}


def read(url):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).convert("RGBA")).astype(int)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_picture_has_the_colour_of_the_sign_and_the_strength_of_the_value(theme):
    values = np.array([[0.0, 0.5, 1.0], [-0.5, -1.0, np.nan]], np.float32)
    pixels = read(maps_drawn.picture(values, 1.0, "prediction", theme))
    positive, negative = (
        list(bytes.fromhex(getattr(QUANTITIES[name], theme)[1:])) for name in ("prediction", "residual")
    )
    assert pixels[0, 2, :3].tolist() == positive
    assert pixels[1, 1, :3].tolist() == negative
    opacity = pixels[..., 3] / 255
    assert opacity[0, 0] == opacity[1, 2] == 0
    np.testing.assert_allclose(opacity[0, 1:], [0.5 * maps_drawn.STRONGEST, maps_drawn.STRONGEST], atol=0.04)
    np.testing.assert_allclose(opacity[1, :2], opacity[0, 1:], atol=1e-9)


def asked(model, epochs=(0, 1, 3), **options):
    spec = RunSpec(model=model, options=options)
    weights = {
        epoch: safetensors.torch.save(build_network(RunSpec(model=model, options=options, seed=epoch)).state_dict())
        for epoch in epochs
    }
    return maps_drawn.Asked(key=f"{model}{options}", image=8, epochs=epochs, spec=spec, weights=weights.__getitem__)


@pytest.mark.parametrize("model", ["mlp", "cnn", "inception", "resnet"])
def test_the_sums_that_the_browser_takes_are_the_drawn_map(model):
    """The expressions of the chart, in Python: the products under the window, the other channels, and the bias."""
    question = asked(model)
    stages = question.looks()[0].stages
    for layer, stage in enumerate(stages):
        rows = maps_drawn.apart(question, layer, 0, "light", "en")
        frame, output, inputs = rows["frame"].iloc[0], rows["output"], rows["inputs"]
        assert len(output) == frame["orows"] * frame["ocols"] == stage.maps[0].size
        if stage.kernels is None:
            assert rows["weights"].empty
            continue
        for step in range(3):
            at = frame["largest"][step]
            top, left = at // frame["ocols"] * frame["down"], at % frame["ocols"] * frame["right"]
            total = output["rest"][at][step] + frame["bias"][step]
            for row in rows["weights"].itertuples():
                values = inputs["values"][row.rank]
                present = values[min(step, len(values) - 1)]
                total += row.weights[step] * present[(top + row.i) * frame["cols"] + left + row.j]
            expected = question.looks()[step].stages[layer].maps[0].ravel()
            assert expected[at] == expected.max()
            assert 2 <= np.abs(expected).max() / frame["unit"][step] / 1000 < 20
            assert output["values"][at][step] == pytest.approx(float(expected[at]), rel=1e-4)
            assert total == pytest.approx(float(expected[at]), rel=1e-3, abs=2e-4)


def test_the_image_itself_is_sent_once():
    rows = maps_drawn.apart(asked("cnn"), 1, 0, "light", "en")
    assert len(rows["inputs"]) == 1
    assert len(rows["inputs"]["values"][0]) == len(rows["inputs"]["urls"][0]) == 1
    deeper = maps_drawn.apart(asked("cnn"), 4, 0, "light", "en")
    assert len(deeper["inputs"]["values"][0]) == 3


def test_a_layer_shows_its_first_maps_at_each_epoch():
    question = asked("inception")
    stages = question.looks()[-1].stages
    layer = next(place for place, stage in enumerate(stages) if stage.operation == "concatenate")
    rows = maps_drawn.grid(question, layer, "light")
    assert len(rows) == maps_figure.MOST
    assert all(len(urls) == 3 for urls in rows["urls"])
    assert read(rows["urls"][0][0]).shape[:2] == stages[layer].maps.shape[1:]
    assert maps_words.layer_sentence(stages[layer]).endswith("88 maps of 12 × 12; here the first 16 of 88")
    last = maps_drawn.grid(question, len(stages) - 1, "light")
    np.testing.assert_allclose([row[-1] for row in last["numbers"]], stages[-1].maps.ravel(), rtol=1e-3)


def test_the_first_kernels_are_the_weights():
    question = asked("cnn")
    kernels = maps_drawn.first_kernels(question)
    for each, epoch in zip(kernels[1:], question.epochs[1:], strict=True):
        network = build_network(RunSpec(seed=epoch))
        np.testing.assert_array_equal(each, network.conv1.weight.detach().numpy())
    assert len(maps_drawn.kernel_grid(question, "dark")) == 10
    assert maps_words.kernels_sentence(512, (28, 28)).endswith("the first 16 of 512")


@pytest.mark.parametrize("model", MODELS)
def test_every_operation_of_every_network_has_its_words(model):
    stages = forward(build_network(RunSpec(model=model)).eval(), 0).stages
    assert all(maps_words.layer_sentence(stage) for stage in stages)
    assert len(set(maps_words.layer_names(stages))) == len(stages)


def test_what_the_network_takes_the_image_for_is_said():
    question = asked("cnn")
    looks = question.looks()
    captions = maps_words.captions(looks, question.epochs, 5)
    assert captions[0].startswith("Before the first step: this 5 ")
    assert captions[2].startswith("After epoch 3: this 5 ")
    for seen, caption in zip(looks, captions, strict=True):
        digit = int(seen.probabilities.argmax())
        assert f"taken for a {digit}" in caption or (digit == 5 and "recognised" in caption)
    stages = looks[-1].stages
    text = maps_words.alternative(stages[1], 2, looks[-1], 5)
    low, high = (numeral(float(end), 3) for end in (stages[1].maps[2].min(), stages[1].maps[2].max()))
    assert f"values from {low} to {high}" in text


@pytest.mark.parametrize("build", [maps_figure.maps, maps_figure.kernels])
def test_the_charts_of_maps_are_valid(build):
    assert compiled(build)["$schema"].startswith("https://vega.github.io/schema/vega-lite")
