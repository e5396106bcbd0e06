"""What the tests of jobs on a cluster need."""

import pytest

from tests.jobs.lab import open_lab, until


@pytest.fixture(scope="module")
def lab():
    with open_lab(workers=2) as lab:
        yield lab


@pytest.fixture
def server(lab, tmp_path):
    """Return the jobs of one server."""
    return lab.jobs(tmp_path / "server")


@pytest.fixture
def other(lab, tmp_path):
    """Return the jobs of a server that shares nothing with the first but the cluster."""
    return lab.jobs(tmp_path / "other")


@pytest.fixture(autouse=True)
def no_task_is_left(request):
    """Close the servers of a test, and see that the scheduler forgets what they wanted."""
    yield
    if "lab" in request.fixturenames:
        lab = request.getfixturevalue("lab")
        lab.stack.close()
        assert until(lambda: not lab.wanted())
