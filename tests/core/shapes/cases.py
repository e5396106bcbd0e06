"""Random layers with random inputs, good and bad, small enough to be run for real."""

from math import prod

SIZES = (1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 16)


def rarely(random, chance=0.05):
    return random.random() < chance


def per_axis(random, dims, values):
    """Return one number, or one for each axis."""
    if random.random() < 0.6:
        return random.choice(values)
    return tuple(random.choice(values) for _ in range(dims))


def image(random, dims, channels):
    """Return (N, C, …), (C, …), or now and then something of another rank."""
    top = 16 if dims < 3 else 8
    pixels = tuple(min(random.choice(SIZES), top) for _ in range(dims))
    batch = () if random.random() < 0.2 else (random.randint(1, 4),)
    if rarely(random):
        return random.choice([pixels, (2, *batch, channels, *pixels, 1), (channels,), (*batch, channels, *pixels[1:])])
    return (*batch, channels, *pixels)


def convolution(random, *, transposed=False):
    dims = random.randint(1, 3)
    groups = random.choice((1, 1, 1, 2, 3, 4))
    channels = groups * random.randint(1, 3)
    lazy = random.random() < 0.1
    named = {
        "out_channels": groups * random.randint(1, 3) + rarely(random, 0.02),
        "kernel_size": per_axis(random, dims, (1, 2, 3, 4, 5, 7)),
        "stride": per_axis(random, dims, (1, 1, 2, 3)),
        "padding": per_axis(random, dims, (0, 0, 1, 2, 3)),
        "dilation": per_axis(random, dims, (1, 1, 1, 2, 3)),
        "groups": groups,
        "bias": random.random() < 0.7,
    }
    if not lazy:
        named["in_channels"] = max(0, channels + (random.choice((-1, 1, groups)) if rarely(random) else 0))
    if transposed:
        named["output_padding"] = per_axis(random, dims, (0, 0, 0, 1, 2))
        named["padding_mode"] = "reflect" if rarely(random, 0.01) else "zeros"
    else:
        if random.random() < 0.2:
            named["padding"] = random.choice(("same", "valid", "same", "half"))
        if random.random() < 0.2:
            named["padding_mode"] = random.choice(("reflect", "replicate", "circular", "mirror"))
    if rarely(random, 0.04):
        wrong = (
            ("stride", "groups") if named.get("padding_mode", "zeros") != "zeros" else ("stride", "padding", "groups")
        )
        named[random.choice(wrong)] = random.choice((0, -1))
    if rarely(random, 0.02):
        named["stride"] = (1,) * random.randint(1, 4)
    kind = f"{'Lazy' if lazy else ''}Conv{'Transpose' if transposed else ''}{dims}d"
    return kind, named, [image(random, dims, channels)]


def transposed_convolution(random):
    return convolution(random, transposed=True)


def pooling(random):
    dims = random.randint(1, 3)
    way = random.choice(("max", "avg"))
    named = {"kernel_size": per_axis(random, dims, (1, 2, 3, 4, 5)), "ceil_mode": random.random() < 0.4}
    if random.random() < 0.6:
        named["stride"] = per_axis(random, dims, (1, 2, 3, 4))
    if random.random() < 0.5:
        named["padding"] = per_axis(random, dims, (0, 1, 2))
    if way == "max" and random.random() < 0.4:
        named["dilation"] = per_axis(random, dims, (1, 2, 3))
    if way == "avg":
        named["count_include_pad"] = random.random() < 0.5
    if rarely(random):
        named[random.choice(("kernel_size", "stride", "padding"))] = random.choice((0, -1))
    if rarely(random, 0.03):
        named[random.choice(("kernel_size", "stride", "padding"))] = (1,) * random.randint(1, 4)
    kind = f"{way.title()}Pool{dims}d" if random.random() < 0.5 else f"{way}_pool{dims}d"
    return kind, named, [image(random, dims, random.randint(1, 3))]


def adaptive_pooling(random):
    dims = random.randint(1, 3)
    way = random.choice(("max", "avg"))
    sizes = (1, 2, 3, 5, 7, 9) if dims == 1 else (1, 2, 3, 5, 7, 9, None)
    named = {"output_size": per_axis(random, dims, sizes)}
    if rarely(random):
        named["output_size"] = random.choice((0, -1, None, (2,) * random.randint(1, 4)))
    kind = f"Adaptive{way.title()}Pool{dims}d" if random.random() < 0.5 else f"adaptive_{way}_pool{dims}d"
    return kind, named, [image(random, dims, random.randint(1, 3))]


