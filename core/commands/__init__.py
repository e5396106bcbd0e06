"""The experiments as terminal commands, a module each.

A module has `HELP` (one line), `add_arguments(parser)` and `run(args) -> int` (the exit code).
"""

COMMANDS = ("mse", "descend", "shapes", "train", "data", "runs", "warm", "scheduler", "worker")
