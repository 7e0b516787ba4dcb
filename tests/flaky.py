"""Tests that fail and then pass alone: told in full, and no reason to fail the run.

With `JINA_FLAKY_REPORT=FILE`, as in `.ci/run`, each test that fails is run once more, alone, when
all are done. One that passes then is counted as flaky, and its first failure goes to the file.
Chaos and the simulator have seeds: what fails there is a bug with a name and is never run again.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path, PurePosixPath

import pytest

VARIABLE = "JINA_FLAKY_REPORT"
MOST = 10  # so many may fail by accident; more are a tree that is broken
RERUN_S = 600


class Reruns:
    """A plugin of pytest; under xdist for the process that collects the results.

    Args:
        config: of the session.
        report: the file to write first failures to.
    """

    def __init__(self, config: pytest.Config, report: Path) -> None:
        self._config = config
        self._report = report
        self._failures: dict[str, list[pytest.TestReport]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note what fails, be it the test or what comes before and after it."""
        if report.failed:
            self._failures.setdefault(report.nodeid, []).append(report)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Run again what failed, and let the session pass if all of it passes now."""
        if exitstatus != pytest.ExitCode.TESTS_FAILED or len(self._failures) > MOST:
            return
        flaky = [name for name in self._failures if not is_seeded(name) and self._passes(name)]
        if not flaky:
            return
        with self._report.open("a", encoding="utf-8") as file:  # after those of an earlier run
            file.write("\n".join(self._told(name) for name in flaky))
        self._count_as_flaky(flaky)
        if len(flaky) == len(self._failures):
            session.exitstatus = pytest.ExitCode.OK

    def _passes(self, name: str) -> bool:
        """Whether a test passes in a process of its own, with nothing beside it."""
        plugins = [word for plugin in self._config.option.plugins for word in ("-p", plugin)]
        settings = ["-c", str(self._config.inipath)] if self._config.inipath else []
        try:
            done = subprocess.run(
                [sys.executable, "-m", "pytest", *plugins, *settings, "-n", "0", name],
                cwd=self._config.rootpath,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=RERUN_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == 0

    def _told(self, name: str) -> str:
        parts = [f"flaky: {name} failed once, and passed alone\n"]
        for report in self._failures[name]:
            parts.append(f"--- {report.when}\n{report.longreprtext}\n")
            parts += [f"--- {title}\n{text}\n" for title, text in report.sections]
        return "".join(parts)

    def _count_as_flaky(self, names: list[str]) -> None:
        """Move failures to a count of their own, which the last line of the output names."""
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        assert reporter
        for kind in ("failed", "error"):
            kept = [each for each in reporter.stats.pop(kind, []) if each.nodeid not in names]
            if kept:
                reporter.stats[kind] = kept
        reporter.stats["flaky"] = [self._failures[name][0] for name in names]


def is_seeded(name: str) -> bool:
    """Whether a test belongs to chaos or the simulator."""
    path = PurePosixPath(name.partition("::")[0])
    return "chaos" in path.parts or path.name == "test_simulator.py"


def install(config: pytest.Config) -> None:
    """Register the plugin if it is asked for; workers of xdist only report to it.

    The variable is taken away, as tests that run pytest themselves are not meant.
    """
    report = os.environ.pop(VARIABLE, "")
    if report and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Reruns(config, Path(report)))
