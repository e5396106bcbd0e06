import subprocess
import sys

import pytest

LIGHT = ["core", "core.__main__", "core.run", "core.records", "core.models", "core.device", "core.store", "core.jobs"]
LIGHT += ["core.descent", "core.rates", "core.noise_floor", "core.terrain", "core.shapes.layers", "core.shapes.source"]


@pytest.mark.parametrize("module", LIGHT)
def test_light_modules_load_neither_torch_nor_streamlit(module):
    code = f"import sys, {module}; print([m for m in ('torch', 'torchvision', 'streamlit') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_parsing_every_command_loads_no_torch():
    code = "import sys; from core.__main__ import parser; parser(); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_torchvision_imports_beside_any_torch():
    code = (
        "from core.torchvision_ops import prepare_torchvision as p; p(); p();"
        " from torchvision import datasets, models, transforms; print(models.resnet18().fc.out_features)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "1000"
