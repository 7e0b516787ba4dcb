"""A lane: one Flow of its own, through which parts of the inputs go one after the other.

This is what a Ray actor runs. It imports no Ray, and is driven by short calls: each posts for a
moment and says how far it is.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import platform
import time
from collections.abc import Iterator, Mapping

from msgspec import structs

from jina import __version__
from jina.client.again import Again
from jina.client.files import Posting
from jina.client.finished import check_finished, note_finished
from jina.client.requests import LineRequests
from jina.client.results import open_results, writer_of
from jina.client.resume import Journal, Place, find_place, forget
from jina.client.session import Session
from jina.client.tally import Tally
from jina.defaults import READ_BYTES, REQUEST_DOCS
from jina.excepts import ConnectError, InputError, JinaError, OutputError, RuntimeFailToStart
from jina.graph.plan import Plan
from jina.launch.local import LocalFlow
from jina.launch.threads import OPENMP, usable_cores
from jina.names import DEVICES, LEDGER
from jina.ray.job import Job, Part, Report, Started
from jina.ray.sending import unpacked
from jina.readers import LineSource

_LOCKED_S = 60.0  # until the lane that was killed has let go of its output
_LOOK_S = 0.1


class Lane:
    """Runs a Flow and posts parts to it."""

    def __init__(self) -> None:
        self._open: _OpenPart | None = None
        self._stack = contextlib.ExitStack()

    def start(
        self, job: Job, names: list[str], bundles: Mapping[str, bytes], lanes_here: float
    ) -> Started:
        """Start the Flow.

        Args:
            job: of the post.
            names: of the bundle of each worker.
            bundles: by name.
            lanes_here: how many lanes share the cores of a machine, about.
        """
        self._job = job
        host = platform.node()
        try:
            self._check_version()
            self._check_folder()
            with contextlib.suppress(OSError):  # another machine may not have it
                os.chdir(job.current)
            workers = max(1, len(job.plan.workers))
            # Ray says how many cores the actor has, and they are for all workers together.
            threads = max(1, int(usable_cores() / lanes_here / workers))
            os.environ[OPENMP] = str(threads)
            plan = with_visible(unpacked(job.plan, names, bundles))
            flow = self._stack.enter_context(LocalFlow(plan, is_one_shot=True))
            self._address = flow.address
            with Session(flow.address) as session:
                return Started(host=host, welcome=session.welcome)
        except JinaError as error:
            if isinstance(error, RuntimeFailToStart):
                error.is_unfit = False  # a check here would look at other files
            return Started(host=host, error=error)
        except OSError as error:
            return Started(host=host, error=OutputError(f"cannot start a lane on {host}: {error}"))

    def work(self, part: Part | None, seconds: float) -> Report:
        """Post for a moment.

        Args:
            part: to begin; None goes on with the one that was begun.
            seconds: after which it says how far it is, once a reply has come.
        """
        try:
            if part is not None:
                self._open = _OpenPart(self._job, part, self._address)
            assert self._open is not None
            report = self._open.post(time.monotonic() + seconds)
        except JinaError as error:
            report = self._ended(part, error)
        if report.is_done or report.error is not None:
            self._close_part()
        return report

    def stop(self) -> None:
        """End the Flow."""
        self._close_part()
        self._stack.close()

    def _close_part(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None

    def _ended(self, part: Part | None, error: Exception) -> Report:
        if self._open is not None:
            return structs.replace(self._open.report(), error=error)
        assert part is not None
        return Report(number=part.number, earlier=Place(), place=Place(), error=error)

    def _check_version(self) -> None:
        """See that the command has this jina.

        Raises:
            ConnectError: it has another one.
        """
        if self._job.version != __version__:
            raise ConnectError(
                f"the machine {platform.node()} has jina {__version__}, and the command has "
                f"{self._job.version}",
                hint="install the same version on all nodes of the cluster",
            )

    def _check_folder(self) -> None:
        """See that what a lane writes is where the command looks for it.

        Raises:
            OutputError: it is not.
        """
        try:
            with open(f"{self._job.folder}/{LEDGER}", encoding="utf-8") as file:
                is_shared = file.readline() == self._job.mark
        except OSError:
            is_shared = False
        if not is_shared:
            raise OutputError(
                f"the machine {platform.node()} does not have this folder of results",
                where=self._job.folder,
                hint="choose a folder that all nodes of the cluster share, such as one of NFS",
            )


class _OpenPart:
    """A part that is posted.

    Args:
        job: of the post.
        part: to begin, or to resume where another lane was killed.
        address: of the Flow.

    Raises:
        JinaError: it cannot be begun.
    """

    def __init__(self, job: Job, part: Part, address: str) -> None:
        self._job = job
        self._part = part
        self._stack = contextlib.ExitStack()
        self._path = job.path_of(part.number)
        self._about = job.about_part(part.number)
        self._posting: Posting | None = None
        self._outcomes: Iterator[int] = iter(())
        wait_until_free(self._path)
        self._place, self._is_done = self._earlier()
        if self._is_done:
            return
        try:
            self._begin(self._place, address)
        except BaseException:
            self.close()
            raise

    def post(self, until: float) -> Report:
        """Post until a moment, of the monotonic clock, or the end of the part."""
        if self._posting is None:
            return self.report()
        try:
            for _ in self._outcomes:
                if time.monotonic() >= until:
                    return self.report()
        except InputError as error:  # it broke off: what was read before has its outcomes
            return structs.replace(
                self.report(), error=error, is_broken=self._posting.tally.is_broken
            )
        self._is_done = True
        note_finished(self._path, self._about, self._posting.place(), is_all=True)
        return self.report()

    def report(self) -> Report:
        """How far it is."""
        posting, start = self._posting, self._place
        if posting is None:
            return Report(
                number=self._part.number,
                earlier=start,
                place=start,
                bytes_done=self._part.size if self._is_done else 0,
                is_done=self._is_done,
            )
        tally = posting.tally
        return Report(
            number=self._part.number,
            earlier=start,
            place=posting.place(),
            bytes_done=self._part.size if self._is_done else posting.bytes_done,
            is_done=self._is_done,
            reasons=dict(tally.reasons),
            traceback=tally.first_traceback,
            has_unserved=tally.has_unserved,
            misread=tally.misread,
            passed=tally.first_passed,
            passed_traceback=tally.passed_traceback,
            notes=list(posting.writer.notes()) if self._is_done else [],
        )

    def close(self) -> None:
        """Close its files; what is not complete can be resumed."""
        self._stack.close()

    def _earlier(self) -> tuple[Place, bool]:
        """How far the part is already, and whether that is all of it.

        The folder is that of this post, so whatever is of no use there is overwritten.
        """
        with contextlib.suppress(InputError):
            if (place := find_place(self._path, self._about, None)) is not None:
                return place, False
        with contextlib.suppress(InputError):
            found = check_finished(self._path, self._about, None)
            if found is not None and found.is_all:
                return found.place, True
        forget(self._path)
        return Place(), False

    def _begin(self, place: Place, address: str) -> None:
        job, stack = self._job, self._stack
        lines = stack.enter_context(self._lines())
        while lines.lines_read < place.lines and not lines.at_end:
            most = min(place.lines - lines.lines_read, REQUEST_DOCS)
            lines.next_chunk(max_lines=most, max_bytes=READ_BYTES)
        results = stack.enter_context(open_results(self._path, is_whole=job.form.is_whole))
        session = stack.enter_context(Session(address))
        results.begin(place.size)
        posting = Posting(
            endpoint=job.endpoint,
            call=job.call,
            source=LineRequests(lines, job.call, request_docs=job.request_docs),
            results=results,
            tally=Tally(place),
            target=job.target,
            timeout_s=job.timeout_s,
            request_timeout_s=job.request_timeout_s,
            writer=writer_of(results, job.form, job.call.select, can_wait=True),
            window=job.window,
            on_error=job.on_error,
            lines_done=place.lines,
            bytes_done=lines.bytes_taken,
        )
        if job.retries:
            posting.improved = self._again(address).improved
        if not job.form.is_whole:
            journal = posting.journal = Journal(self._path, self._about, place)
            stack.callback(journal.close)
        self._posting = posting
        self._outcomes = posting.stream(session)

    def _lines(self) -> LineSource:
        """The part's inputs."""
        inputs = [one.as_input() for one in self._part.ranges]
        return LineSource(inputs, options=self._job.reading)

    def _again(self, address: str) -> Again:
        job = self._job
        again = Again(
            job.retries,
            lambda: Session(address),
            job.call,
            job.endpoint,
            {
                "target": job.target,
                "timeout_s": job.timeout_s,
                "request_timeout_s": job.request_timeout_s,
                "on_error": job.on_error,
            },
        )
        self._stack.callback(again.close)
        return again


def with_visible(plan: Plan) -> Plan:
    """The plan with workers that take turns at the GPUs that Ray gives this lane."""
    visible = [each for each in os.environ.get(DEVICES, "").split(",") if each]
    workers = [
        worker if worker.devices is None else structs.replace(worker, devices=visible)
        for worker in plan.workers
    ]
    return structs.replace(plan, workers=workers)


def wait_until_free(path: str, timeout_s: float = _LOCKED_S) -> None:
    """Wait until nobody writes to a file: whoever did may have been killed a moment ago."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_LOOK_S)
        except OSError:
            return  # a file system without locks
        else:
            return
        finally:
            os.close(descriptor)
