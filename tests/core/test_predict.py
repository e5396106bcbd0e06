from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
import safetensors.torch
import torch
from numpy.testing import assert_allclose
from torch import nn

from core import predict as predicting
from core.datasets import MEAN, STD, mnist
from core.errors import InputError
from core.models import MODELS
from core.predict import Net, Prediction, predict
from core.run import RunSpec
from core.saliency import saliency
from core.train import build_network
from tests.core.replay import small_net


def image(index=0):
    return mnist().test_images[index] / 255


def made(model="cnn", epoch=1, key=None, **spec):
    """A network with its first weights, as if it had been kept."""
    spec, key = RunSpec(model=model, **spec), key or model
    weights = safetensors.torch.save(build_network(spec).state_dict())
    return Net(key=key, epoch=epoch, spec=spec, accuracy=0.1, origin="here", weights=lambda: weights)


@pytest.mark.parametrize("model", MODELS)
def test_probabilities_are_torchs_softmax_of_the_networks_scores(model):
    net = made(model)
    network = build_network(net.spec).eval()
    scores = network(torch.tensor((image() - MEAN) / STD, dtype=torch.float32)[None, None]).detach()
    (answer,) = predict([net], image())
    assert_allclose(answer.probabilities, scores.softmax(1)[0].numpy(), rtol=1e-5)
    assert answer.digit == int(scores.argmax())
    assert answer.confidence == pytest.approx(float(scores.softmax(1).max()))


def test_a_trained_network_sees_the_digit():
    index = next(index for index, label in enumerate(mnist().test_labels) if label == 0)
    (answer,) = predict([small_net()], image(index))
    assert answer.digit == 0
    assert sum(answer.probabilities) == pytest.approx(1)


def test_a_diverged_network_sees_nothing():
    network = build_network(RunSpec())
    with torch.no_grad():
        next(network.parameters()).fill_(float("nan"))
    broken = safetensors.torch.save(network.state_dict())
    (answer,) = predict([replace(made(key="diverged"), weights=lambda: broken)], image())
    assert answer.digit is None


def test_dropout_is_off_and_no_gradient_is_kept():
    network = predicting.network(made())
    assert not network.training
    assert not any(parameter.requires_grad for parameter in network.parameters())


def test_networks_are_read_once_and_the_least_used_is_forgotten(monkeypatch):
    monkeypatch.setattr(predicting, "network", lru_cache(maxsize=3)(predicting.network.__wrapped__))
    reads = []

    def counted(net):
        return replace(net, weights=lambda: reads.append(net.key) or net.weights())

    a, b, c, d = (counted(made(key=key, seed=seed)) for seed, key in enumerate("abcd"))
    predict([a, b, c, a], image())
    assert reads == ["a", "b", "c"]
    predict([d], image())
    predict([a, b], image())
    assert reads == ["a", "b", "c", "d", "b"]


def test_another_epoch_is_another_network():
    first, second = made(epoch=1, seed=1), made(epoch=2, seed=2)
    one, two = predict([first, second], image())
    assert one != two


def test_weights_that_cannot_be_read_are_told_and_tried_again():
    net = made(key="damaged")
    for content in (b"", safetensors.torch.save({"other": torch.zeros(1)})):
        problem, answer = predict([replace(net, weights=lambda content=content: content), made()], image())
        assert isinstance(problem, InputError)
        assert "damaged cannot be read" in str(problem)
        assert isinstance(answer, Prediction)
    (mended,) = predict([net], image())
    assert isinstance(mended, Prediction)


def test_many_threads_get_the_answers_that_one_gets():
    nets = [made(key=key, seed=seed) for seed, key in enumerate("abcde")]
    alone = [predict(nets, image(i)) for i in range(4)]
    with ThreadPoolExecutor(4) as readers:
        together = list(readers.map(lambda i: predict(nets, image(i)), range(4)))
    assert together == alone


@pytest.mark.parametrize("model", ["mlp", "cnn", "inception", "resnet"])
def test_the_gradient_is_the_slope_of_the_score(model):
    """Central differences in double precision, at the pixels that matter most and at some others.

    On grey noise: on a plain ground all candidates of a max pooling are equal, and such a corner has no slope.
    """
    network = build_network(RunSpec(model=model)).double().eval()
    ink = np.random.default_rng(3).random((28, 28))
    found = saliency(network, ink, digit=4)
    order = np.argsort(np.abs(found.gradient), axis=None)
    assert found.gradient.shape == (28, 28)
    for flat in [*order[-8:], *order[::97]]:
        place = np.unravel_index(flat, ink.shape)
        assert found.gradient[place] == pytest.approx(slope(network, ink, 4, place), rel=1e-3, abs=1e-6)


def slope(network, ink, digit, place, h=1e-6):
    scores = []
    for change in (-h, h):
        moved = ink.copy()
        moved[place] += change
        scores.append(network(torch.tensor((moved - MEAN) / STD)[None, None])[0, digit].item())
    return (scores[1] - scores[0]) / (2 * h)


def test_a_linear_networks_gradient_is_its_weights():
    linear = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    found = saliency(linear, image(), digit=7)
    assert_allclose(found.gradient, linear[1].weight[7].detach().numpy().reshape(28, 28) / STD, rtol=1e-5)


def test_the_predictor_asks_for_the_same_gradient():
    net = made("mlp")
    network = build_network(net.spec).eval()
    assert_allclose(
        predicting.gradient(net, image(), 2).gradient, saliency(network, image(), 2).gradient, rtol=1e-4, atol=1e-6
    )
    assert not any(parameter.grad is not None for parameter in network.parameters())
