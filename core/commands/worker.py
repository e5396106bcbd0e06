"""Train for the app servers of a lab: connect to their scheduler and wait for runs. Ctrl-C ends it."""

import argparse
import json
import os
import socket

from core.checks import check_whole
from core.cluster import SCHEDULER, check_library, hush, scheduler_address
from core.device import DEVICES, Placement, find_placement, spin_briefly
from core.errors import InputError
from core.worker import NICENESS

HELP = "train for app servers, as a worker of a cluster"
MAX_RUNS = 64


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the scheduler, and what this machine gives."""
    parser.add_argument("address", nargs="?", help=f"of the scheduler, tcp://host:8786 ({SCHEDULER} when left out)")
    parser.add_argument("--runs", type=int, default=1, help="runs at once, each in a process (%(default)s)")
    parser.add_argument("--device", default="auto", help=f"one of {', '.join(DEVICES)} (%(default)s)")
    parser.add_argument("--threads", type=int, help="of torch for each run; 1 when left out")
    parser.add_argument("--name", default=socket.gethostname(), help="how the scheduler calls this machine")


def run(args: argparse.Namespace) -> int:
    """Serve until it is interrupted. Raises InputError where no scheduler answers."""
    check_whole("runs", args.runs, 1, MAX_RUNS)
    check_library()
    hush()
    address = args.address or scheduler_address()
    if address is None:
        raise InputError("Name the scheduler: python -m core worker tcp://host:8786")
    spin_briefly()
    placement = find_placement(args.device, args.threads, shared=True)
    _say(placement, as_json=args.json)
    if hasattr(os, "nice"):
        os.nice(NICENESS)  # whoever sits at this machine comes first
    import asyncio

    from core.cluster.work import serve_workers

    names = [f"{args.name}-{os.getpid()}-{number}" for number in range(args.runs)]
    try:
        asyncio.run(serve_workers(address, placement, names))
    except (OSError, TimeoutError, ValueError) as error:
        raise InputError(
            "No scheduler answers at {address} ({reason}). Start it there with: python -m core scheduler",
            address=address,
            reason=str(error) or type(error).__name__,
        ) from error
    return 0


def _say(placement: Placement, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(placement.facts()), flush=True)
        return
    for name, value in placement.facts().items():
        print(f"{name:8} {value!s:14} {placement.reasons.get(name, '')}".rstrip(), flush=True)
