import ast
import json
import math
import re
from dataclasses import replace
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from app.course import ROOT
from app.figures import training as figure
from app.figures import training_rows as drawn
from app.figures import training_words as words
from app.i18n import translations
from core import jobs, run_text
from core.exchange import export_run, import_run
from core.models import MODELS
from core.optimizers import OPTIMIZERS
from core.preset_runs import COMPARISONS
from core.run import QUICK, RunSpec
from core.training_script import training_script
from pages.parts import training_compare, training_link, training_setup
from tests.pages.visits import fine, said, visitor_of_app

SMALL = {"images": 500, "epochs": 2}
SPEC = RunSpec(train_images=500, epochs=2)
LONG = {"images": 60_000, "epochs": 20}
PATIENCE = 120  # s for a small run on a busy machine
visit = visitor_of_app("training", PATIENCE)
pytestmark = pytest.mark.usefixtures("manager")


def picture(at):
    """Return what the player got."""
    (component,) = at.get("bidi_component")
    return json.loads(component.proto.json)


def ended(job):
    assert job.wait_for(lambda job: not job.active, PATIENCE)
    return job


@pytest.fixture(scope="module")
def trained(manager):
    """The small run, started by a reader and trained to its end."""
    at = visit(**SMALL)
    assert "Not trained yet. Press **Start**: it takes 16 steps" in said(at)
    assert manager.get(SPEC) is None
    fine(at.button(key="start").click().run())
    job = manager.get(SPEC)
    assert ended(job).status == "done"
    return job


def spoken(at):
    return said(at) + " ".join(caption.value for caption in at.caption)


def test_the_first_button_is_the_quick_run(manager):
    at = visit(model="mlp")
    assert at.button[0].key == "quick"
    quick = replace(QUICK, model="mlp")
    fine(at.button[0].click().run())
    assert ended(manager.get(quick)).status == "done"
    fine(at.run())
    assert setup_of(at) == quick
    assert "Trained: test accuracy" in said(at)


def setup_of(at):
    """Return the run that the controls hold, through the script that the page offers."""
    return at.session_state["accepted"]


EVERYTHING = RunSpec(
    model="stack",
    options={"depth": 26, "residual": False, "norm": True},
    epochs=3,
    batch_size=50,
    optimizer="rmsprop",
    lr=0.003,
    momentum=0.25,
    weight_decay=0.01,
    schedule="cosine",
    shift=2,
    rotate=7.5,
    patience=4,
    train_images=700,
    seed=9,
)


def link_of(spec):
    """Return what the page's link says of a run."""
    values = training_setup.controls(spec)
    return {name: str(value).lower() if isinstance(value, bool) else value for name, value in values.items()}


@pytest.mark.parametrize(
    "spec", [EVERYTHING, RunSpec(nesterov=True), RunSpec(model="resnet", options={"block": "pre_activation"})]
)
def test_a_link_opens_every_setting(spec):
    at = visit(**link_of(spec))
    assert not at.warning
    assert not at.error
    assert setup_of(at) == spec


@pytest.mark.parametrize("model", MODELS)
def test_every_option_of_a_network_has_a_control(model):
    at = visit(model=model, **SMALL)
    for option in MODELS[model].options:
        assert at.session_state[f"{model}.{option.name}"] == option.default


def test_choosing_an_optimizer_brings_a_rate_that_suits_it():
    at = visit(**SMALL)
    fine(at.selectbox(key="optimizer").set_value("adam").run())
    assert at.number_input(key="lr").value == 0.001
    assert at.number_input(key="momentum").disabled
    assert setup_of(at) == replace(SPEC, optimizer="adam", lr=0.001)


@pytest.mark.parametrize(
    "name", ["optimizer", "schedule", "nesterov", "decay", "shift", "rotate", "patience", "cnn.dropout", "axis"]
)
def test_nonsense_for_any_setting_is_named(name):
    at = visit(**SMALL | {name: "<b>"})
    assert f"The link asks for {name}" in at.warning[0].value.replace("\\", "")
    assert setup_of(at) == SPEC


def test_an_option_out_of_its_bounds_is_refused_in_the_words_of_its_label():
    at = visit(model="stack", **{"stack.depth": 21})
    assert at.error[0].value.startswith("Layers with weights must be one of 8, 14")
    at = visit(
        model="inception",
        **{f"inception.{name}": "false" for name in ("branch1x1", "branch5x5", "branch3x3", "branch_pool")},
    )
    assert at.error[0].value.startswith("At least one of")
    assert "branch1x1" not in at.error[0].value
    assert at.button(key="start").disabled


SECTIONS = ("queue", "numbers", "results", "inside", "digit", "loop", "card", "step", "code", "try")


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_opens(trained, section):
    at = visit(lang="zh", **SMALL, **{section: "true"})
    assert not at.error
    assert not at.warning


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_update_rule_has_the_numbers_of_the_run(optimizer):
    at = visit(optimizer=optimizer, lr=0.003, step="true", decay=0.25, schedule="step")
    assert r"0.003\," in at.latex[1].value
    assert (r"0.25\," in at.latex[0].value) == (optimizer != "adamw")


