"""The options of `jina executor run`."""

from __future__ import annotations

from typing import Any

import msgspec

from jina.client.requests import call_for
from jina.readers import ReadOptions
from jina.wire.maps import Call
from jina.writers import Form


class RunOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The options of `jina executor run`, checked one by one.

    Attributes:
        file: the Executor's YAML, or catalogue://NAME.
        endpoint: that is called.
        inputs: as for `jina post`.
        texts: Documents instead of inputs.
        reading: how inputs are read.
        parameters: for every call.
        output: file of the results, "-" for standard output.
        form: of the output.
        tensors: how tensors are written.
        select: fields of the results; empty for all.
        exclude: fields that they do not have.
        request_size: Documents in a call, 0 for as many as fit; None for as many as usual.
        workspace: folder for its files, unless its YAML names one.
        quiet: say only errors.
    """

    file: str
    endpoint: str
    inputs: list[str]
    texts: list[str]
    reading: ReadOptions
    parameters: dict[str, Any]
    output: str
    form: Form
    tensors: str
    select: list[str]
    exclude: list[str]
    request_size: int | None
    workspace: str
    quiet: bool

    @property
    def call(self) -> Call:
        """What every call of the method is given, and what its results have."""
        call = Call(self.parameters, tensors=self.tensors, select=self.select, exclude=self.exclude)
        return call_for(self.form, call)
