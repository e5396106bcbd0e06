"""Reads PyTorch source text as a chain of layers. A whitelist over `ast`: nothing is executed, ever.

Three forms are read: classes that inherit from nn.Module (a whole program around them is passed over), an
`nn.Sequential(…)`, and layers one a line or in a list. `Linear(?, 10)` stands for a size that is to be worked out.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from textwrap import dedent
from typing import NoReturn

from core.messages import N_
from core.shapes.bodies import KEYWORDS, STRAIGHT, Interpreter
from core.shapes.calls import CONTAINERS, MOST_NODES
from core.shapes.chain import INPUT, Chain
from core.shapes.expressions import QUESTION, TOO_DEEP
from core.shapes.layers import LAYERS
from core.shapes.objects import method_of
from core.shapes.values import Container, Module, SourceError, Tensor, name_modules

__all__ = ["LONGEST", "Note", "Source", "SourceError", "read"]

LONGEST = 50_000  # characters; the course's longest listing has 4,000
NO_NET = N_(
    "No net was found. Paste a class that inherits from nn.Module, an nn.Sequential(…), or layers one a line, "
    "as in nn.Conv2d(1, 10, kernel_size=5)."
)
TAKEN = N_("The net that is read is {name}; the text also has {others}. A line model = {name}() says which is meant.")
UNRETURNED = N_(
    "The forward of {name} has no return, so PyTorch gives None. It is read as if it returned its last tensor: "
    "add the return."
)
QUESTION_MARK = re.compile(r"""'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|\#[^\n]*|\?""")  # strings and comments stay
FENCE = re.compile(r"^[ \t]*```.*$", re.MULTILINE)  # of a listing that was copied with its Markdown
PROMPT = re.compile(r"^[ \t]*(?:>>>|\.\.\.)(?: |$)")  # of a listing that was copied from Python's own window
PRINTED = re.compile(r"^[ \t]*\(\w+\): \w+\(", re.MULTILINE)
OUTPUT = N_(
    "This is what print(model) writes: it names the layers, but not what forward does with them. Paste the class or "
    "the nn.Sequential(…) from your program."
)
FULL_WIDTH = str.maketrans("，（）：；＝“”‘’［］０１２３４５６７８９", ",():;=\"\"''[]0123456789")


@dataclass(frozen=True, kw_only=True)
class Note:
    """A sentence about how a source was read: a template to be translated, and its values."""

    message: str
    values: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        """Return the English sentence."""
        return self.message.format(**self.values)


@dataclass(frozen=True, kw_only=True)
class Source:
    """What was read."""

    chain: Chain
    name: str  # of the class, or "Sequential"
    notes: tuple[Note, ...] = ()


def read(text: str) -> Source:
    """Return the net of a source text; raises SourceError with its line."""
    if len(text) > LONGEST:
        message = N_("This text has {count} characters; up to {most} are read. Paste only the classes of the net.")
        line = text.count("\n", 0, LONGEST) + 1
        raise SourceError(message, line=line, count=f"{len(text):,}", most=f"{LONGEST:,}")
    tree = parse(text)
    try:
        return _read(Interpreter(tree), tree)
    except RecursionError:
        raise SourceError(TOO_DEEP, line=1) from None


def parse(text: str) -> ast.Module:
    """Return the syntax tree of a source text, with `QUESTION` for each question mark."""
    plain = unwrapped_text(text)
    printed = PRINTED.search(plain)
    if printed:
        raise SourceError(OUTPUT, line=plain.count("\n", 0, printed.start()) + 1)
    plain = QUESTION_MARK.sub(lambda found: QUESTION if found[0] == "?" else found[0], plain)
    try:
        return ast.parse(plain)
    except SyntaxError as error:
        _explain(error, plain)
    except (RecursionError, MemoryError):
        raise SourceError(TOO_DEEP, line=1) from None
    except ValueError:  # NUL bytes, halves of characters
        raise SourceError(N_("This text has characters that no Python source has; copy it again."), line=1) from None


def unwrapped_text(text: str) -> str:
    """Return a source text without what copying put around it: indentation, Markdown, Python's prompts."""
    plain = FENCE.sub("", dedent(text.removeprefix("\ufeff")))
    return "\n".join(map(unprompted, plain.split("\n"))) if PROMPT.match(plain.lstrip()) else plain


