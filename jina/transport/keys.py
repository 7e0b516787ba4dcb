"""Key files: who a process is, and whom a gateway lets in.

A folder of keys is flat, so that it can be a mounted secret, too. It has

    NAME.key    role, public and secret key of whoever uses the folder; not for others
    NAME.pub    role and public key of somebody else

A gateway has its own key, and a `.pub` for each client and worker that it lets in. A client or a
worker has its own key and the gateway's `.pub`. The keys are those of CURVE (RFC 26 of ZeroMQ), in
Z85: 32 bytes as 40 characters.
"""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from jina.excepts import BadKeys
from jina.names import NAME_HINT, SAFE_NAME
from jina.suggest import nearest

CLIENT, WORKER, GATEWAY_ROLE = "client", "worker", "gateway"
ROLES = (CLIENT, WORKER, GATEWAY_ROLE)

_KEY = re.compile(r"[0-9A-Za-z.\-:+=^!/*?&<>()\[\]{}@%$#]{40}")
_LINE = re.compile(r"(role|public|secret): *(\S+)")
_MAX_FILE_BYTES = 4096
_LOOK_S = 0.2  # between looks at the folder


class Key(NamedTuple):
    """A key of somebody.

    Attributes:
        name: of its file, without the ending.
        role: "client", "worker" or "gateway".
        public: in Z85.
        secret: in Z85; empty where only the public key is known.
    """

    name: str
    role: str
    public: bytes
    secret: bytes = b""


def make_key(folder: Path, name: str, role: str) -> Key:
    """Make a new key and write its two files.

    Raises:
        BadKeys: the name cannot be used, or there is such a key already.
        OSError: the files cannot be written.
    """
    if not SAFE_NAME.fullmatch(name):
        raise BadKeys(f"{name!r} cannot be the name of a key", hint=NAME_HINT)
    # Late: a supervisor reads keys and has no socket of ZeroMQ, which takes as long to load as all
    # of its own code.
    import zmq

    public, secret = zmq.curve_keypair()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    head = f"role: {role}\npublic: {public.decode()}\n"
    path = folder / f"{name}.key"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise BadKeys(
            "there is such a key already",
            where=str(path),
            hint="choose another name, or delete the file if nobody uses this key any more",
        ) from None
    with os.fdopen(descriptor, "w") as file:
        file.write(f"# The secret key of {name}: never give this file to anybody.\n")
        file.write(f"{head}secret: {secret.decode()}\n")
    (folder / f"{name}.pub").write_text(f"# The public key of {name}.\n{head}")
    return Key(name, role, public, secret)


def keys_in(folder: Path) -> list[Key]:
    """All keys of a folder, each once, by role and name.

    Raises:
        BadKeys: there is no such folder, or one of the files cannot be used.
    """
    known = {key.public: key for key in map(_read, _files(folder, "*.pub"))}
    known |= {key.public: key for key in map(_read, _files(folder, "*.key"))}
    return sorted(known.values(), key=lambda key: (ROLES.index(key.role), key.name))


def own_key(folder: Path, *roles: str) -> Key:
    """The one key in a folder that has one of these roles.

    Raises:
        BadKeys: there is none, or several, or others can read it.
    """
    found = [key for key in map(_read, _files(folder, "*.key")) if key.role in roles]
    if len(found) == 1:
        return found[0]
    wanted = " or ".join(roles)
    if found:
        names = ", ".join(f"{key.name}.key" for key in found)
        raise BadKeys(
            f"several keys of a {wanted}: {names}",
            where=str(folder),
            hint="use a folder with one key of your own",
        )
    raise BadKeys(
        f"no key of a {wanted}",
        where=str(folder),
        hint=f"make one: jina keys new NAME --role {roles[0]} --keys {folder}",
    )


def gateway_key(folder: Path) -> Key:
    """The public key of the gateway that a client or a worker connects to.

    Raises:
        BadKeys: there is none, or several.
    """
    found = [key for key in map(_read, _files(folder, "*.pub")) if key.role == GATEWAY_ROLE]
    if len(found) == 1:
        return found[0]
    what = "several public keys of gateways" if found else "no public key of a gateway"
    raise BadKeys(
        what, where=str(folder), hint="copy the .pub file of the gateway into this folder"
    )


