"""`python -m core shapes`, as a person calls it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from core.__main__ import main
from core.shapes.chain import run
from core.shapes.presets import PRESETS

LISTINGS = Path(__file__).parent / "shapes" / "listings"
KEYS = ["name", "kind", "in_shape", "out_shape", "params", "macs", "receptive_field"]


def objects(capsys, *words):
    assert main(["shapes", *words, "--json"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return [json.loads(line) for line in out.splitlines()]


@pytest.mark.parametrize("name", ["mlp", "cnn", "inception", "resnet"])
def test_an_object_a_layer(capsys, name):
    printed = objects(capsys, "--model", name, "--input", "1,28,28", "--batch", "64")
    report = run(PRESETS[name].source().chain, (64, 1, 28, 28))
    assert [list(layer) for layer in printed] == [KEYS] * len(report.rows)
    assert [tuple(layer["out_shape"]) for layer in printed] == [row.out_shape for row in report.rows]
    assert sum(layer["params"] for layer in printed) == report.totals.params
    assert sum(layer["macs"] for layer in printed) == report.totals.macs


@pytest.mark.parametrize(("name", "features"), [("cnn", 320), ("inception", 1408), ("resnet", 512)])
def test_a_file_of_the_course_is_read_as_it_is(capsys, name, features):
    printed = objects(capsys, "--file", str(LISTINGS / f"{name}.txt"), "--input", "1,28,28")
    assert printed[-1]["name"] == "fc"
    assert printed[-1]["in_shape"] == [1, features]
    assert printed[-2]["kind"] == "view"
    assert printed == objects(capsys, "--model", name)


def test_the_receptive_field_grows(capsys):
    printed = objects(capsys, "--model", "cnn")
    assert [layer["receptive_field"][0] for layer in printed] == [5, 6, 6, 14, 16, 16, 16, 28]


def test_several_inputs_are_listed(capsys):
    joined = next(layer for layer in objects(capsys, "--model", "inception") if layer["kind"] == "cat")
    assert joined["in_shape"] == [[1, 16, 12, 12], [1, 24, 12, 12], [1, 24, 12, 12], [1, 24, 12, 12]]
    assert joined["out_shape"] == [1, 88, 12, 12]


def test_source_text_with_an_unknown_size(capsys):
    printed = objects(
        capsys, "nn.Sequential(nn.Conv2d(1, 10, 5), nn.Flatten(), nn.Linear(?, 10))", "--input", "1,28,28"
    )
    assert printed[-1]["params"] == 10 * 24 * 24 * 10 + 10


def test_one_input_alone_is_predicted_not_trained_on(capsys):
    text = "nn.Sequential(nn.Flatten(), nn.Linear(784, 10), nn.BatchNorm1d(10))"
    assert objects(capsys, text, "--input", "1,28,28")[-1]["out_shape"] == [1, 10]


def test_a_table_for_people(capsys):
    assert main(["shapes", "--model", "cnn"]) == 0
    out = capsys.readouterr().out
    assert len([line for line in out.splitlines() if line.startswith("│")]) == 8
    assert "8,490 parameters" in out
    assert "(1, 20, 4, 4)" in out
    assert "…" not in out


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_layer_that_fails_comes_after_the_rows_before_it(capsys, form):
    text = "nn.Sequential(nn.Conv2d(1, 10, 5),\nnn.Flatten(),\nnn.Linear(1280, 10))"
    assert main(["shapes", text, "--input", "1,28,28", "--batch", "64", *form]) == 2
    out, err = capsys.readouterr()
    assert ("5760" in out, "Linear" in out) == (True, False)
    assert len(err.splitlines()) == 1
    assert "line 3: " in err
    assert "(PyTorch: RuntimeError: mat1 and mat2 shapes cannot be multiplied (64x5760 and 1280x10))" in err


def test_the_line_of_the_call_and_of_the_definition(capsys, tmp_path):
    text = (LISTINGS / "cnn.txt").read_text(encoding="utf-8").replace("320, 10", "1280, 10")
    path = tmp_path / "net.py"
    path.write_text(text, encoding="utf-8")
    assert main(["shapes", "--file", str(path), "--input", "1,28,28"]) == 2
    lines = text.splitlines()
    call, made = (1 + next(n for n, line in enumerate(lines) if words in line) for words in ("self.fc(x)", "self.fc ="))
    assert f"line {call} (fc of line {made}): " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "Give one of SOURCE, --file and --model."),
        (["nn.ReLU()", "--model", "cnn"], "Give one of SOURCE, --file and --model."),
        (["nn.ReLU()"], "Give the size of the input"),
        (["--model", "transformer"], "The model must be one of mlp, cnn"),
        (["--model", "cnn", "--input", "1,28"], "line 16 (conv1 of line 9)"),
        (["--model", "cnn", "--input", "a,b,c"], "--input must be up to four whole numbers"),
        (["--model", "cnn", "--input", "1,-28,28"], "--input must be up to four whole numbers"),
        (["--model", "cnn", "--input", "1,28,28,28,28"], "--input must be up to four whole numbers"),
        (["--model", "cnn", "--input", "1,0,28"], "at least 1"),
        (["--model", "cnn", "--input", "1,99999999999,28"], "larger than any computer"),
        (["--model", "cnn", "--batch", "0"], "--batch must be a whole number from 1"),
        (["--model", "cnn", "--batch", "many"], "invalid int value"),
        (["--file", "/no/such/file", "--input", "1,28,28"], "cannot be read: No such file"),
        (["--file", "/", "--input", "1,28,28"], "cannot be read: Is a directory"),
        (["nn.Sequential(\nnn.ReLU(),\nnn.Conv2d(1, 10))", "--input", "1,28,28"], "line 3: "),
        (["import os\nos.system('ls')", "--input", "1,28,28"], "line 2: os is not known"),
        (["x" * 1_000_000, "--input", "1,28,28"], "line 1: This text has 1,000,000 characters"),
        (["", "--input", "1,28,28"], "No net was found"),
    ],
)
def test_bad_input_gets_one_sentence_and_exit_code_2(capsys, words, said):
    try:
        code = main(["shapes", *words, "--json"])
    except SystemExit as leaving:
        code = leaving.code
    out, err = capsys.readouterr()
    assert (code, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1


def test_files_that_are_no_text(capsys, tmp_path):
    binary = tmp_path / "weights.pt"
    binary.write_bytes(bytes(range(256)))
    assert main(["shapes", "--file", str(binary), "--input", "1,28,28"]) == 2
    assert "it is not UTF-8 text" in capsys.readouterr().err
    large = tmp_path / "large.py"
    large.write_text("# a comment\n" * 100_000)
    assert main(["shapes", "--file", str(large), "--input", "1,28,28"]) == 2
    assert "characters" in capsys.readouterr().err


def test_no_torch_is_loaded():
    code = (
        "import sys; from core.__main__ import main; main(['shapes', '--model', 'googlenet', '--json'])\n"
        "assert not {'torch', 'torchvision', 'streamlit'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 197


def test_what_pytorch_does_without_a_word_is_noted_beside_the_table(capsys):
    text = "nn.Sequential(nn.Unflatten(0, (2, 4)), nn.Flatten(2), nn.Linear(9, 3))"
    assert main(["shapes", text, "--input", "9", "--batch", "8", "--json"]) == 0
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 3
    assert err.startswith("note: Unflatten puts 2 in the place of the batch of 8")
    assert len(err.splitlines()) == 1
