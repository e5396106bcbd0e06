"""Make data/runs: the course's figures as finished runs, so that a fresh clone opens on real curves.

`python -m benchmarks.ship` takes the four nets (ten epochs, the course's settings) and the depth comparison from the
store, trains what it does not have, as many runs at once as there are cores, and packs them. Metrics go along whole.
What does not fit in 12 MB together loses weights, the largest run first: those of the epochs between the first, the
best and the last, then those of the first. The four nets keep best and last in any case; a run of the depth comparison
may lose all, and those of other seeds than 0 travel without. `--folder` and `--tiny` are for trying it out.
"""

import argparse
import json
import sys
from pathlib import Path

from core.datasets import DATA
from core.device import find_placement, usable_cores
from core.entries import Entry
from core.exchange import pack_run
from core.files import sha256, write_file
from core.job import Job
from core.jobs import Jobs
from core.preset_runs import COMPARISONS, DEPTH, DEPTH_NORM
from core.run import RunSpec
from core.shipped import INDEX, index_line
from core.store import Store

BUDGET = 12_000_000  # bytes of all archives
NETS = COMPARISONS["nets"].runs
SPECS = (*NETS, *DEPTH, *(spec for spec in DEPTH_NORM if spec.seed == 0))
TINY = (RunSpec(model="mlp", epochs=3, train_images=1_000), RunSpec(epochs=3, train_images=1_000))


def main() -> int:
    """Train, pack, write; say what was written."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=DATA / "runs", help="to write to (%(default)s)")
    parser.add_argument("--budget", type=int, default=BUDGET, help="bytes of all archives (%(default)s)")
    parser.add_argument("--tiny", action="store_true", help="two runs of a few seconds instead")
    args = parser.parse_args()
    store = Store()
    entries = trained(TINY if args.tiny else SPECS, store)
    if entries is None:
        return 1
    archives = packed(entries, store, args.budget)
    write(args.folder, archives)
    for name, content in archives.items():
        print(f"{name:28} {len(content) / 1e6:6.2f} MB")
    print(f"{len(archives)} runs in {args.folder}, {sum(map(len, archives.values())) / 1e6:.2f} MB")
    return 0


def trained(specs: tuple[RunSpec, ...], store: Store) -> list[Entry] | None:
    """Return the runs, trained where the store does not have them; None where one fails. Computed as by the server."""
    jobs = Jobs(store, find_placement(shared=True), slots=usable_cores())
    try:
        submitted = [jobs.submit(spec, fresh_here=True) for spec in specs]
        for number, job in enumerate(submitted, start=1):
            follow(job, f"{number} of {len(submitted)}")
    finally:
        jobs.close()
    if any(job.status != "done" for job in submitted):
        return None
    return [entry for job in submitted if (entry := store.load(job.key))]


def follow(job: Job, place: str) -> None:
    """Wait for a run and say how it ended."""
    job.wait_for(lambda job: not job.active, timeout=1e6)
    best = max((epoch.test_accuracy for epoch in job.epochs), default=0.0)
    how = "kept from before" if job.cached else "trained now"
    print(f"{place}: {job.spec.changed()}: {job.status}, best {best:.2%}, {job.key}, {how}", flush=True)
    if job.error:
        print(job.error, file=sys.stderr)


def packed(entries: list[Entry], store: Store, budget: int) -> dict[str, bytes]:
    """Return the archives by name, with as many weights as fit."""
    weights = {
        entry.key: {epoch: store.weights(entry.key, epoch) for epoch in entry.weight_epochs} for entry in entries
    }
    chosen = {entry.key: choices(entry) for entry in entries}
    archives = {entry.key: pack(entry, weights[entry.key], chosen[entry.key][0]) for entry in entries}
    while sum(map(len, archives.values())) > budget:
        smaller = [entry for entry in entries if len(chosen[entry.key]) > 1]
        if not smaller:
            raise SystemExit(f"The runs do not fit in {budget:,} bytes, even with as few weights as may be.")
        largest = max(smaller, key=lambda entry: len(archives[entry.key]))
        del chosen[largest.key][0]
        archives[largest.key] = pack(largest, weights[largest.key], chosen[largest.key][0])
    return {f"{entry.spec.model}-{entry.key}.zip": archives[entry.key] for entry in entries}


def choices(entry: Entry) -> list[set[int]]:
    """Return which epochs' weights may go along, the most first."""
    best, last = entry.best_epoch, entry.epochs[-1].epoch
    sets = [set(entry.weight_epochs), {1, best, last}, {best, last}]
    if entry.spec.model == "stack":
        sets = [*sets, set()] if entry.spec.seed == 0 else [set()]
    return [some for number, some in enumerate(sets) if some not in sets[:number]]


def pack(entry: Entry, weights: dict[int, bytes], epochs: set[int]) -> bytes:
    """Return an archive with the weights after these epochs."""
    return pack_run(entry, {epoch: content for epoch, content in weights.items() if epoch in epochs})


def write(folder: Path, archives: dict[str, bytes]) -> None:
    """Replace what is in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    index = json.dumps([index_line(name, content) for name, content in archives.items()], indent=1).encode()
    files = {**archives, INDEX: index}
    sums = "".join(f"{sha256(content)}  {name}\n" for name, content in sorted(files.items()))
    for name, content in {**files, "SHA256SUMS": sums.encode()}.items():
        write_file(folder / name, content)
    for path in folder.iterdir():
        if path.name not in files and path.name != "SHA256SUMS":
            path.unlink()


if __name__ == "__main__":
    raise SystemExit(main())
