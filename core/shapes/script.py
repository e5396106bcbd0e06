"""The complete PyTorch script of a net that the shape detective shows: the code panel's source."""

from __future__ import annotations

from core.messages import N_
from core.shapes.chain import Chain
from core.shapes.layer import Shape
from core.shapes.write import module_text, sequential_text

FORMS = {
    "module": N_("nn.Module"),
    "sequential": N_("nn.Sequential"),
    "lazy": N_("nn.Module with lazy layers"),
    "lazy-sequential": N_("nn.Sequential with lazy layers"),
}

_MAIN = """
with torch.device("meta"):  # shapes only: nothing is computed, no memory is needed
    model = {model}.eval()
    x = torch.zeros({shape})
    for name, layer in model.named_modules():
        if name and not any(layer.children()):
            layer.register_forward_hook(lambda layer, inputs, output, name=name: print(name, tuple(output.shape)))
    y = model(x)

print("output", tuple(y.shape))
print("parameters", sum(weights.numel() for weights in model.parameters()))
"""


def script(chain: Chain, input_shape: Shape, form: str) -> str:
    """Write a net in one of FORMS, and lines that print the shape after each of its layers.

    Raises ShapeError for a net that fails, and for one that has no such form.
    """
    lazy = form.startswith("lazy")
    if form.endswith("sequential"):
        text, model = sequential_text(chain, input_shape, lazy=lazy), "model"
    else:
        text, model = module_text(chain, input_shape, lazy=lazy), "Net()"
    if "import torch\n" not in text:
        text = f"import torch\n{text}"
    if model == "Net()":
        return text + "\n" + _MAIN.format(model=model, shape=", ".join(map(str, input_shape)))
    head, _, rest = text.partition("model = nn.Sequential(")
    indented = "\n".join(
        f"    {line}" if line else line for line in f"model = nn.Sequential({rest}".rstrip().split("\n")
    )
    main = _MAIN.format(model=model, shape=", ".join(map(str, input_shape)))
    return head + main.lstrip("\n").replace("    model = model.eval()", f"{indented}\n    model.eval()")
