import subprocess
import sys

PROGRAM = """
import gc, sys, threading
from core.torch_ready import torch_ready, wait_for_torch
assert "torch" not in sys.modules
assert not torch_ready(), "it cannot be there at once"
assert [thread.name for thread in threading.enumerate()].count("load-torch") == 1
torch_ready()
assert [thread.name for thread in threading.enumerate()].count("load-torch") == 1, "it is loaded once"
assert wait_for_torch(100)
assert torch_ready()
assert "torch" in sys.modules
assert gc.get_freeze_count() > 100_000
"""


def test_torch_is_loaded_beside_what_goes_on():
    subprocess.run([sys.executable, "-c", PROGRAM], check=True, timeout=120)
