"""Values that look secret are not shown: those of keys and variables with certain words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from jina.config.tree import DataPath

MASK = "********"
_WORDS = frozenset(
    {
        *("token", "password", "passwd", "pwd", "passphrase", "secret", "key", "apikey", "keys"),
        *("tokens", "passwords", "secrets", "credential", "credentials", "auth", "authorization"),
        *("pass", "cookie", "private", "dsn"),
    }
)
_KEYS = ("with", "keys")  # of a Flow: where they are
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[A-Z]+")
_IN_URL = re.compile(r"(?<=://)([^/@\s:]*):([^/@\s]+)(?=@)")


def looks_secret(name: str) -> bool:
    """Whether a key or a variable of this name holds a secret: `API_KEY`, `dbPassword`."""
    words = [word.lower() for word in _WORD.findall(name)]
    if words[-1:] == ["file"]:
        return False  # `api_key_file`: where it is, not what it is
    return not _WORDS.isdisjoint(words) or name.lower() in _WORDS


def masked(data: Any, secret: Iterable[DataPath] = (), at: DataPath = ()) -> Any:
    """Data with the values hidden that look secret.

    Args:
        data: maps, lists and scalars.
        secret: paths of values that are hidden whatever they are called.
        at: path of the data.
    """
    paths = secret if isinstance(secret, set) else set(secret)
    is_secret = at and at != _KEYS and isinstance(at[-1], str) and looks_secret(at[-1])
    if at in paths or is_secret:
        hidden = _hidden(data)
        if hidden is not data:
            return hidden
    if isinstance(data, Mapping):
        return {key: masked(value, paths, (*at, key)) for key, value in data.items()}
    if isinstance(data, list):
        return [masked(value, paths, (*at, n)) for n, value in enumerate(data)]
    return masked_text(data) if isinstance(data, str) else data


def masked_text(text: str) -> str:
    """A text without the password of an address in it: `redis://me:secret@host`."""
    return _IN_URL.sub(rf"\1:{MASK}", text)


def _hidden(data: Any) -> Any:
    """What is shown for a secret; nothing is hidden of what says nothing."""
    if isinstance(data, list):
        return [_hidden(each) for each in data]
    return data if data in (None, "") or isinstance(data, bool | Mapping) else MASK
