"""The complete script of one run of gradient descent: the code panel's source, in PyTorch and in the course's style."""

from core.descent import LIMIT, METHODS, Descent
from core.points import Points

_LIMIT = f"{LIMIT:.0e}".replace("+0", "")  # 1e9

_TORCH = '''\
"""{title} on the squared error of y = {model}. Needs PyTorch only."""

import torch
from torch.utils.data import DataLoader, TensorDataset

x = torch.tensor({x}, dtype=torch.float64)[:, None]  # ({count}, 1)
y = torch.tensor({y}, dtype=torch.float64)[:, None]

model = torch.nn.Linear(1, 1, bias={with_bias}, dtype=torch.float64)  # y = {model}
{start}
criterion = torch.nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr={lr})
{loader}

update = 0
for epoch in range({epochs}):
{decay}    for inputs, targets in loader:
        optimizer.zero_grad()
        loss = criterion(model(inputs), targets)  # of this batch
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            cost = criterion(model(x), y).item()  # of all data
        update += 1
        w, gradient_w = model.weight.item(), model.weight.grad.item()
{print}
'''

_PRINT_W = """\
        print(f"update={update} gradient_w={gradient_w} w={w} cost={cost}")
        if abs(w) > LIMIT:
            print("The run diverges; this learning rate is too large.")
            raise SystemExit"""

_PRINT_W_B = """\
        b, gradient_b = model.bias.item(), model.bias.grad.item()
        print(f"update={update} gradient_w={gradient_w} gradient_b={gradient_b} w={w} b={b} cost={cost}")
        if max(abs(w), abs(b)) > LIMIT:
            print("The run diverges; this learning rate is too large.")
            raise SystemExit"""


def script(points: Points, spec: Descent) -> str:
    """Write the run with DataLoader, MSELoss and torch.optim.SGD; it prints a line an update, as the run goes.

    A line holds `update` (from 1), `gradient_w`, `w` and `cost`, and `gradient_b` and `b` where there is a bias, each
    as name=value. Raises InputError for a batch larger than the data.
    """
    count = len(points)
    start = [f"torch.nn.init.constant_(model.weight, {spec.w})"]
    if spec.with_bias:
        start.append(f"torch.nn.init.constant_(model.bias, {spec.b})")
    lines = _PRINT_W_B if spec.with_bias else _PRINT_W
    return _TORCH.format(
        title=METHODS[spec.method].title,
        model="w·x + b" if spec.with_bias else "w·x",
        x=list(points.x),
        y=list(points.y),
        count=count,
        with_bias=spec.with_bias,
        start="\n".join(start),
        lr=spec.lr,
        loader=_loader(spec, count),
        epochs=spec.epochs,
        decay=f'    optimizer.param_groups[0]["lr"] = {spec.lr} / (1 + {spec.decay} * epoch)\n' if spec.decay else "",
        print=lines.replace("LIMIT", _LIMIT),
    )


def _loader(spec: Descent, count: int) -> str:
    size = spec.size(count)
    if not spec.shuffles:
        return f"loader = DataLoader(TensorDataset(x, y), batch_size={size}, shuffle=False)"
    return (
        f"generator = torch.Generator().manual_seed({spec.seed})\n"
        f"loader = DataLoader(TensorDataset(x, y), batch_size={size}, shuffle=True, generator=generator)"
    )


_GD = """\
x_data = {x}
y_data = {y}

w = {w}  # initial guess


def forward(x):
    return x * w


def cost(xs, ys):  # mean squared error of all samples
    cost = 0
    for x, y in zip(xs, ys):
        cost += (forward(x) - y) ** 2
    return cost / len(xs)


def gradient(xs, ys):  # of that cost, by w
    grad = 0
    for x, y in zip(xs, ys):
        grad += 2 * x * (forward(x) - y)
    return grad / len(xs)


for epoch in range({epochs}):
    grad = gradient(x_data, y_data)
    w = w - {lr} * grad
    print(f"update={{epoch + 1}} gradient_w={{grad}} w={{w}} cost={{cost(x_data, y_data)}}")
    if abs(w) > {limit}:
        print("The run diverges; this learning rate is too large.")
        raise SystemExit
"""

_SGD = """\
x_data = {x}
y_data = {y}

w = {w}  # initial guess


def forward(x):
    return x * w


def loss(x, y):  # squared error of one sample
    return (forward(x) - y) ** 2


def gradient(x, y):  # of that loss, by w
    return 2 * x * (forward(x) - y)


update = 0
for epoch in range({epochs}):
    for x, y in zip(x_data, y_data):
        grad = gradient(x, y)
        w = w - {lr} * grad  # update by the gradient of every single sample
        update += 1
        print(f"update={{update}} gradient_w={{grad}} w={{w}} loss={{loss(x, y)}}")
        if abs(w) > {limit}:
            print("The run diverges; this learning rate is too large.")
            raise SystemExit
"""

_LISTINGS = {"gd": _GD, "sgd": _SGD}


def listing(points: Points, spec: Descent) -> str | None:
    """Write the run without PyTorch, as the course does; None where the course has no such listing.

    Course: "梯度下降算法", "随机梯度下降算法": y = w·x, the samples in their order, one learning rate. A line an update
    holds `update` (from 1), `gradient_w`, `w`, and `cost` (of all data) for "gd" or `loss` (of its sample) for "sgd",
    after the update.
    """
    if spec.method not in _LISTINGS or spec.shuffles or spec.with_bias or spec.decay:
        return None
    return _LISTINGS[spec.method].format(
        x=list(points.x), y=list(points.y), w=spec.w, lr=spec.lr, epochs=spec.epochs, limit=_LIMIT
    )