def test_the_augmentation_is_shown_where_it_is_on():
    import io

    import numpy as np
    from PIL import Image

    from app.figures.training_augmented import COUNT, IMAGE, SIDE, strip
    from core.augmentation import examples

    picture = np.asarray(Image.open(io.BytesIO(strip("mnist", 2, 10.0, 3))))
    images = examples(IMAGE, RunSpec(shift=2, rotate=10.0, seed=3), COUNT)
    scale = SIDE // 28
    for place, image in enumerate(images):
        shown = picture[::scale, place * SIDE : (place + 1) * SIDE : scale]
        assert np.array_equal(255 - shown, image[0])


# --- Several runs


OTHER = replace(SPEC, model="mlp")


@pytest.fixture(scope="module")
def both(trained, manager):
    """Two small runs that are there."""
    return trained, ended(manager.submit(OTHER))


def compared(at):
    """Return what the link says of the comparison; AppTest gives lists for what was there at first."""
    value = at.query_params["compare"]
    return value if isinstance(value, str) else value[0]


def compare_text(*specs):
    return run_text.write_all(specs)


def test_a_run_is_added_to_a_comparison_and_the_comparison_closed(both):
    at = visit(**SMALL)
    fine(at.button(key="add").click().run())
    assert compared(at) == compare_text(SPEC)
    fine(at.segmented_control(key="model").set_value("mlp").run())
    assert "CNN" in said(at)
    data = picture(at)
    assert decoded(data["data"]["legend"], "name")[:2] == ["CNN", "MLP"]
    assert "leave" in [button.key for button in at.button]  # with a run beside it that is not yet part of it, too
    fine(at.button(key="add").click().run())
    assert compared(at) == compare_text(SPEC, OTHER)
    fine(at.button(key="leave").click().run())
    assert "compare" not in at.query_params
    assert picture(at)["key"] == "run"


def test_a_click_that_the_browser_sends_with_the_link_from_before_loses_no_run(both):
    at = visit(**SMALL)
    fine(at.button(key="add").click().run())
    del at.query_params["compare"]  # as the browser has not heard of it yet
    fine(at.segmented_control(key="model").set_value("mlp").run())
    assert compared(at) == compare_text(SPEC)


def decoded(source, column):
    return source["columns"][column]


def test_a_link_opens_a_comparison(both):
    at = visit(compare=compare_text(SPEC, OTHER))
    assert setup_of(at) == SPEC  # the controls follow where the link does not name a run itself
    data = picture(at)
    assert data["key"] == "runs"
    assert data["steps"] == 2
    assert decoded(data["data"]["legend"], "state")[0] == "trained here"
    accuracies = [f"{100 * job.epochs[-1].test_accuracy:.2f} %" for job in both]
    assert decoded(data["data"]["legend"], "accuracy")[-2:] == accuracies
    assert re.search("“(CNN|MLP)” (trains|does not train):|leads|level", said(at))
    assert all(f"{name}: test accuracy" in data["alt"] for name in ("CNN", "MLP"))


def in_link(at):
    """Return what the link says of the run by now; AppTest gives lists for what was there at first."""
    names = {"model", *run_text.NAMES.values()}
    values = {name: at.query_params[name] for name in at.query_params if name in names or "." in name}
    return {name: value if isinstance(value, str) else value[0] for name, value in values.items()}


def unusual(spec):
    """Return what a link has to say of a run, and no more."""
    usual = link_of(RunSpec()) | link_of(RunSpec(model=spec.model)) | {"model": "cnn"}
    return {name: str(value) for name, value in link_of(spec).items() if value != usual[name]}


@pytest.mark.parametrize(
    "spec", [EVERYTHING, RunSpec(model="mlp", nesterov=True, lr=1e-5), COMPARISONS["depth"].runs[0]]
)
def test_a_comparison_that_is_closed_leaves_its_settings_in_the_link(spec):
    at = visit(compare=compare_text(spec, OTHER))
    assert in_link(at) == unusual(spec)
    fine(at.button(key="leave").click().run())
    assert "compare" not in at.query_params
    assert in_link(at) == unusual(spec)
    assert setup_of(visit(**in_link(at))) == spec


def test_a_comparison_that_is_opened_again_keeps_the_settings_beside_it(both):
    at = visit(compare=compare_text(SPEC, OTHER))
    fine(at.number_input(key="epochs").set_value(10.0).run())
    at.query_params.pop("epochs", None)  # the browser drops what is as usual
    again = visit(compare=compared(at), **in_link(at))
    assert setup_of(again) == replace(SPEC, epochs=10)


