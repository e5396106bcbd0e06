"""Hostile and hopeless sources get one sentence and a line, quickly; nothing of them runs."""

import ast
import gc
import time
import tracemalloc
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import core.shapes
from core.shapes.chain import run
from core.shapes.errors import ShapeError
from core.shapes.source import LONGEST, SourceError, parse, read
from tests.core.shapes.test_source import LISTINGS, in_net

SECONDS = 0.2
LINEAR = "self.a = nn.Linear(8, 8)"


@contextmanager
def quickly():
    """Measure without the garbage collector: what it costs depends on all that this test process holds."""
    gc.disable()
    started = time.process_time()
    try:
        yield
        assert time.process_time() - started < SECONDS
    finally:
        gc.enable()


REFUSED = {  # source, the line to name, words of the sentence
    "power": ("nn.Conv2d(1, 10**10**10, 3)", 1, "too large"),
    "long number": ("nn.Linear(1, 1" + "0" * 5000 + ")", 1, "Exceeds the limit"),
    "hexadecimal": ("nn.Linear(1, 0x" + "f" * 40_000 + ")", 1, "too large"),
    "infinite": ("nn.Linear(1, 1e999)", 1, "too large"),
    "10^9 channels": ("\nnn.Conv2d(1, 10**9, 3)", 2, "1,000,000,000"),
    "division by zero": ("nn.Linear(1 // 0, 1)", 1, "divides by zero"),
    "1 MB": ("\n" * 99 + "x" * 1_000_000, 100, "1,000,099 characters"),
    "100,000 layers": ("nn.ReLU(),\n" * 100_000, 4546, "characters"),
    "4,000 layers": ("nn.ReLU(),\n" * 4_000, 2001, "2,000 operations"),
    "repeated list": ("nn.Sequential(*[nn.ReLU()] * 10**5)", 1, "2,000 entries"),
    "long range": ("nn.Sequential(*[nn.ReLU() for _ in range(10**9)])", 1, "2,000 entries"),
    "comprehensions": ("[[[nn.ReLU() for i in range(999)] for i in range(999)] for i in range(999)]", 1, "repeated"),
    "lists of lists": ("x = [0] * 2000\ny = [x] * 2000\nz = [y] * 2000\nnn.Sequential(nn.Linear(z, 1))", 4, "repeated"),
    "doubling": (
        "a0 = nn.Sequential()\n" + "".join(f"a{i + 1} = nn.Sequential(a{i}, a{i})\n" for i in range(25)),
        3,
        "nest",
    ),
    "long text": ("nn.Linear('a' * 10**9, 1)", 1, "cannot be read here"),
    "deep": ("nn.Sequential(" * 90 + "nn.ReLU()" + ")" * 90, 1, "nested too deeply"),
    "deeper": ("(" * 10_000, 1, "Python cannot read"),
    "long sum": ("nn.Linear(" + "1+" * 10_000 + "1, 1)", 1, "nested too deeply"),
    "minus signs": ("nn.Linear(" + "-" * 20_000 + "1, 1)", 1, "nested too deeply"),
    "attributes": ("nn" + ".a" * 20_000 + "()", 1, "nested too deeply"),
    "calls": ("nn" + "()" * 20_000, 1, "nested too deeply"),
    "a class inside itself": (
        "class A(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.a = A()\n"
        "    def forward(self, x):\n        return self.a(x)",
        4,
        "A contains itself",
    ),
    "forward calls itself": (in_net(LINEAR, "return self.forward(x)"), 9, "nested too deeply"),
    "a container inside itself": (
        in_net("self.a = nn.Sequential()\nself.a.append(self.a)", "return self.a(x)"),
        1,
        "nested",
    ),
    "circular classes": ("class A(B, nn.Module):\n    pass\nclass B(A):\n    pass", 3, "has no forward"),
    "circular names": ("a = b\nb = a\nnn.Sequential(nn.Linear(a, 1))", 2, "is not known here"),
    "for over a number": (in_net(LINEAR, "for i in 10:\n    x = self.a(x)\nreturn x"), 9, "for cannot be read"),
    "loops in loops": (
        in_net(LINEAR, "for i in range(2000):\n    for j in range(2000):\n        pass\nreturn x"),
        10,
        "repeated too often",
    ),
    "long loop": (in_net("for i in range(10**9):\n    pass", "return x"), 7, "2,000 entries"),
    "growing list": (
        in_net("a = [1]\nfor i in range(99):\n    a.extend(a)", "return x"),
        9,
        "2,000 entries",
    ),
    "break": (in_net(LINEAR, "for i in range(3):\n    break\nreturn x"), 10, "Break cannot be read"),
    "while": (in_net(LINEAR, "while True:\n    x = self.a(x)"), 9, "while cannot be read"),
    "no super": (
        "class A(nn.Module):\n    def __init__(self):\n        self.a = nn.ReLU()\n"
        "    def forward(self, x):\n        return self.a(x)",
        3,
        "must begin with super().__init__()",
    ),
    "the output of print": (str(nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU())), 2, "what print(model) writes"),
    "try": (in_net(LINEAR, "try:\n    pass\nfinally:\n    pass"), 9, "try cannot be read"),
    "with": (in_net(LINEAR, "with open('x') as f:\n    return self.a(x)"), 9, "with cannot be read"),
    "import": (in_net("import os\n" + LINEAR, "return self.a(x)"), 7, "import cannot be read"),
    "lambda": (in_net("self.a = lambda x: x", "return self.a(x)"), 7, "cannot be read here: lambda"),
    "__import__": (
        in_net("self.a = __import__('os').system('touch CANARY')", "return x"),
        7,
        "__import__ is not known",
    ),
    "os": ("import os\nos.system('touch CANARY')", 2, "os is not known here"),
    "open": ("nn.Linear(open('CANARY', 'w').write('1'), 1)", 1, "open is not known here"),
    "eval": ("eval(\"open('CANARY', 'w')\")", 1, "eval is not known here"),
    "subclasses": ("nn.Linear.__class__.__bases__[0].__subclasses__()", 1, "cannot be read here"),
    "f-string": ("nn.Linear(f\"{open('CANARY', 'w')}\", 1)", 1, "cannot be read here"),
    "walrus": ("nn.Linear((a := 1), 1)", 1, "cannot be read here"),
    "class decorator": ("@evil\n" + in_net(LINEAR, "return self.a(x)").split("\n", 3)[3], 1, "Decorators"),
    "method decorator": (
        "class A(nn.Module):\n    @evil\n    def forward(self, x):\n        return x",
        2,
        "Decorators",
    ),
    "only loops": ("import torch\nwhile True:\n    pass", 2, "while cannot be read"),
    "two inputs": ("class A(nn.Module):\n    def forward(self, x, y):\n        return x + y", 2, "one input"),
    "nothing": ("", 1, "No net was found"),
    "only a text": ("'nn.ReLU()'", 1, "No net was found"),
    "idle forward": ("class A(nn.Module):\n    def forward(self, x):\n        pass", 2, "does nothing"),
    "identity forward": ("class A(nn.Module):\n    def forward(self, x):\n        return x", 1, "does nothing"),
    "syntax": ("nn.ReLU()\nnn.Conv2d(1, 10 5)", 2, "Python cannot read this line"),
    "not closed": ("nn.ReLU()\nnn.Conv2d(1,", 2, "never closed"),
    "full width": ("nn.ReLU()\nnn.Conv2d(1，10, 5)", 2, "， is a full-width one: write , instead"),
    "quotes": ("nn.Conv2d(1, 1, 3, padding=“same”)", 1, '“ is a full-width one: write " instead'),
    "NUL": ("nn.ReLU()\0", 1, "null bytes"),
    "half a character": ("nn.ReLU('\ud800')", 1, "characters"),
    "unknown layer": (in_net("self.a = nn.LSTM(8, 8)", "return self.a(x)"), 7, "torch.nn.LSTM is not among"),
    "misspelt layer": (in_net("self.a = nn.conv2D(8, 8, 1)", "return self.a(x)"), 7, "did you mean Conv2d?"),
    "misspelt function": (in_net(LINEAR, "return F.rellu(self.a(x))"), 9, "did you mean relu?"),
    "no such attribute": (in_net(LINEAR, "return self.b(x)"), 9, "Net has no b"),
    "no such argument": ("nn.Conv2d(1, 10, 3, kernel=3)", 1, "has no argument kernel"),
    "missing argument": ("\n\nnn.Conv2d(1, 10)", 3, "kernel_size"),
    "a list in Sequential": ("nn.Sequential([nn.ReLU()])", 1, "put a star"),
    "a class, not a layer": ("nn.Sequential(nn.ReLU, nn.Linear(1, 1))", 1, "Only layers"),
    "parts of a tensor": (in_net(LINEAR, "return self.a(x)[:, 0]"), 9, "Parts of a tensor"),
    "a ModuleList that is called": (in_net("self.a = nn.ModuleList([nn.ReLU()])", "return self.a(x)"), 9, "one by one"),
    "too many arguments": (in_net(LINEAR, "return self.a(x)") + "Net(1, 2)", 4, "more arguments"),
    "? as out_channels": ("nn.Sequential(nn.Conv2d(1, ?, 3))", 1, "out_channels cannot be ?"),
    "? as both channels": ("nn.Conv2d(?, ?, 5)", 1, "out_channels cannot be ?"),
    "? as kernel": ("\nConv2d(1, 10, ?)", 2, "kernel_size cannot be ?"),
    "? in a view": (in_net(LINEAR, "return self.a(x.view(-1, ?))"), 9, "write -1 for the size"),
    "? in a calculation": ("nn.Linear(? * 2, 3)", 1, "cannot be read here: ? * 2"),
    "full-width digits": ("nn.Linear(１0, 3)", 1, "１ is a full-width one: write 1 instead"),
    "unknown name": ("nn.Linear(width, 1)", 1, "width is not known here"),
    "unknown method": (in_net(LINEAR, "return self.a(x).backward()"), 9, "backward is not among"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_one_sentence_and_its_line(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text, line, words = REFUSED[name]
    with quickly(), pytest.raises(SourceError) as caught:
        read(text)
    assert caught.value.line == line
    assert words in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("nn.ReLU()\nnn.Conv2d(1, 10, 300)", 2, "not one window fits"),
        ("nn.Conv2d(1, 10, 3, stride=-1)", 1, "stride must be at least 1"),
        ("nn.Conv2d(1, 10, 3, padding=-1)", 1, "padding"),
        ("nn.Conv2d(1, 10, -3)", 1, "negative"),
        (
            "nn.Flatten()\nnn.Linear(784, 99_999_999)\nnn.Linear(99_999_999, 99_999_999)",
            3,
            "more than any computer holds",
        ),
    ],
)
def test_what_torch_refuses_is_refused_at_its_line(text, line, words):
    tracemalloc.start()
    try:
        with quickly():
            report = run(read(text).chain, (64, 1, 28, 28))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 5_000_000  # bytes
    assert report.rows[-1].line == line
    assert words in str(report.error)


