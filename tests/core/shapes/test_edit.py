"""Changes of a net keep what they do not touch, and come back from the source that they write."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from core.shapes import edit
from core.shapes.chain import INPUT, run
from core.shapes.inspection import inspect, is_number, parse_shape
from core.shapes.presets import PRESETS
from core.shapes.repair import repairs
from core.shapes.rewrite import rewritten, text_of
from core.shapes.source import read

CNN = PRESETS["cnn"]
STRAIGHT = "nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(676, 10))"


def report(text, shape=(2, 1, 28, 28)):
    return run(read(text).chain, shape)


def kinds(chain):
    return [node.kind for node in chain.nodes]


@pytest.mark.parametrize("name", PRESETS)
def test_the_written_source_is_the_same_net(name):
    preset = PRESETS[name]
    shape = (2, *preset.input_shape)
    first, second = run(preset.source().chain, shape), report(text_of(preset.source().chain), shape)
    assert [row.out_shape for row in second.rows] == [row.out_shape for row in first.rows]
    assert (second.totals.params, second.totals.macs) == (first.totals.params, first.totals.macs)


@pytest.mark.parametrize("name", PRESETS)
def test_arguments_come_back_from_their_cell(name):
    for node in PRESETS[name].source().chain.nodes:
        read_again = edit.parsed_arguments(node.kind, edit.arguments_text(node), node)
        assert read_again.keys() == node.arguments.keys()
        assert edit.arguments_text(replace(node, arguments=read_again)) == edit.arguments_text(node)


def test_a_changed_argument_leaves_the_rest_of_the_text_alone():
    source = CNN.source()
    chain = edit.changed(source.chain, "n4", "Conv2d", "10, 32, kernel_size=5")
    wanted = CNN.text().replace("nn.Conv2d(10, 20, kernel_size=5)", "nn.Conv2d(10, 32, kernel_size=5)")
    assert rewritten(CNN.text(), source, chain) == wanted


def test_a_question_mark_stays_one():
    text = CNN.text().replace("320", "?")
    chain = edit.changed(read(text).chain, "n1", "Conv2d", "1, 10, kernel_size=3")
    assert "nn.Linear(?, 10)" in rewritten(text, read(text), chain)


def test_a_class_that_is_used_twice_is_written_out():
    preset = PRESETS["inception"]
    source = preset.source()
    chain = edit.changed(source.chain, "n4", "Conv2d", "10, 8, kernel_size=1")  # of the first module only
    text = rewritten(preset.text(), source, chain)
    assert [node.arguments for node in read(text).chain.nodes] == [node.arguments for node in chain.nodes]
    assert "class InceptionA" not in text


def test_a_layer_that_is_used_twice_changes_in_both_places():
    chain = edit.changed(CNN.source().chain, "n2", "MaxPool2d", "3")
    assert [node.arguments["kernel_size"] for node in chain.nodes if node.kind == "MaxPool2d"] == [3, 3]


@given(
    st.lists(
        st.tuples(st.sampled_from(["remove", "duplicate", "up", "down", "insert"]), st.integers(0, 99)), max_size=6
    )
)
def test_changes_come_back_from_their_source(changes):
    chain = read(STRAIGHT).chain
    for what, number in changes:
        node = chain.nodes[number % len(chain.nodes)]
        try:
            chain = {
                "remove": edit.removed,
                "duplicate": edit.duplicated,
                "up": lambda chain, node: edit.moved(chain, node, -1),
                "down": lambda chain, node: edit.moved(chain, node, 1),
                "insert": lambda chain, node: edit.inserted(chain, node, "Dropout", "0.5"),
            }[what](chain, node.id)
        except InputError:
            continue
    again = read(text_of(chain)).chain
    assert [(node.kind, node.arguments) for node in again.nodes] == [
        (node.kind, node.arguments) for node in chain.nodes
    ]


@pytest.mark.parametrize("name", ["inception", "resnet"])
def test_any_operation_of_a_branching_net_can_go_or_come(name):
    chain = PRESETS[name].source().chain
    for node in chain.nodes:
        for change in (edit.removed, edit.duplicated):
            again = read(text_of(change(chain, node.id))).chain
            assert kinds(again) == kinds(change(chain, node.id))


def test_moving_swaps_two_layers():
    chain = read(STRAIGHT).chain
    assert kinds(edit.moved(chain, "n2", 1)) == ["Conv2d", "MaxPool2d", "ReLU", "Flatten", "Linear"]
    assert edit.moved(edit.moved(chain, "n2", 1), "n2", -1) == chain
    with pytest.raises(InputError, match="end of the net"):
        edit.moved(chain, "n1", -1)
    resnet = PRESETS["resnet"].source().chain
    join = next(node for node in resnet.nodes if len(node.inputs) > 1)
    with pytest.raises(InputError, match="fork or join"):
        edit.moved(resnet, join.id, -1)


def test_a_layer_can_be_put_first():
    chain = edit.inserted(read(STRAIGHT).chain, INPUT, "ReLU", "")
    assert kinds(chain)[0] == "ReLU"
    assert run(chain, (2, 1, 28, 28)).ok


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("Conv2d", "1, 10), nn.ReLU("),
        ("Conv2d", "__import__('os').system('true')"),
        ("Conv2d", "1, 10"),
        ("Conv2d", "1, " * 200),
        ("Conv2d", "[i for i in range(9)]"),
        ("relu", "x), F.relu(x"),
        ("Nonsense", ""),
    ],
)
def test_nonsense_in_a_cell_gets_its_sentence(kind, text):
    with pytest.raises(InputError):
        edit.changed(CNN.source().chain, "n1", kind, text)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("nn.Linear(320, 10)", "nn.Linear(1280, 10)"),
        ("nn.Conv2d(10, 20, kernel_size=5)", "nn.Conv2d(11, 20, kernel_size=5)"),
        ("nn.Conv2d(10, 20, kernel_size=5)", "nn.Conv2d(10, 20, kernel_size=50)"),
        ("x.view(batch_size, -1)", "x.view(-1, 1280)"),
        ("        x = x.view(batch_size, -1)\n", ""),
    ],
)
def test_repairs_let_the_net_work(old, new):
    text = CNN.text().replace(old, new)
    broken = report(text)
    found = repairs(read(text).chain, broken)
    assert found
    for repair in found:
        repaired = report(rewritten(text, read(text), repair.chain))
        assert len(repaired.rows) > len(broken.rows) or repaired.ok


def test_the_mistake_of_a_number_is_repaired_in_the_reader_s_text():
    text = CNN.text().replace("320", "1280")
    (repair,) = repairs(read(text).chain, report(text))
    assert repair.new == "nn.Linear(320, 10)"
    assert rewritten(text, read(text), repair.chain) == CNN.text()
    assert repairs(CNN.source().chain, report(CNN.text())) == []


def test_an_inspection_is_made_once():
    assert inspect(STRAIGHT, (2, 1, 28, 28)) is inspect(STRAIGHT, (2, 1, 28, 28))


@pytest.mark.parametrize(
    "text",
    [
        "1, 28, 28",
        "(1, 28, 28)",
        "1×28×28",
        "1，28，28",
        "1,28,28,",
        "1 28  28",
        "1x28x28",
        "（１，２８，２８）",
        "[1 , 28 , 28]",
    ],
)
def test_the_size_of_an_input_may_be_typed_in_many_ways(text):
    assert parse_shape(text) == (1, 28, 28)


@pytest.mark.parametrize("text", ["", "a", "1,,2", "1.5", "-1", "1,2,3,4,5", "9" * 30, "²"])
def test_what_is_no_input_gets_its_sentence(text):
    with pytest.raises(InputError, match="whole numbers"):
        parse_shape(text)
    assert not is_number(text)
