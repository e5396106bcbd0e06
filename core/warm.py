"""Imported once by the process that all training processes are forked from, so that they start within 0.1 s.

It loads torch, what the first optimizer would load, and the data, but computes nothing with torch: a fork after
OpenMP has started its threads would hang.
"""

from contextlib import suppress

import torch._dynamo  # noqa: F401 - the first optimizer imports it, which takes 1 s

import core.kept
import core.networks
import core.train
import core.worker  # noqa: F401 - the imports are the purpose
from core.datasets import mnist
from core.errors import InputError

with suppress(InputError):  # a missing file is the job's to report
    mnist()
