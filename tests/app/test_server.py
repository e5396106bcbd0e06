import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.server import REQUIRED

ROOT = Path(__file__).resolve().parents[2]

PRINT_SETTINGS = """
import streamlit.config as config
config._main_script_path = {main!r}
config.get_config_options(force_reparse=True)
from app.server import settings_not_in_force
print(settings_not_in_force())
"""


def settings_not_in_force(folder, main):
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", PRINT_SETTINGS.format(main=str(main))]
    result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    return result.stdout.strip()


@pytest.mark.parametrize("started_from", ["the project", "another folder"])
def test_the_settings_that_matter_are_in_force(started_from, tmp_path):
    folder = ROOT if started_from == "the project" else tmp_path
    assert settings_not_in_force(folder, ROOT / "app" / "main.py") == "{}"


def test_settings_that_are_not_in_force_are_named(tmp_path):
    found = settings_not_in_force(tmp_path, tmp_path / "main.py")
    for name in REQUIRED:
        assert name in found


OPEN_PAGES = """
import sys
from streamlit.testing.v1 import AppTest
app = AppTest.from_file("app/main.py", default_timeout=60).run()
for path in {paths!r}:
    app.switch_page(f"../pages/{{path}}.py").run()
assert not app.exception, app.exception
print("torch" in sys.modules)
"""


@pytest.mark.parametrize("paths", [[], ["mse"]], ids=["home", "home and mse"])
def test_pages_that_do_not_need_torch_do_not_load_it(paths, tmp_path):
    environment = os.environ | {"TORCHSCAPE_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", OPEN_PAGES.format(paths=paths)]
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"