def test_what_is_missing_is_trained_by_one_button_and_the_queue_stops_it(manager):
    slow = [RunSpec(epochs=20, seed=seed) for seed in (50, 51, 52)]
    at = visit(compare=compare_text(*slow), queue="true")
    assert at.button(key="train_missing").label == "Train the 3 missing runs"
    fine(at.button(key="train_missing").click().run())
    jobs = [manager.get(spec) for spec in slow]
    assert all(job is not None and job.active for job in jobs)
    assert re.search(r"0 of 3 runs are trained: (1 training, 2|3) waiting\.", said(at))
    assert "3 runs train or wait." in said(at)
    assert all(f"**seed {seed}**" in said(at) for seed in (50, 51, 52))
    assert picture(at)["steps"] == 0
    for job in jobs[::-1]:
        fine(at.button(key=f"stop_{job.key}").click().run())
        assert ended(job).status == "cancelled"
    fine(at.run())
    assert "No run trains or waits at the moment." in said(at)


def test_a_run_is_left_out_of_the_comparison(both):
    at = visit(compare=compare_text(SPEC, OTHER))
    fine(at.multiselect(key="compare.kept").set_value([run_text.write(OTHER)]).run())
    assert compared(at) == compare_text(OTHER)
    assert not any(element.value.endswith(": ") for element in at.markdown)  # of one run there is little to compare


@pytest.mark.parametrize("name", COMPARISONS)
def test_a_prepared_comparison_opens_by_its_button_and_by_its_name(name):
    at = visit(**SMALL)
    fine(at.button(key=f"prepared_{name}").click().run())
    first = {key: value for key, value in link_of(COMPARISONS[name].runs[0]).items() if "." in key}
    usual = link_of(RunSpec(model=COMPARISONS[name].runs[0].model))
    in_link = {key: "".join(at.query_params.get(key, str(usual[key]))) for key in first}
    assert in_link == {key: str(value) for key, value in first.items()}  # so that a copied link opens the same run
    assert compared(at) == name
    assert setup_of(at) == COMPARISONS[name].runs[0]
    again = visit(compare=name)
    assert setup_of(again) == COMPARISONS[name].runs[0]
    assert COMPARISONS[name].about in said(again)


def test_the_run_that_the_sections_are_about_is_chosen(both):
    at = visit(compare=compare_text(SPEC, OTHER))
    assert at.selectbox(key="compare.below").value == run_text.write(SPEC)
    fine(at.selectbox(key="compare.below").set_value(run_text.write(OTHER)).run())
    assert setup_of(at) == OTHER
    assert compared(at) == compare_text(SPEC, OTHER)


def test_the_menu_says_which_comparisons_are_ready(manager, monkeypatch):
    at = visit(**SMALL)
    assert at.button(key="prepared_optimizers").label.endswith(" · 5 runs to train")
    kept = COMPARISONS["augmentation"].runs[0]
    monkeypatch.setattr(training_compare, "shipped_runs", lambda: [SimpleNamespace(spec=kept)])
    assert visit(**SMALL).button(key="prepared_augmentation").label.endswith(" · 1 run to train")


def test_a_full_comparison_says_how_many_runs_it_holds():
    at = visit(compare=compare_text(*(replace(SPEC, seed=seed) for seed in range(100, 113))), seed=99)
    assert "at most 8 runs; the last 5 are left out" in at.warning[0].value
    assert at.button(key="add").disabled
    assert "A comparison keeps at most 8 runs, besides the one that is set above" in at.button(key="add").help
    assert "0 of 9 runs" in said(at)


def test_a_name_that_no_comparison_has_is_answered_with_those_there_are():
    (warning,) = visit(**SMALL, compare="nonsense").warning
    assert "nonsense" in warning.value
    assert all(name in warning.value for name in ("nets", "depth"))


@pytest.mark.parametrize("text", ["<b>", "cnn~epochs-1000", "cnn~lr-nan", "~~~~", "'); drop", "cnn~" + "x" * 5000])
def test_a_comparison_that_cannot_be_read_is_said_and_left_out(both, text):
    at = visit(**SMALL, compare=compare_text(OTHER) + "~~" + text)
    assert "Not all of the link's comparison can be shown." in at.warning[0].value
    assert picture(at)["key"] == "runs"


def test_the_numbers_of_all_runs_are_listed(both):
    at = visit(compare=compare_text(SPEC, OTHER), numbers="true")
    table = at.dataframe[0].value
    assert table["test_accuracy"].tolist() == [epoch.test_accuracy for job in both for epoch in job.epochs]


@pytest.mark.parametrize("axis", ["samples", "seconds"])
def test_the_axis_is_part_of_the_link(both, axis):
    for query in (SMALL, {"compare": compare_text(SPEC, OTHER)}):
        rows = picture(visit(**query, axis=axis))["data"]
        assert rows["limits"]["digest"] != picture(visit(**query))["data"]["limits"]["digest"]


# --- On and on


