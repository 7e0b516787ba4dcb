"""What an Executor says of itself: for people, and for pages and commands that show it to them."""

from __future__ import annotations

from typing import Any

import msgspec


class Parameter(msgspec.Struct, frozen=True):
    """A parameter that a method reads.

    Attributes:
        name: under which it is posted.
        default: what the method takes without it; unset if there is none, or if JSON has none such.
        type: such as "int", "list"; "" where the code does not say.
        is_required: the method fails without it.
    """

    name: str
    default: Any = msgspec.UNSET
    type: str = ""
    is_required: bool = False


class Endpoint(msgspec.Struct, frozen=True):
    """An endpoint and the method that serves it.

    Attributes:
        path: such as "/index"; "/default" serves every endpoint that nothing else does.
        method: name of the function; "" if it has none.
        doc: its docstring, without the indentation.
        once: it must not see a Document twice.
        parameters: that it reads, in the order of the code.
    """

    path: str
    method: str = ""
    doc: str = ""
    once: bool = False
    parameters: list[Parameter] = []


class Described(msgspec.Struct, frozen=True):
    """An Executor.

    Attributes:
        executor: name of its class.
        title: name in its metas.
        description: likewise, or else the first paragraph of the class's docstring.
        endpoints: in the order of its table.
    """

    executor: str = ""
    title: str = ""
    description: str = ""
    endpoints: list[Endpoint] = []
