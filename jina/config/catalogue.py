"""Where the Executors that ship with jina are: one folder per Executor, with a `config.yml`.

In a checkout (also after an editable install) they are next to the package; a plain install
carries them inside `jinacli`.
"""

from __future__ import annotations

from os.path import isdir, isfile
from pathlib import Path

from jina.suggest import near_name

SCHEMES = (
    "catalogue://",
    "jinahub://",
    "jinahub+docker://",
    "jinahub+sandbox://",
)


def folders() -> list[Path]:
    """The catalogues that exist, the checkout's first."""
    site = Path(__file__).resolve().parents[2]
    places = (site / "executors", site / "jinacli" / "catalogue" / "executors")
    return [place for place in places if isdir(place)]


def names() -> list[str]:
    """Names of all Executors of the catalogue, sorted."""
    return sorted({p.parent.name for folder in folders() for p in folder.glob("*/config.yml")})


def find(uses: str) -> Path | None:
    """The `config.yml` that a `catalogue://Name` (or `jinahub://Name/tag`) means, if any."""
    name = name_of(uses)
    if not name or name in (".", ".."):
        return None
    for folder in folders():
        path = folder / name / "config.yml"
        if isfile(path):
            return path
    return None


def name_of(uses: str) -> str:
    """The Executor's name in such an address, without tag and secret."""
    return uses.partition("://")[2].partition("/")[0].partition(":")[0]


def hint_for(uses: str) -> str:
    """A hint for a name that the catalogue does not have."""
    known = names()
    close = near_name(name_of(uses), known)
    if close:
        return f"did you mean {close!r}?"
    if known:
        return f"the catalogue has: {', '.join(known)}"
    return "no catalogue is installed"
