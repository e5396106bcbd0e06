"""What the tests of the training page share."""

import pytest

from core import jobs


@pytest.fixture(scope="module")
def manager(tmp_path_factory):
    """The jobs of a module, in a store of their own; they end with it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TORCHSCAPE_HOME", str(tmp_path_factory.mktemp("home")))
        patch.setattr(jobs, "_manager", None)
        yield jobs.manager()
        jobs.manager().close()
