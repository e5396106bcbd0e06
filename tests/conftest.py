"""What all tests need."""

import sys

import pytest


@pytest.fixture(autouse=True)
def own_main_module():
    """Keep `__main__` what it is: a page under AppTest replaces it, and worker processes would run that page again."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main