def test_a_finished_run_goes_on_for_more_epochs(trained, manager):
    at = visit(**SMALL)
    fine(at.button(key="more_epochs").click().run())
    longer = manager.get(replace(SPEC, epochs=12))
    assert setup_of(at) == replace(SPEC, epochs=12)
    assert ended(longer).status == "done"
    assert [epoch.test_accuracy for epoch in longer.epochs[:2]] == [epoch.test_accuracy for epoch in trained.epochs]
    assert longer.resumed_from == 2


def test_a_run_with_a_schedule_is_not_offered_more_epochs(manager):
    spec = replace(SPEC, schedule="cosine")
    ended(manager.submit(spec))
    at = visit(**link_of(spec))
    assert "more_epochs" not in [button.key for button in at.button]


def test_a_run_whose_weights_are_no_numbers_is_not_offered_more_epochs(manager):
    spec = RunSpec(model="mlp", lr=10, epochs=1, train_images=500)
    ended(manager.submit(spec))
    at = visit(model="mlp", lr=10, epochs=1, images=500)
    assert "no longer a finite number" in said(at)
    assert "more_epochs" not in [button.key for button in at.button]


def test_the_losses_of_a_lost_run_are_written_in_the_tables_and_kept_in_the_file(manager):
    spec = RunSpec(model="mlp", lr=10, epochs=1, train_images=500)
    job = ended(manager.submit(spec))
    at = visit(model="mlp", lr=10, epochs=1, images=500, numbers="true")
    epochs, batches, _mistakes = (table.value for table in at.dataframe)
    assert epochs["test_loss"].tolist() == ["not finite"]
    each = [batch.loss for batch in job.batches]
    assert [text == "not finite" for text in batches["loss"]] == [not math.isfinite(loss) for loss in each]
    assert not any("e+" in text for text in batches["loss"])
    assert any("·10" in text for text in batches["loss"])


def test_a_run_from_elsewhere_is_told_apart_and_trained_here_on_request(manager, monkeypatch):
    spec = replace(SPEC, seed=77)
    job = ended(manager.submit(spec))
    key = import_run(export_run(job.key, manager.store), manager.store)
    manager.store.remove(job.key)
    at = visit(run=key)
    assert setup_of(at) == spec
    assert "This run was imported" in spoken(at)
    assert at.button(key="start").label == "Train it here"
    fine(at.button(key="start").click().run())
    assert ended(manager.get(spec)).origin == "here"
    fine(at.run())
    assert "This run was imported" not in spoken(at)


@pytest.fixture(scope="module")
def imported(manager):
    """The key of a run that somebody else trained."""
    job = ended(manager.submit(BROUGHT))
    key = import_run(export_run(job.key, manager.store), manager.store)
    manager.store.remove(job.key)
    return key


BROUGHT = RunSpec(model="mlp", epochs=2, train_images=500, lr=0.05, momentum=0.8, schedule="onecycle")


def test_an_imported_run_leaves_its_settings_in_the_link_when_it_is_removed(manager, trained):
    job = ended(manager.submit(replace(BROUGHT, seed=78)))
    key = import_run(export_run(job.key, manager.store), manager.store)
    at = visit("card", run=key)
    assert in_link(at) == unusual(job.spec)
    fine(at.button(key=f"remove_{key}").click().run())
    assert "run" not in at.query_params
    assert in_link(at) == unusual(job.spec)
    assert setup_of(visit(**in_link(at))) == job.spec


def test_an_imported_run_stays_in_the_link_beside_what_was_set_since(imported):
    since = {name: value for name, value in unusual(BROUGHT).items() if name != "momentum"}
    at = visit(run=imported, **since)
    assert setup_of(at) == replace(BROUGHT, momentum=RunSpec().momentum)
    assert at.query_params["run"] in (imported, [imported])


def test_of_a_comparison_and_an_imported_run_the_run_is_set(imported):
    at = visit(run=imported, compare=compare_text(SPEC, OTHER))
    assert setup_of(at) == BROUGHT
    assert in_link(at) == unusual(BROUGHT)


@pytest.mark.parametrize("key", ["i0123456789abcde", "zzz"])
def test_an_imported_run_that_is_not_there_is_named_and_leaves_the_link(key):
    at = visit(**SMALL, run=key)
    assert "The link asks for run" in at.warning[0].value
    assert "run" not in at.query_params
    assert setup_of(at) == SPEC
    at.query_params["run"] = key  # as the browser has not heard of it yet
    fine(at.run())
    assert not at.warning
    assert "run" not in at.query_params


@pytest.mark.parametrize(("name", "text"), [("lang", "fr"), ("card", "maybe"), ("queue", "")])
def test_a_language_or_a_section_that_cannot_be_is_named(name, text):
    at = visit(**SMALL | {name: text})
    assert f"The link asks for {name} = “{text}”" in at.warning[0].value
    fine(at.run())
    assert not at.warning


def test_a_switch_may_be_written_in_capitals():
    at = visit(**SMALL, card="True", nesterov="TRUE")
    assert not at.warning
    assert setup_of(at) == replace(SPEC, nesterov=True)
    assert at.file_uploader(key="card_upload")