class AllowList:
    """Whom a gateway lets in: the `.pub` files of its folders, as they are now.

    A file that cannot be used lets nobody in, and leaves the others as they are.

    Args:
        folders: with the keys.
    """

    def __init__(self, *folders: Path) -> None:
        self._folders = folders
        self._looked = time.monotonic()
        self._stamp = self._now()
        self._problems: set[str] = set()
        self.news: list[str] = []
        """What has changed, a line each; whoever tells it empties the list."""
        self._by_public = self._read()

    def of(self, public: bytes) -> Key | None:
        """The key of somebody who is let in; None for others."""
        now = time.monotonic()
        if public not in self._by_public or now - self._looked >= _LOOK_S:
            self._looked = now
            self._look()
        return self._by_public.get(public)

    def _look(self) -> None:
        stamp = self._now()
        if stamp == self._stamp:
            return
        self._stamp = stamp
        before, self._by_public = self._by_public, self._read()
        for word, some, others in (
            ("removed", before, self._by_public),
            ("added", self._by_public, before),
        ):
            gone = sorted(key.name for public, key in some.items() if public not in others)
            self.news += [f"keys: {name}.pub was {word}" for name in gone]

    def _now(self) -> list[tuple[str, int, int]]:
        """What tells whether a file was added, changed or removed."""
        found = []
        for path in self._files():
            try:
                about = path.stat()
            except OSError:
                continue
            found.append((path.name, about.st_mtime_ns, about.st_ino))
        return sorted(found)

    def _files(self) -> Iterator[Path]:
        for folder in self._folders:
            yield from folder.glob("*.pub")

    def _read(self) -> dict[bytes, Key]:
        found: dict[bytes, Key] = {}
        problems = set()
        for path in sorted(self._files()):
            try:
                key = _read(path)
            except BadKeys as error:
                problems.add(f"keys: {error.where}: {error.what}; this key is not let in")
                continue
            if key.role in (CLIENT, WORKER):
                found[key.public] = key
        self.news += sorted(problems - self._problems)
        self._problems = problems
        return found


def _files(folder: Path, pattern: str) -> list[Path]:
    if not folder.is_dir():
        raise BadKeys("no such folder", where=str(folder), hint="`jina keys new NAME` makes one")
    return sorted(folder.glob(pattern))


def _read(path: Path) -> Key:
    """Read a key file.

    Raises:
        BadKeys: it is none, or has a secret that others can read.
    """
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            text = file.read(_MAX_FILE_BYTES).decode("utf-8", "replace")
    except OSError as error:
        raise BadKeys(f"cannot be read: {error.strerror}", where=str(path)) from error
    if path.suffix == ".key" and stat.S_IMODE(mode) & stat.S_IRWXO:
        raise BadKeys("others can read this secret key", where=str(path), hint=f"chmod 600 {path}")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    values: dict[str, str] = {}
    for line in lines:
        if not (match := _LINE.fullmatch(line.strip())):
            raise BadKeys(
                f"not a line of a key: {line[:60]!r}",
                where=str(path),
                hint="`jina keys new` makes keys",
            )
        values[match[1]] = match[2]
    role = values.get("role", "")
    if role not in ROLES:
        near = nearest(role, ROLES)
        raise BadKeys(
            f"the role {role!r}" if role else "no role",
            where=str(path),
            hint=f"did you mean {near!r}?" if near else f"roles are {', '.join(ROLES)}",
        )
    wanted = ("public", "secret") if path.suffix == ".key" else ("public",)
    for name in wanted:
        if not _KEY.fullmatch(values.get(name, "")):
            raise BadKeys(f"no {name} key of 40 characters", where=str(path))
    secret = values.get("secret", "").encode() if path.suffix == ".key" else b""
    return Key(path.stem, role, values["public"].encode(), secret)
