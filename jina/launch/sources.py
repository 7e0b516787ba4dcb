"""Where this jina was installed from, so that another environment gets the same one."""

from __future__ import annotations

import json
import sys
from pathlib import Path

DISTRIBUTION = "jinacli"
VERSION: str = sys.modules["jina"].__version__  # an import of it would be one of all of jina
ROOT = Path(__file__).parents[2]
"""The folder that has this jina."""


def checkout() -> Path | None:
    """The folder of the sources, where this jina runs from them; None if it is installed."""
    is_source = (ROOT / "pyproject.toml").is_file() and (ROOT / "jinacli").is_dir()
    return ROOT if is_source else None


def about() -> Path:
    """The folder in which the installer has said what it installed, if this jina is installed."""
    return ROOT / f"{DISTRIBUTION}-{VERSION}.dist-info"


def requirement() -> list[str]:
    """The arguments with which pip installs this jina, as far as it can still be had from there."""
    folder = checkout()
    if folder is not None:
        return ["--editable", str(folder)]
    try:
        return [str(json.loads((about() / "direct_url.json").read_text())["url"])]
    except (OSError, ValueError, KeyError, TypeError):
        return [f"{DISTRIBUTION}=={VERSION}"]  # from an index
