"""What `jina keys` does: make keys, and list those of a folder."""

from __future__ import annotations

import json
import os
from pathlib import Path

from jina.transport.keys import GATEWAY_ROLE, AllowList, Key, keys_in, make_key, own_key
from jinacli.screens.columns import in_columns
from jinacli.screens.errors import say


def new_key(folder: Path, name: str, role: str) -> None:
    """Make a pair of keys, and say what becomes of the two files.

    Raises:
        BadKeys: the name cannot be used, or there is such a key.
    """
    make_key(folder, name, role)
    secret, public = (os.path.join(folder, f"{name}.{ending}") for ending in ("key", "pub"))
    if role == GATEWAY_ROLE:
        use = "copy it to the clients and workers of the Flow"
    else:
        use = "copy it into the gateway's folder, to let this key in"
    say(f"{secret}: secret, stays here\n{public}: {use}")


def list_keys(folder: Path, *, as_json: bool) -> None:
    """Print the keys of a folder, by role and name.

    Raises:
        BadKeys: there is no such folder, or one of the files cannot be used.
    """
    keys = keys_in(folder)
    if as_json:
        print(json.dumps([_told(key) for key in keys]))
    elif keys:
        rows = [("NAME", "ROLE", "PUBLIC KEY", "SECRET")]
        rows += [
            (key.name, key.role, key.public.decode(), "yes" if key.secret else "no") for key in keys
        ]
        print(in_columns(rows))
    else:
        say(f"no keys in {folder}; `jina keys new NAME` makes one")


def checked_keys(folder: str) -> str:
    """The absolute path of a gateway's folder of keys.

    Raises:
        BadKeys: it has no key of a gateway, or one of the files cannot be used.
    """
    own_key(Path(folder), GATEWAY_ROLE)
    AllowList(Path(folder))
    return os.path.abspath(folder)


def _told(key: Key) -> dict[str, object]:
    return {
        "name": key.name,
        "role": key.role,
        "public": key.public.decode(),
        "has_secret": bool(key.secret),
    }
