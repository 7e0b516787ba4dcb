"""What a post on several lanes is made of: the job, its parts, and what a lane reports."""

from __future__ import annotations

import msgspec

from jina import __version__
from jina.client.resume import Place
from jina.graph.plan import Plan
from jina.readers import ReadOptions
from jina.readers.ranges import Range
from jina.wire.maps import Call, Welcome
from jina.writers import Form


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the lanes of a post have in common.

    Attributes:
        plan: of the Flow that each lane runs; its paths are those in the bundles.
        endpoint: such as "/index".
        call: of every request.
        reading: how inputs are read.
        form: of the results.
        folder: absolute path of the parts of the output, which all lanes share.
        mark: the first line of its ledger; a lane that finds it there shares the folder.
        about: what tells this post from others, in words.
        current: the current folder of the command.
        target: regular expression for the names of the nodes that take part.
        request_docs: lines in a request; None for what suits the input.
        timeout_s: the longest time without any reply.
        request_timeout_s: what one request may take.
        window: requests under way at once.
        on_error: see `jina.client.exchange`.
        retries: further attempts at Documents that failed.
        version: of jina, which is to be the same everywhere.
    """

    plan: Plan
    endpoint: str
    call: Call
    reading: ReadOptions
    form: Form
    folder: str
    mark: str
    about: dict[str, str]
    current: str
    target: str = ""
    request_docs: int | None = None
    timeout_s: float | None = None
    request_timeout_s: float | None = None
    window: int
    on_error: str
    retries: int = 0
    version: str = __version__

    def path_of(self, number: int) -> str:
        """Path of one part of the output."""
        return f"{self.folder}/{part_name(number, self.form)}"

    def about_part(self, number: int) -> dict[str, str]:
        """What tells one part of this post from anything else."""
        return {**self.about, "part": str(number)}


class Part(msgspec.Struct, frozen=True):
    """A part of the inputs, whose results are one file.

    Attributes:
        number: from 0, in the order of the inputs.
        ranges: what is read for it.
    """

    number: int
    ranges: list[Range]

    @property
    def size(self) -> int:
        """Bytes of its inputs."""
        return sum(one.size for one in self.ranges)


class Started(msgspec.Struct, frozen=True, kw_only=True):
    """A lane that runs its Flow.

    Attributes:
        host: of its machine.
        welcome: of the gateway.
        error: why it does not run; None if it does.
    """

    host: str
    welcome: Welcome | None = None
    error: Exception | None = None


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """How far a lane is with a part.

    Attributes:
        number: of the part.
        earlier: where this attempt began.
        place: where it is.
        bytes_done: of the part's inputs that have their outcomes, about.
        is_done: the part is complete.
        error: what ended it early; None if nothing did.
        is_broken: an input broke off; what was read before has its outcomes.
        reasons: the first distinct reasons of failures.
        traceback: of the first failure; "" for none.
        has_unserved: nobody served the endpoint.
        misread: see `Tally`.
        passed: see `Tally.first_passed`.
        passed_traceback: likewise.
        notes: of the writer of the results, once the part is complete.
    """

    number: int
    earlier: Place
    place: Place
    bytes_done: int = 0
    is_done: bool = False
    error: Exception | None = None
    is_broken: bool = False
    reasons: dict[str, str] = {}
    traceback: str = ""
    has_unserved: bool = False
    misread: str = ""
    passed: str = ""
    passed_traceback: str = ""
    notes: list[str] = []


def part_name(number: int, form: Form) -> str:
    """Name of the file of a part, such as part-00000.jsonl."""
    ending = "txt" if form.name == "text" else form.name
    return f"part-{number:05}.{ending}{'.gz' if form.is_gzip else ''}"
