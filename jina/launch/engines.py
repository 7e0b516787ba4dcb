"""docker or podman, whichever is there: how it is found, and what it is asked."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

from jina.launch import probing
from jina.launch.probing import Answer, NoAnswer

VARIABLE = "JINA_CONTAINER_ENGINE"
_PROGRAMS = ("docker", "podman")
_INSTALL = (
    f"install docker or podman, or name the program in {VARIABLE}; without containers, use the "
    "Executor's YAML file"
)
_LOG_PREFIX = re.compile(r'^(time="[^"]*" level=\w+ msg=|Error: |Error response from daemon: )')


class NoEngine(Exception):
    """Containers cannot be started, or an image cannot be had; `hint` says what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class Engine(NamedTuple):
    """A program that starts containers.

    Attributes:
        program: its path.
        is_podman: it is podman, under whatever name.
    """

    program: str
    is_podman: bool

    @property
    def name(self) -> str:
        """How people know it."""
        return "podman" if self.is_podman else "docker"

    def ask(self, *words: str) -> Answer:
        """Run it without input.

        Raises:
            NoEngine: it cannot be run, or does not answer.
        """
        try:
            return probing.ask([self.program, *words])
        except NoAnswer as error:
            raise NoEngine(str(error)) from None

    def has(self, image: str) -> bool:
        """Whether an image is on this machine."""
        return not self.ask("image", "inspect", image).code

    def config_of(self, image: str) -> dict[str, Any]:
        """What an image on this machine says of itself: Entrypoint, Cmd, WorkingDir and the like.

        Raises:
            NoEngine: it cannot be asked.
        """
        answer = self.ask("image", "inspect", "--format", "{{json .Config}}", image)
        try:
            return dict(json.loads("\n".join(answer.lines) or "{}"))
        except ValueError:
            raise NoEngine(f"{self.name} says nothing about {image}: {said(answer)}") from None

    def refusal(self, image: str) -> str:
        """Why an image that is not here cannot be pulled either; "" if its registry has it."""
        answer = self.ask("manifest", "inspect", image)
        return said(answer) if answer.code else ""

    def pull(self, image: str) -> str:
        """Pull an image, and show what is said meanwhile; why that failed, "" if it did not."""
        words = [self.program, "pull", image]
        last = ""
        with subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        ) as process:
            for line in process.stdout or ():
                text = line.decode(errors="replace").rstrip()
                last = text or last
                print(text, file=sys.stderr, flush=True)
        return _plain(last) or "it says nothing" if process.returncode else ""


def engine() -> Engine:
    """The program that is used: $JINA_CONTAINER_ENGINE, else docker if it works, else podman.

    Raises:
        NoEngine: there is none that works.
    """
    wanted = os.environ.get(VARIABLE, "")
    why: list[str] = []
    for name in [wanted] if wanted else _PROGRAMS:
        path = shutil.which(name)
        if path is None:
            continue
        found, reason = _tried(path)
        if found is not None:
            return found
        why.append(f"{name} does not work: {reason}")
    if why:
        raise NoEngine("; ".join(why), _INSTALL)
    if wanted:
        raise NoEngine(f"{VARIABLE} names {wanted!r}, which is not a program", _INSTALL)
    raise NoEngine("a container needs docker or podman; neither is on $PATH", _INSTALL)


def fault_of(image: str) -> NoEngine | None:
    """Why a container of an image cannot be started; None if it can, as far as is seen from here.

    An image that is not on this machine is not pulled: its registry is asked.
    """
    try:
        found = engine()
        if found.has(image):
            return None
        reason = found.refusal(image)
    except NoEngine as error:
        return error
    return no_image(found, image, reason) if reason else None


def no_image(found: Engine, image: str, reason: str) -> NoEngine:
    """What is said of an image that cannot be had."""
    return NoEngine(
        f"the image {image} is not on this machine, and cannot be pulled: {reason}",
        f"check its name, or build it: `{found.name} build -t {image} FOLDER`",
    )


def _tried(path: str) -> tuple[Engine | None, str]:
    """The engine at a path, or why it does not work."""
    try:
        version = probing.ask([path, "--version"])
        if version.code:
            return None, said(version)
        if any("podman" in line for line in version.lines):
            return Engine(path, is_podman=True), ""
        answer = probing.ask([path, "version", "--format", "{{.Server.Version}}"])
    except NoAnswer as error:
        return None, str(error)
    return (None, said(answer)) if answer.code else (Engine(path, is_podman=False), "")


def said(answer: Answer) -> str:
    """The last thing that an engine has said, in one line."""
    lines = [line for line in (*answer.lines, *answer.errors) if line.strip(" []")]
    return _plain(lines[-1]) if lines else "it says nothing"


def _plain(line: str) -> str:
    prefix = _LOG_PREFIX.match(line := line.strip())
    text = line.removeprefix(prefix[0]) if prefix else line
    if prefix and prefix[0].endswith("msg=") and text.startswith('"'):
        text = text[1:-1].replace('\\"', '"')
    return text.strip(" .")


def python_and_file(own: Sequence[str], config: dict[str, Any]) -> tuple[str, str]:
    """The interpreter of an image, and the YAML of its Executor.

    Args:
        own: words of the `entrypoint` in the Flow; nothing for those of the image.
        config: what the image says of itself.
    """
    words = list(own) or [*(config.get("Entrypoint") or []), *(config.get("Cmd") or [])]
    if len(words) > 2 and words[0].endswith("sh") and words[1] == "-c":
        words = words[2].split()
    is_python = bool(words) and os.path.basename(words[0]).startswith(("python", "pypy"))
    for n, word in enumerate(words):
        if word == "--uses" and n + 1 < len(words):
            return words[0] if is_python else "python3", words[n + 1]
        if word.startswith("--uses="):
            return words[0] if is_python else "python3", word.removeprefix("--uses=")
    files = [word for word in words if word.endswith((".yml", ".yaml"))]
    return words[0] if is_python else "python3", files[0] if files else "config.yml"