def unprompted(line: str) -> str:
    """Return a line without the >>> or ... in front of it."""
    return PROMPT.sub("", line, count=1)


def _explain(error: SyntaxError, text: str) -> NoReturn:
    """Raise SourceError for text that is not Python."""
    line = error.lineno or 1
    lines = text.splitlines()
    found = [sign for sign in (lines[line - 1] if line <= len(lines) else "") if ord(sign) in FULL_WIDTH]
    if found and "invalid character" in error.msg:
        message = N_("The sign {sign} is a full-width one: write {plain} instead.")
        raise SourceError(message, line=line, sign=found[0], plain=found[0].translate(FULL_WIDTH)) from None
    reason = error.msg.split(" (")[0].rstrip(".")
    raise SourceError(N_("Python cannot read this line: {reason}."), line=line, reason=reason) from None


def _read(interpreter: Interpreter, tree: ast.Module) -> Source:
    """Find the net and follow a tensor through it."""
    definition, others = find_class(tree)
    sequential = None if definition and not uses_class(tree) else find_sequential(tree)
    if sequential is not None:
        return _follow(interpreter, interpreter.evaluate(sequential), "Sequential")
    if definition is not None:
        values, named = given(interpreter, tree, definition)
        source = _follow(interpreter, interpreter.build(definition, definition, values, named), definition.name)
        if not others:
            return source
        taken = Note(message=TAKEN, values={"name": definition.name, "others": ", ".join(others)})
        return replace(source, notes=(taken, *source.notes))
    members = dict(layers(interpreter, tree))
    if not members:
        _refuse(tree)
    return _follow(interpreter, Container(1, "Sequential", members), "Sequential")


def _follow(interpreter: Interpreter, net: object, name: str) -> Source:
    """Send the input through the net."""
    if not isinstance(net, Module):
        raise SourceError(NO_NET, line=1)
    name_modules(net)
    result = interpreter.send(net, Tensor(INPUT), None)
    outputs = result if isinstance(result, list) else [result]
    notes = [
        Note(
            message=N_("{name} was not given; it is taken as the number of channels of the input."),
            values={"name": argument},
        )
        for argument in interpreter.guessed
    ]
    notes += [Note(message=UNRETURNED, values={"name": one}) for one in interpreter.without_return]
    if len(outputs) > 1:
        notes.append(Note(message=N_("The net returns several values; the first one is taken as its output.")))
    if not interpreter.nodes or not isinstance(outputs[0], Tensor) or outputs[0].node == INPUT:
        raise SourceError(N_("The net {name} does nothing with its input."), line=net.line, name=name)
    chain = Chain(nodes=tuple(interpreter.nodes), output=outputs[0].node)
    return Source(chain=chain, name=name, notes=tuple(notes))


# Which part of the text is the net.


