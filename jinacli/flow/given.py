"""A Flow as a command line gives it: its YAML, and what is laid over that."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from msgspec import structs

from jina.config.flows import FlowConfig, flow_config
from jina.config.load_state import LoadOptions
from jina.excepts import ConfigError
from jina.graph.origins import Origins, stamps
from jina.graph.plan import Plan
from jina.graph.planning import plan_from
from jina.launch.find import shortest
from jinacli import exits
from jinacli.flow.sources import module_files
from jinacli.screens.errors import say


@dataclass(frozen=True)
class Given:
    """What a command was given.

    Args:
        source: the first YAML file, or the text of standard input.
        overlays: further files, each laid over those before it.
        settings: what `--set` gave.
        env_file: what `--env-file` gave.
        http: settings of HTTP that win over those of the YAML; None where it is not served.
    """

    source: str | Path
    overlays: tuple[Path, ...] = ()
    settings: tuple[str, ...] = ()
    env_file: Path | None = None
    http: Mapping[str, Any] | None = field(default_factory=dict)

    @classmethod
    def of_running(cls, file: Path, origins: Origins | None) -> Given:
        """What a Flow was started from.

        Args:
            file: its YAML; if this is an absolute path, so are the others.
            origins: as its record has them.
        """
        if origins is None:
            return cls(file, http=None)
        named = str if file.is_absolute() else shortest
        return cls(
            file,
            tuple(Path(named(each)) for each in origins.overlays),
            tuple(origins.settings),
            Path(named(origins.env_file)) if origins.env_file else None,
            http=None,  # it is served as it was at its start
        )

    def served(self, http: Mapping[str, Any]) -> Given:
        """The same, served over HTTP as the command line says, and else as its YAML does."""
        return replace(self, http=http)

    @property
    def options(self) -> LoadOptions:
        """How it is loaded."""
        return LoadOptions(
            overlays=self.overlays,
            settings=self.settings,
            env_file=self.env_file,
            http=self.http,
        )

    @property
    def words(self) -> list[str]:
        """The words of a command line that give the same."""
        words = [str(self.source) if isinstance(self.source, Path) else "-"]
        for file in self.overlays:
            words += ["--file", str(file)]
        for setting in self.settings:
            words += ["--set", setting]
        return words + (["--env-file", str(self.env_file)] if self.env_file else [])

    def load(
        self, listen: str = "", http: Mapping[str, Any] | None = None
    ) -> tuple[FlowConfig, Plan]:
        """Read and check it, and plan it.

        Args:
            listen: tcp address on which the gateway listens too; "" for none.
            http: settings of HTTP that win over those of the YAML; None where nothing is served.

        Raises:
            ConfigError: with everything that is wrong, each thing at its place.
        """
        config = flow_config(self.source, self.options)
        return config, plan_from(config, listen=listen, http=http)

    def with_origins(self, config: FlowConfig, plan: Plan) -> Plan:
        """The plan with what it was made from; no module is imported for that."""
        if not isinstance(self.source, Path):
            return plan
        specs = {spec.node: spec.executor for spec in plan.workers}
        env_file = [] if self.env_file is None else [str(self.env_file)]
        origins = Origins(
            overlays=[os.path.abspath(file) for file in self.overlays],
            settings=list(self.settings),
            env_file=os.path.abspath(self.env_file) if self.env_file else "",
            files=stamps([*map(str, config.files), *env_file]),
            modules={
                node: stamps(map(str, module_files(executor))) for node, executor in specs.items()
            },
        )
        return structs.replace(plan, origins=origins)


def refuse_findings(given: Given) -> int:
    """Check a Flow and its Executors in processes of their own, and show what is found.

    Modules that are imported for that have no effect here.

    Args:
        given: of the command.

    Returns:
        0 when nothing was found, else the exit code for wrong usage.
    """
    # Late: only --strict needs them.
    from jina.check import read_for_flow
    from jinacli.check.apart import checked_apart
    from jinacli.screens.reports import summary

    report = checked_apart([read_for_flow(given.source, options=given.options)])[0]
    if not report.problems:
        return exits.OK
    say("\n\n".join(map(str, report.problems)))
    say(f"{summary([report])}\nerror: not started: with --strict, warnings are errors")
    return exits.USAGE


def source_of(file: str) -> str | Path:
    """The text of standard input for "-", else the path of a file.

    Raises:
        ConfigError: the text is not UTF-8.
    """
    if file != "-":
        return Path(file)
    data = sys.stdin.buffer.read()  # YAML is UTF-8, whatever the terminal's encoding
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            f"byte 0x{data[error.start]:02x} is not valid UTF-8",
            where=f"<text>:{line}",
            hint="send the YAML as UTF-8",
        ) from None
