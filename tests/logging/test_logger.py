"""The loggers and timers that published Executors import."""

from __future__ import annotations

import logging
import os
import subprocess
import sys

import pytest

from jina.logging.logger import JinaLogger
from jina.logging.predefined import default_logger
from jina.logging.profile import TimeContext, readable


def test_lines_go_to_a_child_of_our_logger(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "jina"):
        logger = JinaLogger("My.Executor", runtime_args={"pea_id": 0})
        logger.info("read %d", 3)
        logger.success("done")
        default_logger.warning("mind")
    assert [(r.name, r.levelno, r.getMessage()) for r in caplog.records] == [
        ("jina.My_Executor", logging.INFO, "read 3"),
        ("jina.My_Executor", 25, "done"),
        ("jina", logging.WARNING, "mind"),
    ]


SCRIPT = """
import logging
{before}
from jina.logging.logger import JinaLogger
from jina.logging.profile import TimeContext
logger = JinaLogger("Mine")
logger.debug("d")
logger.info("i")
logger.success("s")
logger.error("e %d", 1)
"""


@pytest.mark.parametrize(
    ("before", "environment", "said"),
    [
        ("", {}, "INFO jina.Mine: i\nSUCCESS jina.Mine: s\nERROR jina.Mine: e 1\n"),
        ("", {"JINA_LOG_LEVEL": "error"}, "ERROR jina.Mine: e 1\n"),
        ("", {"JINA_LOG_LEVEL": "odd"}, "INFO jina.Mine: i\nSUCCESS jina.Mine: s\nERROR jina"),
        # What a program decides for itself holds.
        ("logging.basicConfig(format='%(message)s')", {}, "e 1\n"),
    ],
)
def test_where_nobody_set_up_logging_lines_go_to_standard_error(
    before: str, environment: dict[str, str], said: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(before=before)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == ""
    assert done.stderr.startswith(said)


def test_a_block_says_how_long_it_took(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "jina"), TimeContext("encode") as timer:
        assert timer.now() >= 0
    assert timer.duration >= 0
    first, last = [r.getMessage() for r in caplog.records]
    assert first == "encode ..."
    assert last == f"encode takes {timer.readable_duration}"


def test_durations_in_words() -> None:
    assert readable(0.254) == "0.25 seconds"
    assert readable(60) == "1 minute"
    assert readable(185) == "3 minutes and 5 seconds"
    assert readable(90061) == "1 day, 1 hour, 1 minute and 1 second"
