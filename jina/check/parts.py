"""The Executors of what is checked, one by one: each can be looked at in a process of its own.

What is found in one is plain data, so that it can come from another process. Nothing is started
here: whoever checks says where.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from jina.check.classes import Begin, check_class, modules_path
from jina.check.error_names import check_retries
from jina.check.report import Endpoint, Report
from jina.config.drafts import ExecutorDraft
from jina.config.interpreters import PYTHON, VENV
from jina.config.load_state import DEFAULT_OPTIONS, LoadOptions
from jina.config.nodes import NodeConfig
from jina.config.problems import Problem
from jina.defaults import TIMEOUT_READY_S
from jina.executors.pythons import is_other
from jina.executors.spec import ExecutorSpec


class Findings(msgspec.Struct):
    """What was found in one Executor.

    Attributes:
        problems: in no order.
        endpoints: what it serves.
        founded: places of names of errors that turned out to exist.
    """

    problems: list[Problem] = []
    endpoints: list[Endpoint] = []
    founded: list[str] = []

    def as_line(self) -> str:
        """One line of JSON. Text that is not UTF-8, such as the name of a file, stays as it is."""
        return json.dumps(msgspec.to_builtins(self))

    @classmethod
    def from_line(cls, line: str) -> Findings:
        """What `as_line` made.

        Raises:
            ValueError: something else.
        """
        return msgspec.convert(json.loads(line), cls)


@dataclass(frozen=True)
class Part:
    """An Executor that is still to be imported.

    Attributes:
        name: how people see it: the node of a Flow, or the file of an Executor.
        spec: what it is.
        origin: where it is written.
        node: its name in a Flow; empty for an Executor alone.
        retried: the node whose `retries` is compared with the errors of the modules; None for none.
        guessed: places of names of errors that are reported as unknown.
        limit_s: how long the import may take; below zero for ever.
        python: the interpreter that it runs in; "" for this one.
        env: the environment variables of its process: all that the YAML says.
        image: of the container in which it runs, and in which it is not looked at; "" for none.
    """

    name: str
    spec: ExecutorSpec
    origin: ExecutorDraft
    node: str = ""
    retried: NodeConfig | None = None
    guessed: frozenset[str] = field(default=frozenset())
    limit_s: float = TIMEOUT_READY_S
    python: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    image: str = ""

    @property
    def modules(self) -> tuple[object, ...]:
        """What is imported for it: parts that are equal in this can share a process."""
        home = self.spec.jtype.rpartition(":")[0]
        cls = self.origin.cls
        own = frozenset(self.env.items()), self.python
        return (home, *self.spec.py_modules, None, *self.spec.search_paths, cls, *own)

    def look(self, begin: Begin) -> Findings:
        """Import it here, and compare it with its YAML.

        Args:
            begin: called with what of the user's code runs next.
        """
        report = Report(self.name)
        check_class(report, self.spec, self.origin, self.node, begin)
        founded: list[str] = []
        if self.retried is not None:
            problems, founded = check_retries(self.retried, self.guessed)
            report.problems += problems
        return Findings(report.problems, report.endpoints, founded)

    @property
    def is_elsewhere(self) -> bool:
        """Whether this interpreter cannot import it."""
        return bool(self.image) or is_other(self.python)

    def unfit(self, reason: str, hint: str) -> Findings:
        """What is reported when its interpreter has no jina that fits, or its image is missing."""
        tree, at = self.origin.overlays[0] if self.origin.overlays else (self.origin.tree, ())
        if self.image:
            return Findings([tree.problem((*at, "uses"), "unfit-container", reason, hint=hint)])
        key = VENV if (*at, VENV) in tree.values else PYTHON
        return Findings([tree.problem((*at, key), "unfit-interpreter", reason, hint=hint)])

    def broken_off(self, doing: str, how: str) -> Problem:
        """What is reported when its code ended the process, or does not end.

        Args:
            doing: the last thing that `begin` was told; "" if that is over.
            how: as in "the process was killed by SIGSEGV".
        """
        place = f"{self.spec.place}: " if self.spec.place else ""
        what = doing.removeprefix(place) or "after the import"
        return self.origin.tree.problem(
            modules_path(self.origin), "import-failed", f"{what}: {how}"
        )


class Check(NamedTuple):
    """A check whose YAML was read.

    Attributes:
        parts: what is to be imported.
        finish: makes the report of what was found in each of the parts, in their order.
        source: what was read: another process that reads it has the same parts.
        options: how it was read.
    """

    parts: list[Part]
    finish: Callable[[Sequence[Findings]], Report]
    source: Any = None
    options: LoadOptions = DEFAULT_OPTIONS

    def here(self, begin: Begin) -> Report:
        """Import everything in this process, except for what runs in others or in containers."""
        return self.finish(
            [Findings() if part.is_elsewhere else part.look(begin) for part in self.parts]
        )
