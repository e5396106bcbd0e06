"""A measurement whose every change can be waited for, and programs for it to run."""

import threading

from core.loading_job import Measurement

BLOCK = "import sys; sys.stdin.read()\n"  # the end of a program that stays until its server lets go of it
PRINT = "import json; [print(json.dumps(line), flush=True) for line in {lines}]\n"
CHANGED = threading.Condition()


class Watched(Measurement):
    def __setattr__(self, name, value):
        super().__setattr__(name, value)
        if name == "_snapshot":
            with CHANGED:
                CHANGED.notify_all()


def wait_for(measurement, happened, seconds=30):
    with CHANGED:
        assert CHANGED.wait_for(lambda: happened(measurement.snapshot), seconds), measurement.snapshot
    return measurement.snapshot


def program(*lines, then=""):
    """Return what Python is told to run: a program that prints these lines among others."""
    return ("-c", "print('no JSON', 3, '[]', '{}', sep='\\n', flush=True)\n" + PRINT.format(lines=list(lines)) + then)
