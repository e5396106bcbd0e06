"""What all tests need."""

import sys
from functools import cache

import pytest
from streamlit.components.v2 import manifest_scanner

from core import shipped

MAIN = sys.modules["__main__"]


@pytest.fixture(autouse=True)
def own_main_module():
    """Keep `__main__` what it was: a page under AppTest replaces it, and worker processes would run that page again."""
    sys.modules["__main__"] = MAIN  # a page's thread may have replaced it after the test that started it
    yield
    sys.modules["__main__"] = MAIN


@pytest.fixture(scope="session", autouse=True)
def nothing_ships(tmp_path_factory):
    """Keep the project's own runs out of the tests, which say themselves what there is to find."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shipped, "RUNS", tmp_path_factory.mktemp("nothing"))
        yield


@pytest.fixture(scope="session", autouse=True)
def packages_are_scanned_once():
    """Look once for components in the installed packages; Streamlit's own runner of pages does it for every page."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", cache(manifest_scanner.scan_component_manifests))
        yield