def last_name(node: ast.expr) -> str:
    """Return the last part of a dotted name: Module of torch.nn.Module."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def module_classes(tree: ast.Module) -> dict[str, ast.ClassDef]:
    """Return the classes that inherit from nn.Module, directly or through another class of the text."""
    found: dict[str, ast.ClassDef] = {}
    for item in tree.body:
        if isinstance(item, ast.ClassDef):
            bases = {last_name(base) for base in item.bases}
            if bases & found.keys() or any(base.endswith(("Module", "Sequential")) for base in bases):
                found[item.name] = item
    return found


def find_class(tree: ast.Module) -> tuple[ast.ClassDef | None, tuple[str, ...]]:
    """Return the class that is the net, and the names of the others that could be.

    It is the class of which the program makes its model, `model = Net()`; without such a line the last class that no
    other class uses, passing over those without a forward of one tensor.
    """
    classes = module_classes(tree)
    used = {
        node.id
        for name, definition in classes.items()
        for node in ast.walk(definition)
        if isinstance(node, ast.Name) and node.id != name
    }
    free = [definition for name, definition in classes.items() if name not in used] or list(classes.values())
    nets = [definition for definition in free if is_net(definition)]
    made = [classes[name] for name in made_outside(tree) if name in classes and is_net(classes[name])]
    chosen = next((one for one in reversed(made) if one in nets), None) or next(reversed(nets or made), None)
    if chosen is None:
        return (free[-1] if free else None), ()
    return chosen, tuple(one.name for one in nets if one is not chosen and set(made) != {chosen})


def made_outside(tree: ast.Module) -> list[str]:
    """Return the names of which the program makes objects outside of classes and functions: Net of `model = Net()`."""
    values = (item.value for item in tree.body if isinstance(item, ast.Assign | ast.AnnAssign | ast.Expr))
    calls = (node for value in values if value is not None for node in ast.walk(value))
    return [node.func.id for node in calls if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]


def is_net(definition: ast.ClassDef) -> bool:
    """Tell whether a class has a forward that takes one tensor and does something."""
    function, _ = method_of((definition,), "forward")
    if function is None:
        return not any(last_name(base).endswith("Module") for base in definition.bases)  # inherited
    required = len(function.args.posonlyargs + function.args.args) - len(function.args.defaults)
    idle = all(isinstance(item, ast.Pass) or is_text(item) for item in function.body)
    return required <= 2 and not idle


def is_text(statement: ast.stmt) -> bool:
    """Tell whether a statement is only a text, such as a docstring."""
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def find_sequential(tree: ast.Module) -> ast.Call | None:
    """Return the last `nn.Sequential(…)` that stands outside of classes and functions."""
    values = [unwrapped(item.value) for item in tree.body if isinstance(item, ast.Expr | ast.Assign)]
    calls = [value for value in values if isinstance(value, ast.Call) and last_name(value.func) == "Sequential"]
    if len(calls) == len([item for item in tree.body if isinstance(item, ast.Expr)]) > 1:
        return None  # several, one a line: a list of layers
    return calls[-1] if calls else None


def unwrapped(node: ast.expr) -> ast.expr:
    """Return what a method is called on at last: the net in `nn.Sequential(…).to(device).eval()`."""
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Call):
        node = node.func.value
    return node


def uses_class(tree: ast.Module) -> bool:
    """Tell whether the last nn.Sequential outside of classes is made of classes of the text."""
    sequential = find_sequential(tree)
    names = {node.id for node in ast.walk(sequential) if isinstance(node, ast.Name)} if sequential else set()
    return bool(names & module_classes(tree).keys())


def given(
    interpreter: Interpreter, tree: ast.Module, definition: ast.ClassDef
) -> tuple[list[object], dict[str, object]]:
    """Return the arguments with which the text builds its net, `model = Net(10)`; none if they are not numbers."""
    around = (item for item in tree.body if not isinstance(item, ast.ClassDef))
    for node in (node for item in around for node in ast.walk(item)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == definition.name:
            try:
                return interpreter.arguments(node)
            except SourceError:
                return [], {}
    return [], {}


def layers(interpreter: Interpreter, tree: ast.Module) -> Iterator[tuple[str, Module]]:
    """Yield the layers of a list: one a line, in a Python list, or as assignments."""
    count = 0
    for item in tree.body:
        if is_text(item) or not isinstance(item, ast.Expr | ast.Assign):
            continue
        if isinstance(item, ast.Assign) and not looks_like_layers(item.value):
            continue
        value = interpreter.evaluate(item.value)
        if value is None:  # print(…)
            continue
        name = last_name(item.targets[0]) if isinstance(item, ast.Assign) else ""
        for member in interpreter.members(item, value if isinstance(value, list) else [value]).values():
            yield (name if name and not isinstance(value, list) else str(count)), member
            count += 1
        if count > MOST_NODES:
            return


def looks_like_layers(node: ast.expr) -> bool:
    """Tell whether an expression is a layer, or a list that begins with one."""
    if isinstance(node, ast.List | ast.Tuple):
        return bool(node.elts) and looks_like_layers(node.elts[0])
    name = last_name(node.func) if isinstance(node, ast.Call) else ""
    return name in CONTAINERS or (name in LAYERS and LAYERS[name].form == "module")


def _refuse(tree: ast.Module) -> NoReturn:
    """Say why a text without layers is no net, at the first line that cannot be read."""
    for item in tree.body:
        keyword = KEYWORDS.get(type(item), "for" if isinstance(item, ast.For) else "")
        if keyword and not isinstance(item, ast.Import | ast.ImportFrom):
            raise SourceError(STRAIGHT, line=item.lineno, keyword=keyword)
    raise SourceError(NO_NET, line=1)
