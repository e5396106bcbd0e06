"""Each figure of the README, one command each; `python -m benchmarks` runs them all in turn.

A figure is a ratio or a time measured in one run, printed with the hardware and the versions it was measured on.
Nothing here is a test: how fast a machine is does not decide whether the project is right.
"""