def test_nothing_in_the_reader_could_execute_a_text():
    for path in Path(core.shapes.__path__[0]).glob("*.py"):
        names = {node.id for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Name)}
        assert not names & {"eval", "exec", "compile", "__import__", "import_module", "globals", "vars"}, path


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=300))
def test_any_text_is_read_or_refused_with_a_line(text):
    line = 1
    try:
        read(text)
    except SourceError as error:
        line = error.line
    assert 1 <= line <= text.count("\n") + text.count("\r") + text.count("\f") + 1


LINES = LISTINGS["inception"].splitlines()[20:75]


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_any_mutilated_class_is_read_or_refused(data):
    lines = list(LINES)
    for _ in range(data.draw(st.integers(1, 4))):
        number = data.draw(st.integers(0, len(lines) - 1))
        line = lines[number]
        start = data.draw(st.integers(0, len(line)))
        stop = data.draw(st.integers(start, len(line)))
        new = data.draw(
            st.sampled_from(["", "x", "self", "?", "(", ")", "1", "-1", "*", "nn.", "[0]", ", ", ".", "=", "lambda: 0"])
        )
        lines[number] = line[:start] + new + line[stop:]
    try:
        said = str(run(read("\n".join(lines)).chain, (2, 1, 28, 28)).rows)
    except (SourceError, ShapeError) as error:
        said = str(error)
    assert said


def test_the_bound_is_far_above_the_course():
    assert max(map(len, LISTINGS.values())) * 10 < LONGEST
    text = ("self.conv = nn.Conv2d(1, 10, kernel_size=5)  # a comment\n" * LONGEST)[:LONGEST]
    with quickly():
        parse(text.rpartition("\n")[0])
