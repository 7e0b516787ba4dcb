"""Which GPUs each worker of a node sees: `CUDA_VISIBLE_DEVICES: RR` and its forms, as in Jina 3.

    RR            all GPUs in turns, one for each worker
    RR0:2         those of a slice: 0 and 1; also RR1:, RR::2, RR-2:
    RR1           only this one
    RR0,2,5       those of a list
    RRGPU-0a…     by UUID, also a list of them

Whatever else is set there is handed on as it is.
"""

from __future__ import annotations

import functools
import os
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from jina.config.problems import Problem
from jina.config.tree import DataPath, Tree
from jina.config.variables import Unresolved
from jina.excepts import ConfigError
from jina.names import DEVICES

TOTAL = "CUDA_TOTAL_DEVICES"
HINT = "use RR, RR0:2, RR0,2, or RR followed by UUIDs that start with GPU- or MIG-"

_ASK_S = 20.0  # nvidia-smi may have to load the driver
_SLICE = re.compile(r"(-?\d+)?:(-?\d+)?(?::([1-9]\d*))?")
_INTEGER = re.compile(r"-?\d+")
_DEVICE = re.compile(r"-?\d+|(?:GPU|MIG)-[^\s:]+")  # UUIDs begin so


def chosen(value: str, total: Callable[[], int]) -> list[str] | None:
    """The devices that take turns.

    Args:
        value: of CUDA_VISIBLE_DEVICES.
        total: tells how many GPUs there are; asked only where the value does not say all.

    Returns:
        None where the value asks for no turns; nothing where no GPU is left to choose.

    Raises:
        ValueError: it is none of the forms above.
    """
    if not value.startswith("RR"):
        return None
    text = value[2:].strip()
    if text.startswith("[") and text.endswith("]"):
        text = text[1:-1].strip()
    if not text:
        return list(map(str, range(total())))
    if "," not in text and ":" in text:
        return list(map(str, _sliced(text, total)))
    parts = [part.strip() for part in text.split(",")]
    if not all(_DEVICE.fullmatch(part) for part in parts):
        raise ValueError(f"{value!r} does not name any devices")
    return [str(_counted(part, total)) if _INTEGER.fullmatch(part) else part for part in parts]


def _sliced(text: str, total: Callable[[], int]) -> range:
    found = _SLICE.fullmatch(text)
    if found is None:
        raise ValueError(f"'RR{text}' is not a slice of devices")
    start, stop, step = (None if part is None else int(part) for part in found.groups())
    return range(total())[slice(start, stop, step)]


def _counted(text: str, total: Callable[[], int]) -> int:
    number = int(text)
    return number if number >= 0 else number + total()


def problems(tree: Tree, path: DataPath, env: Any) -> Iterator[Problem]:
    """What is wrong with the GPUs that an `env` of a Flow chooses.

    Args:
        tree: the Flow's.
        path: of the `env`.
        env: its environment.
    """
    value = env.get(DEVICES) if isinstance(env, Mapping) else None
    if not isinstance(value, str) or isinstance(value, Unresolved):
        return
    try:
        chosen(value, lambda: 1)
    except ValueError as err:
        yield tree.problem((*path, DEVICES), "bad-value", str(err), hint=HINT)


def in_turns(env: Mapping[str, str], total: Callable[[], int]) -> list[str] | None:
    """The devices that the workers of a node get in turns; None where they get none so.

    Args:
        env: of the node.
        total: see `chosen`.

    Raises:
        ConfigError: our own CUDA_VISIBLE_DEVICES begins with RR and is none of the forms.
    """
    try:
        return chosen(env.get(DEVICES, os.environ.get(DEVICES, "")), total)
    except ValueError as err:  # of our own environment: that of a Flow is checked
        raise ConfigError(str(err), where=DEVICES, hint=HINT) from None


def gpus() -> int:
    """How many GPUs this machine has: $CUDA_TOTAL_DEVICES, else as many as nvidia-smi lists."""
    told = os.environ.get(TOTAL, "")
    return int(told) if told.isdecimal() else _listed()


@functools.cache
def _listed() -> int:
    try:
        done = subprocess.run(
            ["nvidia-smi", "-L"], capture_output=True, text=True, timeout=_ASK_S, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return 0
    return done.stdout.count("UUID")
