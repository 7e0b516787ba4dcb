"""Parse answers as Jina's clients do: with the messages of their release, and nothing unknown."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

from tests.http.recordings import FOLDER

_FILES = {"2.0": "jina20.fds", "2.6": "jina26.fds", "3": "jina3.fds"}
_LISTED = ("blob", "embedding", "tensor")  # clients of 2.6 and 3 read these without messages


def parsed(release: str, body: Any) -> Any:
    """The answer as the message of a release: "2.0", "2.6" or "3"; its Documents as `docs` of it.

    Raises:
        ParseError: it has a key or a value that the release does not know.
    """
    body = dict(body)
    if release != "3":
        if release == "2.6":
            docs = [_without_lists(doc) for doc in body["data"]["docs"]]
            body["data"] = {**body["data"], "docs": docs}
        return _parsed(release, "jina.RequestProto", body)
    docs = [
        _parsed(release, "docarray.DocumentProto", _without_lists(doc)) for doc in body.pop("data")
    ]
    message = _parsed(release, "jina.DataRequestProto", body)
    message.data.docs.docs.extend(docs)
    return message


def _without_lists(doc: dict[str, Any]) -> dict[str, Any]:
    found = {
        key: value
        for key, value in doc.items()
        if not (key in _LISTED and isinstance(value, list | dict))
    }
    for name in ("chunks", "matches"):
        if found.get(name):
            found[name] = [_without_lists(child) for child in found[name]]
    return found


def _parsed(release: str, name: str, value: Any) -> Any:
    message = message_factory.GetMessageClass(_pool(release).FindMessageTypeByName(name))()
    return json_format.ParseDict(
        value, message, ignore_unknown_fields=False, descriptor_pool=_pool(release)
    )


@lru_cache
def _pool(release: str) -> descriptor_pool.DescriptorPool:
    pool = descriptor_pool.DescriptorPool()
    files = descriptor_pb2.FileDescriptorSet.FromString((FOLDER / _FILES[release]).read_bytes())
    for file in files.file:
        pool.Add(file)
    return pool


def message_of(release: str, name: str, data: bytes) -> Any:
    """A message from its bytes."""
    return message_factory.GetMessageClass(_pool(release).FindMessageTypeByName(name)).FromString(
        data
    )
