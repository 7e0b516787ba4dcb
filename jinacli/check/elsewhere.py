"""Check Executors in the interpreter that they run in: it reads the YAML again and imports them.

What was found goes back as lines in a file, like that of a fork of `apart.py`, which starts this.

python -m jinacli.check.elsewhere FINDINGS_FD NOTE_FD      reads what to check from standard input
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from jina.check import read_for_flow
from jina.config.load_state import LoadOptions
from jinacli.check.apart import look_at
from jinacli.check.children import Note


def main(arguments: Sequence[str]) -> NoReturn:
    """Look at the parts of a Flow that standard input names."""
    findings, note = map(int, arguments)
    asked = json.loads(sys.stdin.buffer.read())
    options = LoadOptions(
        overlays=tuple(map(Path, asked["overlays"])),
        settings=tuple(asked["settings"]),
        env_file=Path(asked["env_file"]) if asked["env_file"] else None,
    )
    source = Path(asked["source"]) if asked["is_path"] else asked["source"]
    parts = read_for_flow(source, options=options).parts
    look_at([parts[number] for number in asked["parts"]], findings, Note(note))


if __name__ == "__main__":
    main(sys.argv[1:])
