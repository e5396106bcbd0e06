"""Run in a worker process: says by its exit code whether the fork server had loaded what training needs."""

import sys


def loaded() -> None:
    """Exit with 0 where torch and the training loop are there already, with 1 where they are not."""
    sys.exit(0 if {"torch", "torch._dynamo", "core.train"} <= sys.modules.keys() else 1)
