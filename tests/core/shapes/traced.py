"""What torch.fx sees of a real net: every operation in the order of forward, with the shape that comes out."""

import ast

import torch
from torch import fx, nn


def net_of(text, *arguments):
    """Run only the imports of torch and the classes of a source, and build the last class."""
    tree = ast.parse(text)
    wanted = [
        item for item in tree.body if isinstance(item, ast.Import | ast.ImportFrom) and "torch" in ast.unparse(item)
    ]
    wanted = [
        item for item in wanted if "torchvision" not in ast.unparse(item) and "DataLoader" not in ast.unparse(item)
    ]
    modules = [item for item in tree.body if isinstance(item, ast.ClassDef) and "Module" in ast.unparse(item.bases[0])]
    names = {"torch": torch, "nn": nn, "F": nn.functional}
    exec(compile(ast.Module([*wanted, *modules], []), "listing", "exec"), names)  # noqa: S102 - the oracle is the listing
    return names[modules[-1].name](*arguments)


def traced(net, *shape, device="cpu"):
    """Return (kind, shape that comes out, module or None) for each operation that makes a tensor."""
    graph = fx.symbolic_trace(net)
    shapes = Shapes(graph)
    shapes.run(torch.empty(shape, device=device))
    return shapes.seen


class Shapes(fx.Interpreter):
    """Runs a traced net and notes down each operation."""

    def __init__(self, graph):
        super().__init__(graph)
        self.seen = []

    def run_node(self, node):
        result = super().run_node(node)
        if isinstance(result, torch.Tensor) and node.op.startswith("call"):
            module = self.fetch_attr(node.target) if node.op == "call_module" else None
            self.seen.append((kind_of(node, module), tuple(result.shape), module))
        return result


def kind_of(node, module):
    if module is not None:
        return type(module).__name__
    name = node.target if isinstance(node.target, str) else node.target.__name__
    if name in ("boolean_dispatch", "fn"):  # F.max_pool2d with or without indices
        name = str(node.name).rstrip("_0123456789")
    return name
