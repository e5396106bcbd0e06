"""What a worker offers and a run asks for: a way to compute, and the very program that this server is.

Placement and program decide a run's numbers, so a run goes to a worker only where both agree with its key. Dask calls
such a thing a resource; a worker has one of it and so trains one run at a time.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

from core.cluster import ClusterError
from core.device import Placement
from core.messages import N_

PREFIX = "torchscape "  # of the resource's name; the facts follow as JSON


@lru_cache(maxsize=1)
def fingerprint() -> str:
    """Return 12 hexadecimal digits that change with this program's core, Python's minor version and Dask's version."""
    python = ".".join(platform.python_version_tuple()[:2])
    digest = hashlib.sha256(f"{python} {version('distributed')}".encode())
    core = Path(__file__).parents[1]
    for path in sorted(core.rglob("*.py")):
        digest.update(f"{path.relative_to(core).as_posix()}\n{path.read_text(encoding='utf-8')}".encode())
    return digest.hexdigest()[:12]


def offer(placement: Placement) -> str:
    """Return the name of the resource for this program and that placement."""
    return PREFIX + json.dumps({"program": fingerprint(), **placement.facts()}, sort_keys=True)


def best_placement(offers: Iterable[str], address: str) -> Placement:
    """Return the placement that a server's runs get: a GPU's where a worker has one, else that of most workers.

    `offers` has one name for each worker. Raises ClusterError where no worker can be used.
    """
    facts = [json.loads(name.removeprefix(PREFIX)) for name in offers]
    if not facts:
        raise ClusterError(
            N_(
                "The cluster at {address} has no workers yet. Start one on each machine:"
                " python -m core worker {address}"
            ),
            address=address,
        )
    own = Counter(tuple(sorted(fact.items())) for fact in facts if fact.pop("program") == fingerprint())
    if not own:
        raise ClusterError(
            N_(
                "The workers of the cluster at {address} run another version of Torchscape, Python or Dask than this"
                " server. Bring the machines to the same version and start the workers again."
            ),
            address=address,
        )
    chosen = max(own, key=lambda fact: (dict(fact)["device"] != "cpu", own[fact], fact))
    return Placement(**dict(chosen))
