"""The program that these tests run containers with, which is that of their Flows."""

from __future__ import annotations

import os
import subprocess

from jina.launch.engines import VARIABLE

ENGINE = os.environ.get(VARIABLE) or "podman"


def engine(*words: str) -> str:
    """Run it, and return what it prints."""
    return printed(ENGINE, *words)


def printed(program: str, *words: str) -> str:
    """Run a program that is to succeed, and return what it prints."""
    done = subprocess.run(
        [program, *words], capture_output=True, check=False, text=True, timeout=120
    )
    assert done.returncode == 0, f"{program} {' '.join(words)}: {done.stderr}"
    return done.stdout.strip()
