"""The card of a run tells the truth about it, and its weights work in plain PyTorch."""

import ast

import pytest
import safetensors.torch
import torch

from core.card import model_card, network_size
from core.datasets import mnist
from core.device import find_placement
from core.exchange import export_run, read_exported
from core.kept import kept_run
from core.models import MODELS
from core.run import RunSpec
from core.shapes.inspection import inspect
from core.shapes.presets import PRESETS
from core.store import Store
from core.training_script import training_script

PLACEMENT = find_placement("cpu", 1)
SPECS = {
    "cnn": RunSpec(epochs=2, train_images=500, lr=0.05),
    "stack": RunSpec(model="stack", epochs=1, train_images=300, options={"depth": 8, "channels": 4, "norm": True}),
}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("store"))
    for spec in SPECS.values():
        list(kept_run(spec, PLACEMENT, store, owner="terminal"))
    return store


@pytest.mark.parametrize("model", ["mlp", "cnn", "resnet"])
def test_a_network_s_size_is_that_of_the_page_of_shapes(model):
    expected = inspect(PRESETS[model].text(), (1, 28, 28)).report.totals
    size = network_size(model, ())
    assert (size.parameters, size.multiply_adds) == (expected.params, expected.macs)


@pytest.mark.parametrize("model", MODELS)
def test_every_network_has_a_size(model):
    size = network_size(model, ())
    network = MODELS[model].network()()
    assert size.parameters == sum(parameter.numel() for parameter in network.parameters())
    assert size.multiply_adds > size.parameters / 2


def test_the_card_is_that_of_the_run(store):
    spec = SPECS["cnn"]
    entry = store.load(spec.key(PLACEMENT))
    card = model_card(store.summary(entry.key), entry.epochs)
    accuracies = [epoch.test_accuracy for epoch in entry.epochs]
    assert (card.key, card.origin, card.spec, card.placement) == (entry.key, "here", spec, PLACEMENT)
    assert (card.best_accuracy, card.last_accuracy) == (max(accuracies), accuracies[-1])
    assert accuracies[card.best_epoch - 1] == max(accuracies)
    assert card.last_loss == entry.epochs[-1].test_loss
    assert card.seconds == pytest.approx(sum(epoch.seconds for epoch in entry.epochs))
    assert (card.parameters, card.weight_epochs) == (8_490, (1, 2))
    assert card.hardware == entry.hardware
    assert model_card(store.summary(entry.key), ()) is None


@pytest.mark.parametrize("name", SPECS)
def test_exported_weights_load_in_plain_pytorch_and_give_the_recorded_accuracy(store, name):
    """With nothing of this project but the source of the script: the class, and how it tests."""
    spec = SPECS[name]
    key = spec.key(PLACEMENT)
    entry = read_exported(export_run(key, store))
    program = ast.parse(training_script(spec, PLACEMENT))
    program.body = [part for part in program.body if not isinstance(part, ast.If)]  # not the program itself
    script = {"__name__": "script"}
    exec(compile(program, "train.py", "exec"), script)  # noqa: S102 - our own script
    images = torch.tensor(mnist().test_images).unsqueeze(1)
    labels = torch.tensor(mnist().test_labels, dtype=torch.int64)
    for epoch in entry.epochs:
        model = eval(MODELS[spec.model].call(spec.options), script)  # noqa: S307 - our own call
        model.to(memory_format=torch.channels_last)
        model.load_state_dict(safetensors.torch.load(store.weights(key, epoch.epoch)))
        loss, accuracy = script["test"](model, images, labels)
        assert accuracy == epoch.test_accuracy
        assert loss == pytest.approx(epoch.test_loss, rel=1e-5)
    plain = model.eval().to(torch.float32)
    with torch.no_grad():  # in float32, whatever the run computed in
        scores = torch.cat([plain((part / 255 - 0.1307) / 0.3081) for part in images.split(1000)])
    assert (scores.argmax(1) == labels).float().mean().item() == pytest.approx(accuracy, abs=0.01)
