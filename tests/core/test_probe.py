import pytest
import torch
from torch import nn
from torch.nn import functional as F

from core.datasets import mnist
from core.device import find_placement
from core.models import MODELS
from core.probe import Probe
from core.records import Inside
from core.run import RunSpec
from core.train import build_network, train


def batch(count=16):
    x = torch.tensor(mnist().train_images[:count], dtype=torch.float32).unsqueeze(1) / 255
    return (x - 0.1307) / 0.3081, torch.tensor(mnist().train_labels[:count]).long()


@pytest.mark.parametrize("model", MODELS)
def test_norms_are_those_of_torch(model):
    network = build_network(RunSpec(model=model))
    probe = Probe(network, *batch())
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(1.5)
    inside = probe.look(network, 3)
    assert inside.epoch == 3
    x, labels = batch()
    F.cross_entropy(network.train()(x), labels).backward()
    weights = {name.removesuffix(".weight"): w for name, w in network.named_parameters() if w.dim() > 1}
    assert [layer.name for layer in inside.layers] == list(weights)
    for layer in inside.layers:
        weight = weights[layer.name]
        assert layer.weight_norm == pytest.approx(torch.linalg.vector_norm(weight).item(), rel=1e-5)
        assert layer.change == pytest.approx(0.5, rel=1e-5)
        assert layer.gradient_norm == pytest.approx(torch.linalg.vector_norm(weight.grad).item(), rel=1e-4)


class Half(nn.Module):
    """Of its four units the first never lights up and the second only for some images; a map of zeros beside them."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(784, 4)
        self.conv = nn.Conv2d(1, 2, 3)
        self.act = nn.ReLU()
        nn.init.zeros_(self.fc.weight)
        self.fc.bias = nn.Parameter(torch.tensor([-1.0, 0.0, 1.0, 1.0]))
        with torch.no_grad():
            self.fc.weight[1, 300:500] = 1
            self.conv.weight[0].fill_(-1)
            self.conv.weight[1].fill_(1)
            self.conv.bias.copy_(torch.tensor([-100.0, 100.0]))

    def forward(self, x):
        maps = F.relu(self.conv(x))
        units = self.act(self.fc(x.flatten(1)))
        again = torch.relu(units[:, :1] - 1)
        return F.pad(units + again + maps.mean(), (0, 6))


def test_dead_channels_are_counted_at_every_relu():
    network = Half()
    inside = Probe(network, *batch()).look(network, 0)
    assert inside.dead == (0.5, 0.25, 1.0)


def test_looking_leaves_no_trace():
    spec = RunSpec(model="stack", options={"depth": 8, "norm": True, "channels": 4})
    network = build_network(spec).eval()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    Probe(network, *batch()).look(network, 0)
    assert not network.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    assert all(parameter.grad is None for parameter in network.parameters())


def test_a_run_reports_before_the_first_step_and_after_each_epoch():
    placement = find_placement("cpu", 1)
    spec = RunSpec(model="mlp", epochs=2, train_images=100, options={"dropout": 0.5})
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    insides = [record for record in train(spec, placement) if isinstance(record, Inside)]
    assert torch.equal(torch.rand(2), expected)
    assert [inside.epoch for inside in insides] == [0, 1, 2]
    assert [layer.change for layer in insides[0].layers] == [0.0] * 5
    assert all(layer.change > 0 for inside in insides[1:] for layer in inside.layers)
    assert all(len(inside.dead) == 4 for inside in insides)
