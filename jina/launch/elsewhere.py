"""Run a module of jina in another interpreter, if that has the jina of whoever starts it.

python elsewhere.py VERSION FINGERPRINT [MODULE ARGUMENT...]

The other interpreter runs this file by its path. It may be older, and may have no jina or another
one: so nothing of jina is imported before it is known to fit, and the syntax is that of Python 3.7.
"""

from __future__ import annotations

import importlib
import os
import sys

OLDEST = (3, 11)  # Python that jina needs, as in pyproject.toml
NEEDED = "jina needs Python {}.{} or newer".format(*OLDEST)
#: Exit code of an interpreter that does not fit: `EX_PROTOCOL` of sysexits.h. Its last line says
#: why.
UNSUITED = 76


def main(arguments: list[str]) -> int:
    """See whether this interpreter fits, and run the module; say that it fits if none is given."""
    _forget_our_folder()
    version, fingerprint, *command = arguments
    reason = _misfit(version, fingerprint, command[0] if command else "")
    if reason:
        python = f"{sys.executable} (Python {sys.version.partition(' ')[0]})"
        print(f"{python} {reason}", file=sys.stderr, flush=True)
        return UNSUITED
    if not command:
        print("\n" + answer(version, fingerprint), flush=True)
        return 0
    module = importlib.import_module(command[0])
    sys.argv = [str(module.__file__), *command[1:]]
    return int(module.main(command[1:]) or 0)


def answer(version: str, fingerprint: str) -> str:
    """The line of an interpreter that fits, and was given no module."""
    return f"fits jina {version}, {fingerprint}"


def _misfit(version: str, fingerprint: str, module: str) -> str:
    """Why this interpreter cannot run it; "" if it can."""
    if sys.version_info < OLDEST:
        return "is too old: " + NEEDED
    try:
        theirs = getattr(importlib.import_module("jina"), "__version__", "")
    except ModuleNotFoundError:
        theirs = ""
    if not theirs:
        return "has no jina"
    if theirs != version:
        return f"has jina {theirs}, but this is jina {version}"
    try:
        mark = importlib.import_module("jina.runtime.fingerprint").fingerprint()
        importlib.import_module(module or "jina.runtime.worker")
    except ImportError as error:
        if (error.name or "").partition(".")[0] in ("jina", "jinacli"):
            return f"has another build of jina {version}"
        return f"cannot import its jina: {error}"
    return "" if mark == fingerprint else f"has another build of jina {version}"


def _forget_our_folder() -> None:
    """Python looks for modules beside the file that it runs; ours must not stand in for others."""
    here = os.path.dirname(os.path.realpath(__file__))
    if sys.path and os.path.realpath(sys.path[0]) == here:
        del sys.path[0]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
