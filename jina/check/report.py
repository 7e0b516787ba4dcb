"""What a check returns: problems and endpoints, as data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from jina.config.problems import Problem, errors_in
from jina.wire.described import Parameter


class Endpoint(NamedTuple):
    """A row of the table.

    Args:
        executor: name of the node in its Flow; of the class for an Executor alone.
        endpoint: such as "/index"; "/default" is the handler of all others.
        method: such as "MyExecutor.index".
        place: `executor.py:12`, where the method is written.
        doc: its docstring.
        parameters: that it reads.
        about: the description of its Executor.
    """

    executor: str
    endpoint: str
    method: str
    place: str
    doc: str = ""
    parameters: tuple[Parameter, ...] = ()
    about: str = ""

    @property
    def cells(self) -> tuple[str, str, str, str]:
        """Who serves what, and where that is written."""
        return self[:4]


@dataclass
class Report:
    """What was found.

    Args:
        source: what was checked, as the user named it.
        problems: by file, line and column; errors and warnings.
        endpoints: who serves what; empty where nothing was imported.
    """

    source: str
    problems: list[Problem] = field(default_factory=list)
    endpoints: list[Endpoint] = field(default_factory=list)

    @property
    def errors(self) -> list[Problem]:
        """The problems that keep it from running, or make it do something else than written."""
        return errors_in(self.problems)

    @property
    def warnings(self) -> list[Problem]:
        """The problems that are only suspicious."""
        return [p for p in self.problems if p.severity == "warning"]

    @property
    def is_clean(self) -> bool:
        """Whether there are no errors."""
        return not self.errors
