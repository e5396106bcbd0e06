import asyncio
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.requests import Request
from starlette.routing import Match

from app import quick
from core.errors import InputError


def double(question):
    if question == "a word":
        raise InputError("This is no number.")
    return {"twice": 2 * question}


@pytest.fixture(autouse=True)
def nothing_offered(monkeypatch):
    monkeypatch.setattr(quick, "_offers", type(quick._offers)())


def ask(address, *parts):
    """Send a question, in as many parts as the network may make of it; return the answer's status and its JSON."""
    folder, token = address.split("/")
    assert folder == quick.PATH
    messages = [{"type": "http.request", "body": part, "more_body": True} for part in parts]

    async def receive():
        return messages.pop(0) if messages else {"type": "http.request", "body": b"", "more_body": False}

    request = Request({"type": "http", "method": "POST", "headers": [], "path_params": {"token": token}}, receive)
    with ThreadPoolExecutor(1) as elsewhere:  # a browser of other tests leaves a loop running in this thread
        response = elsewhere.submit(lambda: asyncio.run(quick.answer(request))).result()
    return response.status_code, json.loads(response.body) if response.body else None


def test_what_is_offered_is_answered():
    assert ask(quick.offered(("twice",), double), b"2", b"1") == (200, {"twice": 42})


@pytest.mark.parametrize("base", ["", "/class", "/a/b"])
def test_the_way_is_open_below_every_base_path(base):
    scope = {"type": "http", "method": "POST", "path": f"{base}/{quick.offered(('twice',), double)}", "headers": []}
    assert any(route.matches(scope)[0] == Match.FULL for route in quick.routes)
    assert not any(route.matches(scope | {"method": "GET"})[0] == Match.FULL for route in quick.routes)


def test_equal_names_share_an_address_and_others_do_not():
    assert quick.offered(("twice", 1), double) == quick.offered(("twice", 1), double)
    assert quick.offered(("twice", 1), double) != quick.offered(("twice", 2), double)


def test_what_was_never_offered_is_not_found():
    assert ask(f"{quick.PATH}/{'0' * 32}", b"1") == (404, None)


@pytest.mark.parametrize("question", [b"", b"{", b"\xff", b"[" * 60_000, b'"a word"'])
def test_what_is_no_question_is_refused(question):
    assert ask(quick.offered(("twice",), double), question) == (400, None)


def test_a_question_has_an_end():
    assert ask(quick.offered(("twice",), double), *[b"1" * 1000] * 65) == (413, None)


def test_an_offer_that_nobody_asks_for_is_forgotten(monkeypatch):
    monkeypatch.setattr(quick, "MOST_OFFERED", 2)
    asked, forgotten = (quick.offered((number,), double) for number in range(2))
    assert ask(asked, b"1") == (200, {"twice": 2})
    quick.offered((3,), double)
    assert ask(asked, b"1") == (200, {"twice": 2})
    assert ask(forgotten, b"1") == (404, None)