@pytest.mark.parametrize("name", ["compare", "epochs"])
def test_what_a_link_says_twice_is_said_and_the_last_counts(name):
    at = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=PATIENCE)
    at.query_params["lang"] = "en"
    at.run().switch_page(str(ROOT / "pages" / "training.py"))
    last = {"compare": "optimizers", "epochs": "4"}[name]
    at.query_params[name] = ["2", last]
    fine(at.run())
    (warning,) = at.warning
    assert warning.value == f"The link says {name} more than once; only the last value counts."
    assert at.query_params[name] in (last, [last])
    assert setup_of(at) == (COMPARISONS["optimizers"].runs[0] if name == "compare" else RunSpec(epochs=4))
    fine(at.run())
    assert not at.warning


def test_looking_starts_nothing(manager):
    visit(images=600, epochs=1)
    visit(images=600, epochs=1)
    assert manager.get(RunSpec(train_images=600, epochs=1)) is None


def test_the_page_says_what_the_run_reached(trained):
    at = visit(**SMALL)
    assert f"test accuracy {100 * trained.epochs[-1].test_accuracy:.2f} %" in said(at)
    assert at.button(key="start").disabled
    (computed,) = (caption for caption in at.caption if "Computed on" in caption.value)
    assert "Computed on the CPU" in computed.value or trained.placement.device != "cpu"
    assert all(reason in computed.help for reason in trained.placement.reasons.values())


def test_a_finished_run_has_a_step_and_a_caption_for_each_epoch(trained):
    data = picture(visit(**SMALL))
    assert (data["steps"], data["start"]) == (2, 1)
    for epoch, caption in zip(trained.epochs, data["captions"], strict=True):
        assert f"{100 * epoch.test_accuracy:.2f} %" in caption
        assert f"{epoch.train_loss:.3g}" in caption


def test_the_picture_has_the_mistakes_of_each_epoch(trained):
    rows = drawn.rows(drawn.report(trained, SPEC, "en"))
    for epoch in trained.epochs:
        shown = rows["mistakes"][rows["mistakes"]["position"] == epoch.epoch - 1]
        assert shown["index"].tolist() == [mistake.index for mistake in epoch.worst]
    assert set(rows["images"]["index"]) == set(rows["mistakes"]["index"])


def test_equal_reports_share_their_rows(trained):
    """A class of readers costs one computation."""
    assert drawn.rows(drawn.report(trained, SPEC, "en")) is drawn.rows(drawn.report(trained, SPEC, "en"))


def test_a_drawn_image_is_the_test_image():
    import base64
    import io

    import numpy as np
    from PIL import Image

    from core.datasets import mnist

    header, _, content = drawn.image_url("mnist", 7).partition(",")
    assert header == "data:image/png;base64"
    assert np.array_equal(255 - np.asarray(Image.open(io.BytesIO(base64.b64decode(content)))), mnist().test_images[7])


