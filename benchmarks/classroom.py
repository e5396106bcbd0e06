"""How long each reader waits when a class opens the app at once and then works.

`python -m benchmarks.classroom [--readers 30] [--seconds 20] [--page mse]` speaks the browser's protocol over one
websocket a reader, on this machine only, and stops by itself.
"""

import argparse
import asyncio
import random
import tempfile
import time
from pathlib import Path

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from benchmarks.conditions import conditions, summary
from benchmarks.serving import serving

LIMIT = 60.0  # seconds that a reader waits before giving up
MAX_READERS = 200
MAX_SECONDS = 120


class Reader:
    """One browser tab, as far as the server can tell."""

    def __init__(self, address: str, page: str) -> None:
        self.url = address.replace("http://", "ws://") + "/_stcore/stream"
        self.page = page
        self.expander = ""  # id of the first section of the page
        self.is_open = False

    async def open(self) -> float:
        """Connect, ask for the page, and return how many ms passed until it had all arrived."""
        start = time.perf_counter()
        self.socket = await websockets.connect(
            self.url, subprotocols=["streamlit"], max_size=None, compression=None, origin=None
        )
        await self._rerun()
        return (time.perf_counter() - start) * 1000

    async def act(self) -> float:
        """Open or close the first section of the page, and return how many ms passed until it was there."""
        start = time.perf_counter()
        self.is_open = not self.is_open
        await self._rerun()
        return (time.perf_counter() - start) * 1000

    async def _rerun(self) -> None:
        message = BackMsg()
        message.rerun_script.page_name = self.page
        if self.expander:
            widget = message.rerun_script.widget_states.widgets.add()
            widget.id = self.expander
            widget.bool_value = self.is_open
        await self.socket.send(message.SerializeToString())
        async with asyncio.timeout(LIMIT):
            while True:
                answer = ForwardMsg.FromString(await self.socket.recv())
                if answer.WhichOneof("type") == "delta":
                    self._notice(answer)
                if answer.WhichOneof("type") == "script_finished":
                    return

    def _notice(self, answer: ForwardMsg) -> None:
        section = answer.delta.add_block.expandable
        if not self.expander and section.id:
            self.expander = section.id


async def work(reader: Reader, seconds: float) -> list[float]:
    """Act once a second on average, for some seconds."""
    times = []
    deadline = time.perf_counter() + seconds
    await asyncio.sleep(random.random())  # noqa: S311 - spreads the readers, guards no secret
    while time.perf_counter() < deadline:
        took = await reader.act()
        times.append(took)
        await asyncio.sleep(max(0.0, 1 - took / 1000))
    return times


async def measure(address: str, readers: int, seconds: float, page: str) -> None:
    """Let a first reader in, then all the others at once, then let them work."""
    first = await Reader(address, page).open()
    print(f"  first reader of a new server: {first:.0f} ms")
    group = [Reader(address, page) for _ in range(readers)]
    opened = await asyncio.gather(*(reader.open() for reader in group))
    print(f"  {readers} readers open /{page} at once: {summary(list(opened))}")
    worked = await asyncio.gather(*(work(reader, seconds) for reader in group))
    times = [took for one in worked for took in one]
    print(f"  one action a second each for {seconds:.0f} s: {summary(times)}, {len(times) / seconds:.0f} reruns/s")


def main() -> None:
    """Read the arguments, start a server, measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readers", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--page", default="mse")
    args = parser.parse_args()
    if not (1 <= args.readers <= MAX_READERS and 1 <= args.seconds <= MAX_SECONDS):
        parser.error(f"--readers must be 1 to {MAX_READERS} and --seconds 1 to {MAX_SECONDS}")
    print(f"Classroom, server and readers on one machine ({conditions()})")
    with tempfile.TemporaryDirectory() as home, serving(home=Path(home)) as address:
        asyncio.run(measure(address, args.readers, args.seconds, args.page))


if __name__ == "__main__":
    main()
