import subprocess
import sys

PROGRAM = """
import gc, sys, threading
from core.torch_thread import in_torch_thread, torch_ready
assert "torch" not in sys.modules
assert not torch_ready(), "it cannot be there at once"
assert not torch_ready()
names = [thread.name for thread in threading.enumerate()]
assert sum(name.startswith("torch") for name in names) == 1, names
import threading
first, second = (in_torch_thread(threading.current_thread) for _ in range(2))
assert first is second is not threading.current_thread()
assert torch_ready()
assert "core.train" in sys.modules
assert gc.get_freeze_count() > 100_000
try:
    in_torch_thread(lambda: 1 // 0)
except ZeroDivisionError:
    pass
else:
    raise AssertionError("an error is the caller's")
"""


def test_torch_is_loaded_beside_what_goes_on_and_used_in_one_thread():
    subprocess.run([sys.executable, "-c", PROGRAM], check=True, timeout=120)
