"""Run every benchmark in turn: `python -m benchmarks`, about a quarter of an hour."""

import subprocess
import sys

BENCHMARKS = (
    "descend",
    "train_speed",
    "epoch_time",
    "first_metric",
    "frames",
    "repaint",
    "redraw",
    "pointing",
    "shapes_edit",
    "pad",
    "classroom",
)


def main() -> int:
    """Run each as its own process, so that none measures what another left in memory."""
    failed = [
        name
        for name in BENCHMARKS
        if subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode
    ]
    for name in failed:
        print(f"benchmarks.{name} failed", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
