"""Answers that have to keep up with a hand: a route of the server, beside Streamlit's own connection.

A run of a page's fragment takes the server some 13 ms, and the browser some 25 more in which Streamlit looks through
the whole page. What follows a pen is asked for here instead; the page itself runs when the pen is lifted. Where the
route is missing, or the server that answers has never seen the page, the browser goes the page's usual way.

    address = offered(("digit", language(), nets), partial(answer, nets))  # in the page, for the browser
"""

import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from core.errors import InputError

Answer = Callable[[Any], dict[str, Any]]  # takes the JSON that was sent, gives what becomes the JSON of the answer

MOST_OFFERED = 500  # those that nobody has asked for longest are forgotten
MOST_BYTES = 64_000  # of a question; a full pad needs 20,000
PATH = "quick"

_offers: OrderedDict[str, Answer] = OrderedDict()
_lock = threading.Lock()


def offered(name: tuple[object, ...], answer: Answer) -> str:
    """Offer an answer to the browsers and return the address below that of the app.

    Args:
        name: all that the answer depends on besides the question; equal for all sessions that may share it.
        answer: runs in a thread without a session; may raise InputError.
    """
    token = hashlib.sha256(repr(name).encode()).hexdigest()[:32]
    with _lock:
        _offers[token] = answer
        _offers.move_to_end(token)
        while len(_offers) > MOST_OFFERED:
            _offers.popitem(last=False)
    return f"{PATH}/{token}"


async def answer(request: Request) -> Response:
    """Answer a question; 404 where it was not offered, 413 where it is too long, 400 where it is none."""
    with _lock:
        found = _offers.get(request.path_params["token"])
        if found:
            _offers.move_to_end(request.path_params["token"])
    if not found:
        return Response(status_code=404)
    content = bytearray()
    async for part in request.stream():
        content += part
        if len(content) > MOST_BYTES:
            return Response(status_code=413)
    try:
        return JSONResponse(await run_in_threadpool(lambda: found(json.loads(content))))
    except (ValueError, RecursionError, InputError):
        return Response(status_code=400)


_BELOW = ("", "/{base:path}")  # the server's root, or where --server.baseUrlPath puts the app
routes = [Route(f"{base}/{PATH}/{{token}}", answer, methods=["POST"]) for base in _BELOW]
