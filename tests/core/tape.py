"""What a CUDA graph does, on a CPU: a tape of torch's operators, played again on the same memory."""

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


def tensors(tree):
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, torch.Tensor)]


class Tape(TorchDispatchMode):
    """Records every operator below autograd. As with CUDA, what is recorded has not happened: all of it is undone."""

    def __init__(self):
        super().__init__()
        self.calls = []  # (operator, its arguments, their names, what it returned)
        self.own = set()  # addresses of the memory that operators have taken
        self.others = []  # (tensor, copy) of what was there before
        self.plays = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        inside = {tensor.untyped_storage().data_ptr() for tensor in tensors((args, kwargs))}
        self.others += [
            (tensor, tensor.clone())
            for tensor in tensors((args, kwargs))
            if tensor.untyped_storage().data_ptr() not in self.own
        ]
        results = func(*args, **kwargs)
        fresh = [one for one in tensors(results) if one.untyped_storage().data_ptr() not in inside]
        self.own |= {one.untyped_storage().data_ptr() for one in fresh}
        self.calls.append((func, args, kwargs, results))
        return results

    def undo(self):
        with torch.no_grad():
            for *_, results in self.calls:
                for one in tensors(results):
                    if one.untyped_storage().data_ptr() in self.own:
                        one.zero_()
            for tensor, value in reversed(self.others):
                tensor.copy_(value)
        self.others = [tensor for tensor, _ in self.others]  # still held: a graph's memory is its own

    def play(self):
        self.plays += 1
        with torch.no_grad():
            for func, args, kwargs, results in self.calls:
                inside = {tensor.untyped_storage().data_ptr() for tensor in tensors((args, kwargs))}
                for old, new in zip(tensors(results), tensors(func(*args, **kwargs)), strict=True):
                    if old.untyped_storage().data_ptr() not in inside:
                        old.copy_(new)


class Recorder:
    """Takes the place of `core.graphed`'s recorder for CUDA, and counts."""

    def __init__(self):
        self.tapes = []

    def __call__(self, work, network):
        for _ in range(2):  # a warm-up leaves its traces, which are the caller's to remove
            work()
        network.zero_grad()
        tape = Tape()
        with tape:
            results = work()
        tape.undo()
        self.tapes.append(tape)
        return tape.play, results

    @property
    def plays(self):
        return sum(tape.plays for tape in self.tapes)