def report_of(losses, accuracies=(), worst=()):
    from core.records import Batch, Epoch

    spec = RunSpec(epochs=max(1, len(accuracies)), train_images=640)  # ten batches an epoch
    batches = [Batch(step=s, epoch=(s - 1) // 10 + 1, loss=loss, seconds=s / 9) for s, loss in enumerate(losses, 1)]
    epochs = [
        Epoch(
            epoch=number,
            train_loss=2 / number,
            train_accuracy=accuracy,
            test_loss=1 / number,
            test_accuracy=accuracy,
            seconds=1.0,
            images_per_second=640.0,
            device="cpu",
            worst=worst,
            predicted="",
        )
        for number, accuracy in enumerate(accuracies, 1)
    ]
    return drawn.Report(
        key="k",
        batch_count=len(batches),
        epoch_count=len(epochs),
        ended=True,
        language="en",
        axis="epoch",
        spec=spec,
        batches=batches,
        epochs=epochs,
    )


def test_the_alternative_is_true_at_every_epoch():
    text = words.alternative(report_of([2.0] * 29 + [0.123], [0.8, 0.9, 0.85]))
    assert "0.123" not in text  # one batch is noise
    assert "averages 2 in epoch 1 and 0.667 in epoch 3" in text
    assert "80.00 % after epoch 1, 85.00 % after epoch 3, at best 90.00 % after epoch 2" in text
    assert "jumps" not in text


@pytest.mark.parametrize(
    ("losses", "words_of_it"),
    [
        ([2.3] * 4 + [30.0] + [2.3] * 5, "It jumps to 30 in step 5."),
        ([2.3, 9.0, float("inf")], "From step 3 on it is no finite number."),
    ],
)
def test_the_alternative_names_where_a_run_was_thrown_off(losses, words_of_it):
    assert words_of_it in words.alternative(report_of(losses, [0.1]))


def test_the_accuracy_of_an_empty_chart_goes_from_nothing_to_all():
    assert drawn.rows(report_of([]))["limits"]["accuracy"].tolist() == [0, 1]


def test_a_long_run_is_drawn_with_few_points():
    from core.records import Batch

    spec = RunSpec(epochs=10)
    batches = [
        Batch(step=step, epoch=(step - 1) // 938 + 1, loss=2.0 + (step == 5000), seconds=1.0) for step in range(1, 9381)
    ]
    report = drawn.Report(
        key="k", batch_count=9380, epoch_count=0, ended=False, language="en", axis="epoch", spec=spec, batches=batches,
        epochs=(),
    )  # fmt: skip
    curve = drawn.rows(report)["curve"]
    assert len(curve) <= 480
    assert curve["s0"].max() == 3.0


def test_the_formula_is_the_worst_mistake_of_the_epoch(trained):
    data = picture(visit(**SMALL))
    assert "{{data('worst')[0].what}}" in data["formula"]
    assert data["outputs"] == figure.WORST


def test_the_formula_agrees_with_a_calculator():
    """Its loss is the logarithm of the probability as it is written, for every probability."""
    probability, loss = re.findall(r"<mn class='q-(?:prediction|loss)'>\{\{(.*?)\}\}</mn>", words.cross_entropy())
    there, shown = re.fullmatch(r"(.*) \? (format\(.*, '\.3~g'\)) : '≈ 0'", probability).groups()
    assert there == "data('worst')[0].probability > 0"
    assert loss == f"{there} ? format(-log(toNumber({shown})), '.2f') : '103'"


def test_a_probability_that_vanished_is_said_to_have_done_so():
    """What a float32 keeps as 0 has a logarithm below −103, as the formula then says."""
    import torch

    assert torch.tensor(-103.0).exp() > 0
    assert torch.tensor(-104.0).exp() == 0
    formula = words.cross_entropy()
    assert "<mo>{{data('worst')[0].probability > 0 ? '=' : '>'}}</mo>" in formula
    assert "? '' : 'This probability is below 10⁻⁴⁵, where the numbers of float32 end" in formula


def test_the_numbers_are_those_of_the_run(trained):
    at = visit(**SMALL, numbers="true")
    epochs, batches, mistakes = (table.value for table in at.dataframe)
    assert epochs["test_accuracy"].tolist() == [epoch.test_accuracy for epoch in trained.epochs]
    assert batches["loss"].tolist() == [batch.loss for batch in trained.batches]
    assert len(mistakes) == sum(len(epoch.worst) for epoch in trained.epochs)


def test_the_code_is_the_script_of_this_run(trained):
    at = visit(**SMALL, code="true")
    assert at.code[0].value.strip() == training_script(SPEC).strip()


def test_a_kept_run_opens_at_once_in_a_new_server(trained, manager):
    again = jobs.Jobs(manager.store)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jobs, "_manager", again)
        at = visit(**SMALL)
    assert f"{100 * trained.epochs[-1].test_accuracy:.2f} %" in said(at)
    assert "This run is kept" in " ".join(caption.value for caption in at.caption)
    assert again.get(SPEC).batches == trained.batches


def test_a_run_under_way_is_seen_by_all_stopped_and_continued(manager):
    first = visit(**LONG)
    fine(first.button(key="start").click().run())
    job = manager.get(RunSpec(epochs=20))
    assert job.wait_for(lambda job: len(job.batches) > 5, PATIENCE)
    second = visit(**LONG)  # a reload, or a second reader
    assert "Epoch 1 of 20: loss" in said(second)
    assert picture(second)["steps"] == 0
    assert "images a second" in said(second)
    fine(second.button(key="stop").click().run())
    assert ended(job).status == "cancelled"
    fine(first.run())
    assert "Stopped before its first epoch was finished; Start begins it again." in said(first)
    assert first.button(key="start").label == "Start"


def test_a_run_that_waits_says_its_place(manager):
    fillers = [manager.submit(RunSpec(epochs=20, seed=seed)) for seed in range(1, manager._slots + 1)]
    at = visit(**LONG, seed=99)
    fine(at.button(key="start").click().run())
    waiting = manager.get(RunSpec(epochs=20, seed=99))
    assert "number 1 in the queue" in said(at)
    for job in (waiting, *fillers):
        manager.cancel(job.key)
        ended(job)


@pytest.mark.slow
def test_the_prediction_is_answered_by_two_real_runs(manager):
    at = visit("try", **SMALL)
    assert at.button(key="train_question").disabled  # first the guess
    fine(at.radio(key="ten_times").set_value(0).run())
    fine(at.button(key="train_question").click().run())
    for lr in (0.01, 0.1):
        assert ended(manager.get(RunSpec(epochs=1, train_images=10_000, lr=lr))).status == "done"
    slow, fast = (manager.get(RunSpec(epochs=1, train_images=10_000, lr=lr)).epochs[-1] for lr in (0.01, 0.1))
    fine(at.run())
    right = 1 if abs(fast.test_accuracy - slow.test_accuracy) < 0.01 else 2 * (fast.test_accuracy > slow.test_accuracy)
    at.radio(key="ten_times").set_value(right).run()
    fine(at.button(key="ten_times_reveal").click().run())
    assert "Right." in said(at)
    assert f"{100 * fast.test_accuracy:.2f} %" in said(at)


def test_the_quick_run_keeps_the_options_and_the_seed(manager):
    at = visit(model="mlp", seed=5, **{"mlp.dropout": 0.5})
    fine(at.button(key="quick").click().run())
    quick = replace(QUICK, model="mlp", options={"dropout": 0.5}, seed=5)
    ended(manager.get(quick))
    assert setup_of(at) == quick


def test_the_quick_run_leaves_out_an_option_that_is_refused(manager):
    at = visit(model="mlp", **{"mlp.dropout": 5})
    fine(at.button(key="quick").click().run())
    ended(manager.get(replace(QUICK, model="mlp")))
    assert setup_of(at) == replace(QUICK, model="mlp")


def test_a_run_of_one_epoch_is_not_played(manager):
    spec = RunSpec(epochs=1, train_images=500)
    ended(manager.submit(spec))
    at = visit(images=500, epochs=1)
    assert picture(at)["steps"] == 0
    assert "Epoch 1 of 1: train loss" in said(at)


def test_a_refused_value_is_said_in_its_panel_and_the_run_below_is_named():
    at = visit(**SMALL, decay=5)
    assert ":red[The weight decay must be a number from 0 to 1, not 5.]" in said(at)
    assert "Below is another run, whose settings were right: CNN, 10 epochs" in spoken(at)


@pytest.mark.parametrize(
    ("name", "key", "model"), [("weight_decay", "decay", "cnn"), ("depth", "stack.depth", "stack")]
)
def test_a_name_that_a_link_does_not_know_is_mended(name, key, model):
    (warning,) = visit(**SMALL, model=model, **{name: 5}).warning
    assert f"in a link it is called {key}" in warning.value.replace("\\", "")


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"depth": 57}, "The link says depth, which does nothing here."),
        ({"stack.depth": 57, "utm_source": "mail"}, "The link says stack.depth, utm_source, which do nothing here."),
        ({"model": "mlp", "*x*": 1, "y.step": 2}, "The link says *x*, y.step, which do nothing here."),
        ({"model": "stack", "epochs": "x", "depth_": 1}, "The link says depth_, which does nothing here."),
    ],
)
def test_what_a_link_says_in_vain_is_said_once_and_the_page_goes_on(query, sentence):
    at = visit(**(SMALL | query))
    (warning,) = at.warning
    assert sentence in warning.value.replace("\\", "")
    fine(at.run())
    assert sentence not in " ".join(warning.value for warning in at.warning).replace("\\", "")


