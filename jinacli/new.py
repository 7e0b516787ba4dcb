"""Write a new project, which runs and passes `check` as it stands."""

from __future__ import annotations

import json
import keyword
import re
import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import typer

from jina.config.reference import json_schema
from jina.config.scalars import plain_value
from jina.excepts import OutputError
from jina.names import SAFE_NAME
from jinacli import templates
from jinacli.screens.errors import say

_TEMPLATES = Path(templates.__file__).parent
#: Names that the generated code, or every reader, takes for something else.
_TAKEN = frozenset(
    {"Any", "BaseExecutor", "Client", "Document", "DocumentArray", "Executor", "Flow", "Path"}
)


class Template(NamedTuple):
    """One of the projects that an Executor can begin as.

    Attributes:
        folder: where its files are, beside this module.
        endpoints: to try it with, in this order.
    """

    folder: str
    endpoints: tuple[str, ...]


TEMPLATES = {
    "counter": Template("executor", ("/count",)),
    "encoder": Template("encoder", ("/encode",)),
    "indexer": Template("indexer", ("/index", "/search")),
    "segmenter": Template("segmenter", ("/segment",)),
    "ranker": Template("ranker", ("/rank",)),
}
"""By what `--template` calls them."""


def new_executor(target: Path, template: str = "counter") -> int:
    """Write the project of one Executor.

    Args:
        target: the folder to make; its name is that of the class, or becomes it: `my-encoder` has
            the class `MyEncoder`.
        template: a name of TEMPLATES.

    Raises:
        OutputError: the folder exists, or cannot be written.
    """
    cls = class_name(target.name)
    folder, endpoints = TEMPLATES[template]
    _write(target, {**_filled(folder, {"MyExecutor": cls}), **_schemas("executor", "flow")})
    shown = shlex.quote(str(target))
    _say_next(
        target,
        f"jina executor check {shown}/config.yml",
        *(
            f"jina post {endpoint} --flow {shown}/flow.yml --inputs {shown}/data.jsonl"
            for endpoint in endpoints
        ),
    )
    return 0


def new_flow(target: Path) -> int:
    """Write the project of a Flow with an Executor of its own.

    Args:
        target: the folder to make; its name is that of the Flow.

    Raises:
        OutputError: the folder exists, or cannot be written.
    """
    name = target.name
    if name.endswith((".yml", ".yaml")):
        raise _bad_name(name, "a Flow's folder", f"its file will be {Path(name).stem}/flow.yml")
    if not SAFE_NAME.fullmatch(name):
        raise _bad_name(name, "a Flow", "use up to 64 letters, digits, `_`, `-` and `.`")
    own = _filled("executor", {"MyExecutor": "CountWords"})
    files = _filled("flow", {"my-flow": name})
    for file in ("config.yml", "executor.py"):
        files[f"count/{file}"] = own[file].replace("$schema=schema/", "$schema=../schema/")
    _write(target, {**files, **_schemas("executor", "flow")})
    shown = shlex.quote(str(target))
    _say_next(
        target,
        f"jina flow check {shown}/flow.yml",
        f"jina post /count --flow {shown}/flow.yml --inputs {shown}/data.jsonl",
    )
    return 0


def class_name(name: str) -> str:
    """The class of a project with this name: `my-encoder` and `MyEncoder` give `MyEncoder`.

    Raises:
        typer.BadParameter: there is no such class, or its name is taken.
    """
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]{0,63}", name):
        raise _bad_name(
            name, "an Executor", "use letters, digits, `_` and `-`, and start with a letter"
        )
    parts = re.split(r"[_-]+", name)
    cls = "".join(part[:1].upper() + part[1:] for part in parts)
    if cls in _TAKEN or keyword.iskeyword(cls) or plain_value(cls) != cls:
        raise _bad_name(name, "an Executor", f"{cls} already has another meaning")
    return cls


def _bad_name(name: str, what: str, why: str) -> typer.BadParameter:
    return typer.BadParameter(f"{name!r} cannot be the name of {what}; {why}", param_hint="NAME")


def _filled(folder: str, names: Mapping[str, str]) -> dict[str, str]:
    """The files of a template with its names filled in: path -> text."""
    found = {}
    for path in sorted((_TEMPLATES / folder).iterdir()):
        if path.is_file():
            text = path.read_text("utf-8")
            for placeholder, name in names.items():
                text = text.replace(placeholder, name)
            found[path.name] = text
    return found


def _schemas(*kinds: str) -> dict[str, str]:
    return {
        f"schema/{kind}.json": json.dumps(
            json_schema("flow" if kind == "flow" else "executor"), indent=2, ensure_ascii=False
        )
        + "\n"
        for kind in kinds
    }


def _write(target: Path, files: Mapping[str, str]) -> None:
    """Make the folder with its files; all of them or none."""
    try:
        target.mkdir()
    except FileExistsError:
        raise OutputError(
            "already exists; nothing was written",
            where=str(target),
            hint="choose another name, or remove it first",
        ) from None
    except OSError as error:
        if isinstance(error, FileNotFoundError) and not target.parent.exists():
            message = "the folder to write to does not exist"
            raise OutputError(message, where=str(target.parent)) from None
        # Some folders (/proc) refuse new ones by saying that these do not exist.
        why = "" if isinstance(error, FileNotFoundError) else f": {error.strerror}"
        raise OutputError(
            f"cannot be created{why}",
            where=str(target),
            hint=_advice(target),
        ) from error
    try:
        for name, text in files.items():
            path = target / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, "utf-8")
    except OSError as error:
        shutil.rmtree(target, ignore_errors=True)
        raise OutputError(f"cannot be written: {error.strerror}", where=str(target)) from error


def _advice(target: Path) -> str:
    try:
        target.absolute()
    except FileNotFoundError:
        return "the working directory no longer exists: cd to another one"
    return "use a folder that you can write to"


def _say_next(target: Path, *commands: str) -> None:
    say(f"wrote {target}/")
    say("\n".join(["try:", *(f"  {command}" for command in commands)]))
