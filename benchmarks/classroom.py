"""How long each reader waits when a class opens the app at once and then works.

`python -m benchmarks.classroom [--readers 30] [--seconds 20] [--page mse]` speaks the browser's protocol over one
websocket a reader, on this machine only, and stops by itself. On /training the readers do nothing but watch a run that
one of them has started; their tabs ask for what is new as often as the page says. The run trains on the same cores;
what the page said of it last is printed, so that one sees how far it got meanwhile.
"""

import argparse
import asyncio
import random
import tempfile
import time
from pathlib import Path
from statistics import quantiles

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from benchmarks.conditions import conditions, summary
from benchmarks.serving import serving

LIMIT = 60.0  # seconds that a reader waits before giving up
MAX_READERS = 200
MAX_SECONDS = 120
CONDITION = 100  # ms, for nine of ten looks at a run under way
SAID = "images a second"  # in the sentence about a run under way
WATCHED = "training?seed=77&epochs=100"  # a run that is kept nowhere and is under way all the time


class Reader:
    """One browser tab, as far as the server can tell."""

    def __init__(self, address: str, page: str) -> None:
        self.url = address.replace("http://", "ws://") + "/_stcore/stream"
        self.page, _, self.query = page.partition("?")
        self.page_hash = ""  # how the server calls the page
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
        message = self._message()
        if self.expander:
            widget = message.rerun_script.widget_states.widgets.add()
            widget.id = self.expander
            widget.bool_value = self.is_open
        await self._ask(message)

    def _message(self) -> BackMsg:
        message = BackMsg()
        message.rerun_script.page_name = self.page
        message.rerun_script.query_string = self.query
        message.rerun_script.page_script_hash = self.page_hash
        return message

    async def _ask(self, message: BackMsg) -> None:
        """Send a message and take in what comes until the script has ended."""
        await self.socket.send(message.SerializeToString())
        async with asyncio.timeout(LIMIT):
            while True:
                answer = ForwardMsg.FromString(await self.socket.recv())
                self._notice(answer)
                if answer.WhichOneof("type") == "script_finished" and not ends_early(answer):
                    return

    def _notice(self, answer: ForwardMsg) -> None:
        kind = answer.WhichOneof("type")
        if kind == "navigation":
            self.page_hash = answer.navigation.page_script_hash
        elif kind == "delta" and not self.expander:
            self.expander = answer.delta.add_block.expandable.id


def ends_early(answer: ForwardMsg) -> bool:
    """Say whether the script ended only to run again at once."""
    return bool(answer.script_finished == ForwardMsg.FINISHED_EARLY_FOR_RERUN)


class Watcher(Reader):
    """A tab that shows a run under way: it asks for each part of the page as often as the page says."""

    def __init__(self, address: str, page: str) -> None:
        super().__init__(address, page)
        self.start_button = ""
        self.said = ""  # the last sentence about the run
        self.parts: dict[str, float] = {}  # seconds between two questions, by the part's id
        self.seen: dict[str, float] = {}  # the same, of the script run that is arriving

    async def start_run(self) -> None:
        """Press Start."""
        message = self._message()
        widget = message.rerun_script.widget_states.widgets.add()
        widget.id = self.start_button
        widget.trigger_value = True
        await self._ask(message)

    async def watch(self, seconds: float) -> list[float]:
        """Ask for the parts for some seconds; return how many ms passed until each answer was there."""
        times: list[float] = []
        deadline = time.perf_counter() + seconds
        due: dict[str, float] = {}
        while True:
            now = time.perf_counter()
            first = {part: now + pause * random.random() for part, pause in self.parts.items()}  # noqa: S311 - spreads
            due = {part: due.get(part, when) for part, when in first.items()}
            if not due:
                raise RuntimeError("the page asks for nothing any more: the run has ended")
            part = min(due, key=due.__getitem__)
            if due[part] >= deadline:
                return times
            await asyncio.sleep(max(0.0, due[part] - now))
            times.append(await self._poll(part))
            due[part] = max(due[part] + self.parts.get(part, 0), time.perf_counter())

    async def _poll(self, part: str) -> float:
        start = time.perf_counter()
        message = self._message()
        message.rerun_script.fragment_id = part
        message.rerun_script.is_auto_rerun = True
        await self._ask(message)
        return (time.perf_counter() - start) * 1000

    def _notice(self, answer: ForwardMsg) -> None:
        super()._notice(answer)
        kind = answer.WhichOneof("type")
        if kind == "new_session":
            self.seen = {}
        elif kind == "auto_rerun":
            self.seen[answer.auto_rerun.fragment_id] = answer.auto_rerun.interval
        elif kind == "delta":
            self._notice_element(answer.delta.new_element)
        elif kind == "script_finished" and not ends_early(answer):
            whole = answer.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY  # the page, not one of its parts
            self.parts = self.seen if whole else self.parts | self.seen

    def _notice_element(self, element: Element) -> None:
        if element.button.id.endswith("-start"):
            self.start_button = element.button.id
        elif SAID in element.markdown.body:
            self.said = element.markdown.body.partition(" ")[2]  # without its sign


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


async def measure(address: str, readers: int, seconds: float, page: str) -> bool:
    """Let a first reader in, then all the others at once, then let them work. There is no condition to hold."""
    first = await Reader(address, page).open()
    print(f"  first reader of a new server: {first:.0f} ms")
    group = [Reader(address, page) for _ in range(readers)]
    opened = await asyncio.gather(*(reader.open() for reader in group))
    print(f"  {readers} readers open /{page} at once: {summary(list(opened))}")
    worked = await asyncio.gather(*(work(reader, seconds) for reader in group))
    times = [took for one in worked for took in one]
    print(f"  one action a second each for {seconds:.0f} s: {summary(times)}, {len(times) / seconds:.0f} reruns/s")
    return True


async def measure_watching(address: str, readers: int, seconds: float, page: str) -> bool:
    """Let all readers open the page, let the first one start a run, and let all of them watch it.

    Returns whether nine of ten looks were answered in time.
    """
    group = [Watcher(address, page) for _ in range(readers)]
    for reader in group:
        await reader.open()
    await group[0].start_run()
    watched = await asyncio.gather(*(reader.watch(seconds) for reader in group))
    times = [took for one in watched for took in one]
    rate = len(times) / seconds
    print(f"  {readers} readers watch one run on /{page} for {seconds:.0f} s: {summary(times)}, {rate:.0f} polls/s")
    print(f"  at most {CONDITION} ms for nine of ten; meanwhile: {group[0].said}")
    return quantiles(times, n=10)[-1] <= CONDITION


def main() -> int:
    """Read the arguments, start a server, measure; the exit code is 1 where the condition does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readers", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--page", help="all readers on this page; mse, then training when left out")
    args = parser.parse_args()
    if not (1 <= args.readers <= MAX_READERS and 1 <= args.seconds <= MAX_SECONDS):
        parser.error(f"--readers must be 1 to {MAX_READERS} and --seconds 1 to {MAX_SECONDS}")
    print(f"Classroom, server and readers on one machine ({conditions()})")
    held = True
    for page in [args.page] if args.page else ["mse", WATCHED]:
        with tempfile.TemporaryDirectory() as home, serving(home=Path(home)) as address:
            how = measure_watching if page.startswith("training") else measure
            held &= asyncio.run(how(address, args.readers, args.seconds, page))
    return 0 if held else 1


if __name__ == "__main__":
    raise SystemExit(main())
