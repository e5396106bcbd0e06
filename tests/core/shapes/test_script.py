"""The scripts of the code panel run in torch and print the shapes that are drawn."""

import pytest

from core.shapes.chain import run
from core.shapes.errors import ShapeError
from core.shapes.presets import PRESETS
from core.shapes.script import FORMS, script

CASES = [("cnn", form) for form in FORMS if not form.endswith("sequential")]
CASES += [("lenet", form) for form in FORMS] + [("mlp", "sequential"), ("inception", "lazy"), ("resnet18", "module")]


@pytest.mark.parametrize(("name", "form"), CASES)
@pytest.mark.filterwarnings("ignore:Lazy modules are a new feature")
def test_the_script_prints_the_shapes_that_are_drawn(name, form, capsys):
    preset = PRESETS[name]
    shape = (3, *preset.input_shape)
    exec(script(preset.source().chain, shape, form), {"__name__": "__main__"})  # noqa: S102 - the text is ours
    *layers, output, parameters = capsys.readouterr().out.splitlines()
    report = run(preset.source().chain, shape)
    drawn = [str(row.out_shape) for row in report.rows if row.node.kind[0].isupper() or form.endswith("sequential")]
    assert [line.split(" ", 1)[1] for line in layers] == drawn
    assert output == f"output {report.out_shape}"
    assert parameters == f"parameters {report.totals.params}"


def test_a_net_with_branches_is_no_sequential():
    with pytest.raises(ShapeError, match="straight line"):
        script(PRESETS["inception"].source().chain, (1, 1, 28, 28), "sequential")
