"""The container in which an executor of a Flow runs, as plain data."""

from __future__ import annotations

import msgspec

SCHEME = "docker://"


class Mount(msgspec.Struct, frozen=True, kw_only=True):
    """A folder or file of this machine that a container sees.

    Attributes:
        source: absolute path here.
        target: absolute path in the container.
        is_read_only: it cannot be written there.
        is_workspace: where the Flow has its files, not a volume; made if it is not there.
    """

    source: str
    target: str
    is_read_only: bool = False
    is_workspace: bool = False

    @property
    def shown(self) -> str:
        """As in `volumes`."""
        return f"{self.source}:{self.target}{':ro' if self.is_read_only else ''}"


class ContainerSpec(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How the container of a worker is started.

    Attributes:
        image: its name, as docker and podman take it.
        place: where the Flow's YAML names it, as file:line:column; "" from Python.
        entrypoint: words that win over the image's own: the interpreter, and `--uses FILE`.
        mounts: what it sees of this machine, beside the run directory.
        gpus: "all", a number, or "device=0,1"; "" for none.
        pulls_latest: the image is pulled at each start.
        options: words for `docker run` and `podman run`.
        user: that it runs as; "" for the one who starts the Flow.
        has_userns: `options` choose a namespace of users.
    """

    image: str
    place: str = ""
    entrypoint: list[str] = []
    mounts: list[Mount] = []
    gpus: str = ""
    pulls_latest: bool = False
    options: list[str] = []
    user: str = ""
    has_userns: bool = False

    @property
    def shown(self) -> str:
        """How people see it."""
        return f"{SCHEME}{self.image}"