def linear(random):
    shape = tuple(random.choice(SIZES) for _ in range(random.randint(1, 4)))
    features = shape[-1] + (random.choice((-1, 1, 5)) if rarely(random, 0.2) else 0)
    named = {"in_features": features, "out_features": random.choice(SIZES), "bias": random.random() < 0.7}
    if random.random() < 0.1:
        del named["in_features"]
        return "LazyLinear", named, [shape]
    return "Linear", named, [() if rarely(random, 0.01) else shape]


def norm(random):
    kind = random.choice(("BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "LayerNorm", "GroupNorm", "InstanceNorm2d"))
    shape = tuple(random.choice(SIZES[:6]) for _ in range(random.randint(1, 5)))
    channels = shape[min(1, len(shape) - 1)] + rarely(random, 0.1)
    if kind == "LayerNorm":
        sizes = shape[random.randrange(len(shape)) :]
        sizes = (*sizes[:-1], sizes[-1] + 1) if rarely(random, 0.1) else sizes
        return kind, {"normalized_shape": sizes, "bias": random.random() < 0.7}, [shape]
    if kind == "GroupNorm":
        return kind, {"num_groups": random.choice((1, 2, 3)), "num_channels": channels}, [shape]
    affine = random.random() < 0.7
    if kind == "InstanceNorm2d":
        channels = shape[-3] + rarely(random, 0.1) if len(shape) > 2 else channels
        return kind, {"num_features": channels, "affine": affine}, [shape]
    return kind, {"num_features": channels, "affine": affine, "track_running_stats": random.random() < 0.8}, [shape]


ACTIVATIONS = (
    "ReLU", "Sigmoid", "Tanh", "LeakyReLU", "GELU", "SiLU", "Hardtanh", "Softplus", "ELU", "Identity", "relu",
    "sigmoid", "tanh", "leaky_relu", "gelu", "contiguous", "clone", "abs", "exp",
)  # fmt: skip


def pointwise(random):
    shape = tuple(random.choice(SIZES) for _ in range(random.randint(0, 4)))
    kind = random.choice((*ACTIVATIONS, "softmax", "LogSoftmax", "Dropout", "Dropout1d", "Dropout2d", "dropout", "glu",
                          "PReLU", "Softmax2d", "LocalResponseNorm"))  # fmt: skip
    named = {}
    if kind in ("softmax", "LogSoftmax", "glu"):
        named["dim"] = random.randint(-4, 4)
    elif "ropout" in kind:
        named["p"] = random.choice((0, 0.5, 1, 1.5, -0.1))
    elif kind == "PReLU":
        named["num_parameters"] = random.choice((1, shape[1] if len(shape) > 1 else 1, 3))
    elif kind == "LocalResponseNorm":
        named["size"] = random.choice((1, 2, 5))
    return kind, named, [shape]


def joined(random):
    """Two or three tensors that mostly fit: cat, stack, sums and products."""
    kind = random.choice(("cat", "cat", "stack", "add", "sub", "mul", "div", "add_"))
    rank = random.randint(0 if rarely(random) else 1, 4)
    first = tuple(random.choice(SIZES[:5]) for _ in range(rank))
    others = [first for _ in range(1 if kind not in ("cat", "stack") else random.randint(1, 2))]
    dim = random.randint(-rank, max(rank - 1, 0))
    if kind == "cat" and rank:
        others = [(*first[: dim % rank], random.choice(SIZES[:5]), *first[dim % rank + 1 :]) for _ in others]
    elif kind not in ("cat", "stack"):
        others = [tuple(1 if random.random() < 0.3 else size for size in first)[random.randint(0, rank) :]]
    if rarely(random, 0.3):
        others[-1] = tuple(random.choice(SIZES[:5]) for _ in range(random.randint(0, 4)))
    if kind in ("cat", "stack"):
        return kind, {"dim": random.randint(-5, 5) if rarely(random, 0.1) else dim}, [first, *others]
    pair = [first, *others]
    return kind, {}, pair if kind == "add_" or random.random() < 0.5 else pair[::-1]


def arranged(random):
    shape = tuple(random.choice(SIZES[:6]) for _ in range(random.randint(1, 4)))
    kind = random.choice(tuple(ARRANGED))
    return kind, ARRANGED[kind](random, shape, len(shape)), [shape]


def some_dim(random, rank):
    return random.randint(-rank - 1, rank) if rarely(random, 0.2) else random.randint(-rank, rank - 1)


def unflattened(random, shape, rank):
    dim = some_dim(random, rank)
    sizes = random.choice(((2, -1), (-1, 3), (shape[dim % rank], 1), (2, 3), (-1, 1, 1)))
    return {"dim": dim, "unflattened_size": sizes}


def permuted(random, shape, rank):
    dims = random.sample(range(rank), rank)
    return {"dims": tuple(dims[1:] if rank > 1 and rarely(random, 0.1) else dims)}


def reduced(random, shape, rank):
    several = tuple(random.randint(-rank, rank - 1) for _ in range(random.randint(1, 3)))
    dim = random.choice((None, some_dim(random, rank), some_dim(random, rank), several, several))
    return {"dim": dim, "keepdim": random.random() < 0.5}


def flattened(random, shape, rank):
    return {"start_dim": random.randint(-rank, rank), "end_dim": random.randint(-rank, rank - 1)}


def regrouped(random, shape, rank):
    """Return a shape that mostly holds the same number of values."""
    whole = prod(shape)
    divisors = [size for size in range(1, min(whole, 40) + 1) if whole % size == 0]
    first = random.choice(divisors)
    wanted = random.choice([(first, -1), (first, whole // first), (-1,), (whole,), (-1, first, 1), (shape[0], -1)])
    if rarely(random, 0.2):
        wanted = random.choice([(-1, -1), (*wanted, 2), (-2, whole), (first + 1, -1), (7, 3)])
    return {"shape": wanted}


ARRANGED = {
    "view": regrouped,
    "reshape": regrouped,
    "flatten": flattened,
    "Flatten": flattened,
    "Unflatten": unflattened,
    "squeeze": lambda random, shape, rank: {
        "dim": random.choice((None, some_dim(random, rank), some_dim(random, rank)))
    },
    "unsqueeze": lambda random, shape, rank: {"dim": some_dim(random, rank)},
    "permute": permuted,
    "transpose": lambda random, shape, rank: {"dim0": some_dim(random, rank), "dim1": some_dim(random, rank)},
    "mean": reduced,
    "sum": reduced,
}


def resized(random):
    dims = random.randint(1, 3)
    mode = random.choice(("nearest", "nearest", "linear", "bilinear", "bicubic", "trilinear", "area", "nearest-exact"))
    if not rarely(random, 0.2):
        dims = {"linear": 1, "bilinear": 2, "bicubic": 2, "trilinear": 3}.get(mode, dims)
    named = {"mode": mode}
    if random.random() < 0.5:
        named["size"] = per_axis(random, dims, (1, 2, 3, 7, 9))
    if random.random() < 0.55:
        named["scale_factor"] = per_axis(random, dims, (2, 3, 0.5, 1.5, 2.7))
    if rarely(random, 0.1):
        named["align_corners"] = random.random() < 0.5
    return random.choice(("Upsample", "interpolate")), named, [image(random, dims, 2)]


def padded(random):
    dims = random.randint(1, 3)
    values = (0, 1, 2, 3, -1)
    word = random.choice(("Zero", "Reflection", "Replication", "Circular"))
    sides = tuple(random.choice(values if word == "Zero" else values[:4]) for _ in range(2 * dims))
    if random.random() < 0.5:
        padding = random.choice(values[:3]) if random.random() < 0.4 else sides
        return f"{word}Pad{dims}d", {"padding": padding}, [image(random, dims, 2)]
    mode = {"Zero": "constant", "Reflection": "reflect", "Replication": "replicate", "Circular": "circular"}[word]
    return "pad", {"pad": sides[1:] if rarely(random) else sides, "mode": mode}, [image(random, dims, 2)]


FAMILIES = {  # and how many of each are tried
    convolution: 6000,
    transposed_convolution: 3000,
    pooling: 4000,
    adaptive_pooling: 1500,
    linear: 1000,
    norm: 1000,
    pointwise: 1000,
    joined: 1000,
    arranged: 1500,
    resized: 500,
    padded: 500,
}
