"""`uses: docker://IMAGE`: the container in which an executor of a Flow runs."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from jina.config.docker_options import words_of
from jina.config.drafts import ExecutorDraft
from jina.config.older_keys import CONTAINER_KEYS
from jina.config.problems import Problem
from jina.config.tree import DataPath, Tree
from jina.config.variables import Unresolved
from jina.executors.container import SCHEME, ContainerSpec, Mount

_IMAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:@-]*")
_GPUS = re.compile(r"all|[1-9]\d*|device=[^,\s]+(?:,[^,\s]+)*")
_MODES = {"": False, "rw": False, "z": False, "Z": False, "ro": True}
# What the image has, so that the Flow cannot say it.
_OF_IMAGE = ("py_modules", "extra_search_paths", "python", "venv")


def image_of(entry: Any) -> str:
    """The image that an entry names; "" if it is not in a container."""
    uses = entry.get("uses") if isinstance(entry, Mapping) else None
    if not isinstance(uses, str) or isinstance(uses, Unresolved):
        return ""
    text = uses.strip()
    return text.removeprefix(SCHEME).strip() if text.startswith(SCHEME) else ""


def ignored_keys(entry: Any) -> frozenset[str]:
    """The keys that have no effect because an entry is not in a container."""
    return frozenset() if is_contained(entry) else frozenset(CONTAINER_KEYS)


def is_contained(entry: Any) -> bool:
    """Whether an entry says `docker://`, with an image or without."""
    uses = entry.get("uses") if isinstance(entry, Mapping) else None
    return isinstance(uses, str) and uses.strip().startswith(SCHEME)


def container_problems(tree: Tree, at: DataPath, entry: dict[str, Any]) -> Iterator[Problem]:
    """What is wrong with the container of an entry; what has no effect there is taken out.

    Args:
        tree: the Flow's.
        at: path of the entry.
        entry: its keys.
    """
    if not is_contained(entry):
        return
    uses = str(entry["uses"])
    if not isinstance(entry["uses"], Unresolved) and not _IMAGE.fullmatch(image_of(entry)):
        yield tree.problem(
            (*at, "uses"),
            "bad-uses",
            f"{uses!r} does not name an image",
            hint="write `uses: docker://IMAGE`, as in docker://registry/encoder:1",
        )
    for key in _OF_IMAGE:
        if key in entry:
            del entry[key]
            yield tree.problem(
                (*at, key),
                "container-key",
                f"`{key}` has no effect on an executor in a container",
                severity="warning",
                at="key",
                hint="its image has its modules and its interpreter",
            )
    gpus = entry.get("gpus")
    is_text = isinstance(gpus, str | int) and not isinstance(gpus, bool | Unresolved)
    if is_text and not _GPUS.fullmatch(str(gpus)):
        message = f"{gpus!r} does not name any GPUs"
        hint = "write all, a number, or device=0,1"
        yield tree.problem((*at, "gpus"), "bad-value", message, hint=hint)
    yield from _volume_problems(tree, at, entry)
    yield from _option_problems(tree, at, entry)


def container_of(
    tree: Tree, at: DataPath, entry: Mapping[str, Any], workspace: str
) -> ContainerSpec | None:
    """The container of an entry, as far as it is right; None if it is in none.

    Args:
        tree: the Flow's.
        at: path of the entry.
        entry: its keys.
        workspace: absolute folder of this machine that it has at the same path; "" for none.
    """
    image = image_of(entry)
    if not image:
        return None
    file, line, column = tree.mark((*at, "uses"))
    kwargs = entry.get("docker_kwargs")
    words = words_of(kwargs if isinstance(kwargs, Mapping) else {})
    mounts = [mount for _, mount in _mounts(tree, entry) if isinstance(mount, Mount)]
    metas = entry.get("uses_metas") or entry.get("override_metas") or {}
    own = metas.get("workspace") if isinstance(metas, Mapping) else None
    folders = [workspace, tree.source.absolute(own) if isinstance(own, str) else ""]
    for folder in dict.fromkeys(filter(None, folders)):
        mounts.append(Mount(source=folder, target=folder, is_workspace=True))
    return ContainerSpec(
        image=image,
        place=f"{file}:{line}:{column}" if file and line else "",
        entrypoint=_entrypoint(entry.get("entrypoint")),
        mounts=mounts,
        gpus=str(entry.get("gpus") or ""),
        pulls_latest=entry.get("pull_latest") is True,
        options=words.options,
        user=words.user,
        has_userns=words.has_userns,
    )


def draft_in_container(tree: Tree, at: DataPath) -> ExecutorDraft:
    """What is known here of the Executor in an image: what the Flow lays over it, and no more.

    Args:
        tree: the Flow's.
        at: path of the `uses`.
    """
    unknown = {"with", "metas", "requests", "modules"}
    folder = tree.source.folder
    return ExecutorDraft(tree, at, jtype="BaseExecutor", folder=folder, uncertain=unknown)


def environment_in(entry: Mapping[str, Any]) -> dict[str, str]:
    """The variables that `docker_kwargs` of an entry in a container set."""
    kwargs = entry.get("docker_kwargs")
    if not is_contained(entry) or not isinstance(kwargs, Mapping):
        return {}
    return words_of(kwargs).environment


def _entrypoint(value: Any) -> list[str]:
    if isinstance(value, str):
        try:
            return shlex.split(value)
        except ValueError:
            return value.split()
    return [str(word) for word in value] if isinstance(value, list) else []


def _mounts(tree: Tree, entry: Mapping[str, Any]) -> Iterator[tuple[int, Mount | tuple[str, str]]]:
    """Each of the volumes of an entry: its number, and what it is, or what is wrong and a hint."""
    volumes = entry.get("volumes")
    volumes = [volumes] if isinstance(volumes, str) else volumes
    for n, text in enumerate(volumes if isinstance(volumes, list) else []):
        if isinstance(text, str) and not isinstance(text, Unresolved):
            yield n, _mount(tree, text)


def _mount(tree: Tree, text: str) -> Mount | tuple[str, str]:
    source, _, rest = text.partition(":")
    target, _, mode = rest.partition(":")
    form = "write HOST, HOST:CONTAINER or HOST:CONTAINER:ro"
    if not source.strip() or "\0" in text:
        return f"{text!r} does not name a folder of this machine", form
    path = tree.source.absolute(source)
    target = target or f"/{os.path.basename(path.rstrip(os.sep))}"
    if not target.startswith("/") or os.path.normpath(target) == "/":
        return f"{target!r} is not an absolute path in the container", form
    if mode not in _MODES:
        return f"{mode!r} is not a mode of a volume", "write ro, or nothing"
    if not os.path.exists(path):
        return f"there is no folder {path} to mount", f"make it: `mkdir -p {shlex.quote(path)}`"
    return Mount(source=path, target=os.path.normpath(target), is_read_only=_MODES[mode])


def _volume_problems(tree: Tree, at: DataPath, entry: Mapping[str, Any]) -> Iterator[Problem]:
    taken: dict[str, int] = {}
    for n, mount in _mounts(tree, entry):
        place = (*at, "volumes", n) if (*at, "volumes", n) in tree.values else (*at, "volumes")
        if not isinstance(mount, Mount):
            message, hint = mount
            yield tree.problem(place, "bad-volume", message, hint=hint)
        elif mount.target in taken:
            message = f"two volumes are mounted at {mount.target}"
            yield tree.problem(place, "bad-volume", message, hint="name another path for one")
        else:
            taken[mount.target] = n


def _option_problems(tree: Tree, at: DataPath, entry: Mapping[str, Any]) -> Iterator[Problem]:
    kwargs = entry.get("docker_kwargs")
    for fault in words_of(kwargs).faults if isinstance(kwargs, Mapping) else ():
        yield tree.problem(
            (*at, "docker_kwargs", fault.key),
            "ignored-key" if fault.is_harmless else "bad-docker-option",
            fault.message,
            hint=fault.hint,
            at="value" if fault.is_value else "key",
            severity="warning" if fault.is_harmless else "error",
        )
