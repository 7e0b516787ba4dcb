"""The mark of a build changes with each message that crosses to another interpreter and back."""

from __future__ import annotations

import msgspec
import pytest

from jina.runtime import fingerprint
from jina.runtime.control import Assignment
from jina.runtime.start_error import StartError


@pytest.mark.parametrize("cls", [Assignment, StartError])  # there, and back
def test_a_field_more_makes_another_mark(
    cls: type[msgspec.Struct], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = fingerprint.fingerprint()
    other = msgspec.defstruct(cls.__name__, [*cls.__struct_fields__, "further"])
    crossing = [other if each is cls else each for each in fingerprint._CROSSING]
    monkeypatch.setattr(fingerprint, "_CROSSING", crossing)
    assert fingerprint.fingerprint() != before
