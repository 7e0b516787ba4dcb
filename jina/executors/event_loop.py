"""The event loop of `async def` methods. Few Executors have any, so this file is loaded late."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any


class EventLoop:
    """One loop for all calls.

    So what a method keeps in `self` (a session, a lock) still belongs to a living loop at the next
    call.
    """

    def __init__(self) -> None:
        self._runner = asyncio.Runner()

    def complete(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run an `async def` method to its end.

        Inside a running loop (a notebook) the method runs on a thread of its own, and on another
        thread than the main one in a loop of its own.
        """
        if _is_in_a_loop():
            with ThreadPoolExecutor(max_workers=1) as threads:
                return threads.submit(asyncio.run, coroutine).result()
        if threading.current_thread() is not threading.main_thread():
            return asyncio.run(coroutine)
        return self._runner.run(coroutine)

    def close(self) -> None:
        """End the loop, if it has run."""
        self._runner.close()


def _is_in_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
