"""Write YAML that `loader` reads back as the same data, with the types it had."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

from jina.config.scalars import plain_value, suspicion
from jina.config.variables import Unresolved


def dumped(data: Mapping[str, Any]) -> str:
    """The YAML of plain data.

    A text that YAML would read as something else is quoted, and a `$` is doubled, because
    one alone begins a variable.

    Raises:
        RepresenterError: of `yaml`; a value is neither text, number, boolean, list nor map. It is
            the last of the error's arguments.
    """
    return yaml.dump(
        data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=False
    )


# What YAML reads as the end of a line, unless it is escaped.
_BREAKS = re.compile("[\r\x85\u2028\u2029]")


class _Dumper(yaml.SafeDumper):
    """Plain data only, without anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def value(self, data: str) -> yaml.ScalarNode:
        return self.text(data.replace("$", "$$"))

    def text(self, data: str) -> yaml.ScalarNode:
        style = "'" if plain_value(data) is not data or suspicion(data)[0] else None
        if _BREAKS.search(data):
            style = '"'
        return self.represent_scalar("tag:yaml.org,2002:str", data, style=style)

    def map(self, data: Mapping[Any, Any]) -> yaml.MappingNode:
        # Variables are replaced in values only.
        pairs = [
            (self.text(key) if isinstance(key, str) else self.represent_data(key), value)
            for key, value in data.items()
        ]
        values = [(key, self.represent_data(value)) for key, value in pairs]
        return yaml.MappingNode("tag:yaml.org,2002:map", values, flow_style=False)


_Dumper.add_representer(str, _Dumper.value)
_Dumper.add_representer(Unresolved, _Dumper.text)  # the variable is to stay one
_Dumper.add_representer(dict, _Dumper.map)
