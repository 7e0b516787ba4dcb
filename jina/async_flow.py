"""A Flow whose `post` is an async generator, for programs that run on asyncio.

The post itself runs on a thread; internally, nothing in a Flow is asynchronous.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import AsyncIterable, AsyncIterator, Callable, Coroutine, Iterator
from typing import TYPE_CHECKING, Any, Self

from jina.defaults import WINDOW_REQUESTS
from jina.flow import Flow

if TYPE_CHECKING:
    from jina.client.post import Callback
    from jina.client.response import Response


class AsyncFlow(Flow):
    """Built, started and closed like a `Flow`; posted to with `async for`.

        async with AsyncFlow().add(uses="my.yml") as flow:
            async for response in flow.post("/index", inputs):
                ...

    A plain `with` does the same. The loop is blocked while the Flow starts and ends: its processes
    end with the thread that started them, so it cannot be a thread of a pool.

    Arguments are those of `Flow`.
    """

    async def __aenter__(self) -> Self:
        """Start, as `with` does."""
        self.__enter__()
        return self

    async def __aexit__(self, *exc_info: Any) -> None:
        """Close, as `with` does."""
        self.__exit__(*exc_info)

    async def post(  # type: ignore[override]  # Jina 2's AsyncFlow is a Flow all the same
        self,
        on: str,
        inputs: Any = None,
        on_done: Callback | None = None,
        on_error: Callback | None = None,
        on_always: Callback | None = None,
        **options: Any,
    ) -> AsyncIterator[Response]:
        """Post Documents and yield the responses in order, as they come.

        A response that is not consumed holds back those after it. Leaving the loop early ends the
        post.

        Args:
            on: the endpoint, such as "/index".
            inputs: as for `Client.post`, or an async generator. What is not async is read on the
                post's thread.
            on_done: as for `Client.post`; called on that thread, and so are the others.
            on_error: as for `Client.post`.
            on_always: as for `Client.post`.
            **options: as for `Client.post`; `return_results` has no effect.

        Raises:
            BadServer: as in `Client.post`, and so are the other errors.
        """
        loop = asyncio.get_running_loop()
        posting = _Posting(loop, on_always)
        source = _inputs(inputs, loop)
        options.pop("return_results", None)
        post = super().post
        posting.start(lambda: post(on, source, on_done, on_error, posting.deliver, **options))
        try:
            while (item := await posting.queue.get()) is not None:
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            posting.stop()

    def index(self, inputs: Any = None, *args: Any, **options: Any) -> AsyncIterator[Response]:  # type: ignore[override]  # see post
        """Post to /index."""
        return self.post("/index", inputs, *args, **options)

    def search(self, inputs: Any = None, *args: Any, **options: Any) -> AsyncIterator[Response]:  # type: ignore[override]  # see post
        """Post to /search."""
        return self.post("/search", inputs, *args, **options)

    def update(self, inputs: Any = None, *args: Any, **options: Any) -> AsyncIterator[Response]:  # type: ignore[override]  # see post
        """Post to /update."""
        return self.post("/update", inputs, *args, **options)

    def delete(self, inputs: Any = None, *args: Any, **options: Any) -> AsyncIterator[Response]:  # type: ignore[override]  # see post
        """Post to /delete."""
        return self.post("/delete", inputs, *args, **options)


class _Left(BaseException):
    """Nobody waits for responses any more. Callers never see it."""


class _Posting:
    """A post on its own thread, and the queue that brings its responses to the loop.

    Args:
        loop: where they are awaited.
        on_always: the user's own callback.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, on_always: Callback | None) -> None:
        self._loop = loop
        self._on_always = on_always
        self._is_left = False
        #: Responses; then None, or the error that ended the post.
        self.queue: asyncio.Queue[Response | BaseException | None] = asyncio.Queue(WINDOW_REQUESTS)

    def start(self, post: Callable[[], object]) -> None:
        """Begin. The thread does not keep the interpreter from ending."""
        threading.Thread(target=self._run, args=(post,), name="jina-post", daemon=True).start()

    def stop(self) -> None:
        """Let the thread end at its next response. Called on the loop."""
        self._is_left = True
        while not self.queue.empty():  # it may wait for room
            self.queue.get_nowait()

    def deliver(self, response: Response) -> None:
        """Hand a response to the loop. Called on the thread, last of the callbacks."""
        if self._on_always is not None:
            self._on_always(response)
        self._put(response)

    def _run(self, post: Callable[[], object]) -> None:
        try:
            try:
                post()
            except Exception as error:
                self._put(error)
            else:
                self._put(None)
        except _Left:
            pass

    def _put(self, item: Response | BaseException | None) -> None:
        if not self._is_left:
            _awaited(self.queue.put(item), self._loop)
        if self._is_left:
            raise _Left


def _inputs(inputs: Any, loop: asyncio.AbstractEventLoop) -> Any:
    """Inputs that the post's thread can read."""
    if callable(inputs):
        inputs = inputs()
    return _read(inputs, loop) if hasattr(inputs, "__aiter__") else inputs


def _read(inputs: AsyncIterable[Any], loop: asyncio.AbstractEventLoop) -> Iterator[Any]:
    """The elements of an async generator, each awaited on its loop."""
    elements = aiter(inputs)

    async def following() -> Any:
        return await anext(elements, _END)

    while (element := _awaited(following(), loop)) is not _END:
        yield element


def _awaited(coroutine: Coroutine[Any, Any, Any], loop: asyncio.AbstractEventLoop) -> Any:
    """Run a coroutine on the loop, from the post's thread."""
    try:
        future = asyncio.run_coroutine_threadsafe(coroutine, loop)
    except RuntimeError:  # the loop is closed
        coroutine.close()
        raise _Left from None
    try:
        return future.result()
    except concurrent.futures.CancelledError:  # the loop is being closed
        raise _Left from None


_END = object()
