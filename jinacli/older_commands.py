"""What to type now instead of a command of Jina 2 or 3 that is not here."""

from __future__ import annotations

from collections.abc import Sequence

_FLOW = "a Flow starts its own processes: use `jina flow up flow.yml`"
_NO_HUB = (
    "there is no Hub: `jina executor list` shows the Executors that come with jina, and "
    "`uses: my/config.yml` names one of your own"
)
_EXPORT = (
    "`jina flow plot flow.yml` draws a Flow, and `jina schema flow` prints the schema of its YAML"
)

OLDER = {
    "auth": "there is nothing to log in to",
    "check": "`jina executor check config.yml` and `jina flow check flow.yml` find what is wrong",
    "client": "`jina post ENDPOINT --inputs FILE` posts Documents",
    "cloud": "there is no cloud: `jina flow up flow.yml --detach` runs a Flow on this machine",
    "deployment": _FLOW,
    "export": _EXPORT,
    "export-api": _EXPORT,
    "gateway": "`jina flow up flow.yml --http 8080` serves a Flow over HTTP; `jina http 8080` "
    "serves one that runs already",
    "hello": "`jina flow new NAME` creates a first Flow; "
    "`jina executor run catalogue://UpperCase /upper --text hello` needs no file",
    "hub": _NO_HUB,
    "new": "`jina flow new NAME` and `jina executor new NAME` create projects",
    "optimizer": "nothing replaces it",
    "pea": _FLOW,
    "ping": "`jina flow ps` lists the running Flows and their state",
    "pod": _FLOW,
}
"""A command of Jina 2 or 3 that is not here -> what to do instead."""


def answer(words: Sequence[str]) -> str:
    """What to say about an older command; empty if the words are none.

    Args:
        words: after `jina`.
    """
    command, *rest = words or [""]
    if command in OLDER:
        return f"error: `jina {command}` is a command of older versions\nhelp: {OLDER[command]}"
    if command not in ("flow", "executor") or not rest or not rest[0].startswith("-"):
        return ""
    uses = _uses(rest)
    if uses is None:
        return ""
    # Late: hardly anybody types this.
    import shlex

    file = shlex.quote(uses or ("flow.yml" if command == "flow" else "config.yml"))
    if command == "flow":
        instead = f"`jina flow up {file}`"
    elif "://" in uses and not uses.startswith("catalogue://"):
        instead = _NO_HUB
    else:
        instead = f"`jina executor run {file} ENDPOINT`, or `uses: {file}` in a Flow"
    return f"error: `jina {command} --uses` is a command of older versions\nhelp: {instead}"


def _uses(words: Sequence[str]) -> str | None:
    """The value of `--uses`; None without it."""
    for position, word in enumerate(words):
        if word.startswith("--uses="):
            return word.removeprefix("--uses=")
        if word == "--uses":
            return words[position + 1] if position + 1 < len(words) else ""
    return None
