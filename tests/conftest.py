"""What all tests need."""

import sys

import pytest

MAIN = sys.modules["__main__"]


@pytest.fixture(autouse=True)
def own_main_module():
    """Keep `__main__` what it was: a page under AppTest replaces it, and worker processes would run that page again."""
    sys.modules["__main__"] = MAIN  # a page's thread may have replaced it after the test that started it
    yield
    sys.modules["__main__"] = MAIN
