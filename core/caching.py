"""A cache for what many readers ask for in the same moment: one computes it, the others wait for the result.

`functools.lru_cache` lets each of thirty threads that come at once compute the same; where that takes long, they hold
each other up thirty times as long.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from cachetools import LRUCache
from cachetools import cached as _cached

if TYPE_CHECKING:
    from cachetools import _cached_wrapper_info

Result = TypeVar("Result")


def cached(*, maxsize: int) -> Callable[[Callable[..., Result]], _cached_wrapper_info[Result]]:
    """Keep the results for the last `maxsize` arguments; an error is not kept, and the next thread tries again.

    The function must not call itself with the same arguments.
    """
    return _cached(LRUCache(maxsize), condition=threading.Condition(), info=True)
