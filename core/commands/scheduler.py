"""Be the scheduler of a cluster: the app servers and the workers of a lab meet here. Ctrl-C ends it."""

import argparse
import json

from core.checks import check_whole
from core.cluster import PORT, check_library, hush
from core.errors import InputError

HELP = "be the scheduler of a cluster that trains for app servers"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare where it listens."""
    parser.add_argument("--host", default="", help="the address to listen on (all of this machine's)")
    parser.add_argument("--port", type=int, default=PORT, help="the port to listen on, 0 for a free one (%(default)s)")


def run(args: argparse.Namespace) -> int:
    """Serve until it is interrupted. Raises InputError where the port is taken."""
    check_whole("port", args.port, 0, 65_535)
    check_library()
    hush()
    import asyncio

    from core.cluster.work import serve_scheduler

    def ready(address: str) -> None:
        print(json.dumps({"scheduler": address}) if args.json else f"scheduler at {address}", flush=True)

    try:
        asyncio.run(serve_scheduler(args.host, args.port, ready))
    except OSError as error:
        raise InputError(
            "No scheduler can listen on port {port} ({reason}).", port=args.port, reason=error.strerror or str(error)
        ) from error
    return 0