def test_all_that_the_page_writes_to_its_link_is_known_there():
    names = {key for kind in ("choice", "section", "part", "number_input", "toggle") for key in keys_of(kind)}
    names |= set(re.findall(r'^    \("(\w+)", _\("', (ROOT / "pages" / "training.py").read_text(), re.MULTILINE))
    assert {"axis", "results", "image", "versus"} <= names
    at = visit(**SMALL, embed="true", **dict.fromkeys(names - {"model"}, "1"))
    assert not [warning.value for warning in at.warning if "nothing here" in warning.value]
    pictures = {key for kind in ("player", "pad", "watch") for key in keys_of(kind)}
    assert {"run", "inside", "maps"} <= pictures
    assert pictures - set(training_link.PICTURES) <= {"digit"}


def keys_of(kind):
    """Return the constant keys of the page's calls of a function of this name."""
    for file in (ROOT / "pages" / "training.py", *(ROOT / "pages" / "parts").glob("training_*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) == kind:
                given = {keyword.arg: keyword.value for keyword in node.keywords}
                if "key" in given and (kind not in {"number_input", "toggle"} or "bind" in given):
                    yield from (part.value for part in [given["key"]] if isinstance(part, ast.Constant))


def test_a_bad_link_gets_one_box_that_says_what_is_possible():
    (warning,) = visit(model="xyz", epochs="many", optimizer="foo").warning
    assert "Possible: mlp, cnn, inception" in warning.value
    assert "Possible: sgd, adam" in warning.value
    assert "Possible: a number." in warning.value


@pytest.mark.parametrize(("key", "most"), [("lr", "to 10"), ("epochs", "to 100"), ("stack.depth", "to 110")])
def test_an_infinite_number_in_the_link_gets_its_range(key, most):
    (warning,) = visit(model="stack", **{key: "1e309"}).warning
    assert f"{most}, not inf." in warning.value


def test_a_run_that_was_lost_says_so_first_and_has_no_formula(manager):
    spec = RunSpec(model="stack", epochs=2, train_images=500, batch_size=16, lr=10.0, momentum=0.99)
    job = ended(manager.submit(spec))
    assert not all(epoch.worst for epoch in job.epochs)
    at = visit(**link_of(spec))
    data = picture(at)
    assert "Trained" not in said(at)
    assert "Diverged in step" in said(at)
    assert data["formula"] == ""
    for text in (data["alt"], *data["captions"]):
        assert "nan" not in text
        assert "inf" not in text
    assert "the loss is not a finite number" in data["captions"][-1]


def test_no_larger_rate_is_advised_while_the_rate_climbs():
    from types import SimpleNamespace

    report = report_of([2.3] * 60)
    spec = replace(report.spec, schedule="onecycle")
    job = SimpleNamespace(
        status="running", active=True, error=None, waiting_for=None, spec=spec, images_per_second=None,
        seconds_left=None,
    )  # fmt: skip
    sentence, _ = words.status(job, replace(report, ended=False, spec=spec))
    assert "It still guesses" in sentence
    assert "larger" not in sentence


def test_a_run_stopped_before_its_first_epoch_gets_no_verdict():
    from types import SimpleNamespace

    report = replace(report_of([2.3] * 60), ended=True)
    report = replace(report, epochs=(), epoch_count=0)
    job = SimpleNamespace(status="cancelled", active=False, error=None, waiting_for=None, spec=report.spec)
    sentence, kind = words.status(job, report)
    assert (sentence, kind) == ("Stopped before its first epoch was finished; Start begins it again.", "neutral")


def test_a_suggestion_sets_the_controls():
    at = visit(**SMALL, lr=5, **{"try": "true"})
    fine(at.button(key="up_1").click().run())
    assert (at.number_input(key="epochs").value, at.number_input(key="images").value) == (1, 10_000)
    assert at.number_input(key="lr").value == 0.01


SEED = "Seed of the weights and of the images' order"
REFUSED = {
    "lr": ("-1", "The learning rate must be a number from 0.00000001 to 10, not {value}.", {"value": "-1"}),
    "batch": (
        "0",
        "{name} must be a whole number from {low} to {high}, not {value}.",
        {"name": "Batch size", "low": "1", "high": "500", "value": 0},
    ),
    "epochs": (
        "2.5",
        "{name} must be a whole number from {low} to {high}, not {value}.",
        {"name": "Epochs", "low": "1", "high": "100", "value": 2.5},
    ),
    "momentum": ("1", "The momentum must be a number from 0 to below 1, not {value}.", {"value": "1"}),
    "seed": (
        "1e308",
        "{name} must be a whole number from {low} to {high}, not {value}.",
        {"name": SEED, "low": "0", "high": "4,294,967,295", "value": "1e+308"},
    ),
}


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", sorted(REFUSED))
def test_a_refused_value_gets_its_one_sentence(name, language):
    text, template, values = REFUSED[name]
    at = visit(lang=language, **SMALL | {name: text})
    translate = translations(language).gettext
    if "name" in values:
        values = values | {"name": translate(values["name"])}
    assert [error.value for error in at.error] == [translate(template).format(**values)]
    assert at.button(key="start").disabled


@pytest.mark.parametrize("name", MODELS)
def test_the_link_names_the_network(name):
    at = visit(model=name, **SMALL)
    (code,) = [code.value for code in visit(model=name, code="true", **SMALL).code]
    assert f"class {MODELS[name].class_name}(nn.Module)" in code
    assert at.session_state["model"] == name


def test_a_network_that_does_not_exist_is_named():
    (warning,) = visit(model="transformer").warning
    assert "The link asks for model" in warning.value


def test_a_batch_larger_than_the_images_is_refused():
    at = visit(images=500, batch=501)
    assert [error.value for error in at.error] == ["Batch size must be a whole number from 1 to 500, not 501."]


def test_each_refused_value_gets_a_sentence():
    at = visit(epochs=0, batch=-3, lr=1e9)
    assert [error.value for error in at.error] == [
        "Epochs must be a whole number from 1 to 100, not 0.",
        "Batch size must be a whole number from 1 to 10,000, not -3.",
        "The learning rate must be a number from 0.00000001 to 10, not 1000000000.",
    ]


def test_a_refused_value_leaves_the_last_run_on_the_page(trained):
    at = visit(**SMALL)
    at.number_input(key="lr").set_value(-1.0).run()
    assert len(fine(at).error) == 1
    assert f"test accuracy {100 * trained.epochs[-1].test_accuracy:.2f} %" in said(at)
    assert picture(at)["steps"] == 2


@pytest.mark.parametrize("text", ["abc", "inf", "nan", "", "1e999", "<b>", "1;2"])
@pytest.mark.parametrize("name", ["epochs", "lr"])
def test_nonsense_in_the_link_is_named_and_the_default_used(name, text):
    at = visit(**SMALL | {name: text})
    assert not at.error
    (warning,) = at.warning
    assert f"The link asks for {name}" in warning.value
    assert at.number_input(key=name).value == {"epochs": 10, "lr": 0.01}[name]
    at.number_input(key="images").set_value(700).run()
    assert not at.warning
