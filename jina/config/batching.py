"""Dynamic batching in YAML: what is ignored in it, and how one place's settings lie over another's.

The keys are in `batching_schema.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from jina.config.load_state import LoadState
from jina.config.older_keys import IGNORED_BATCHING
from jina.config.tree import DataPath, Tree
from jina.names import endpoint_name

if TYPE_CHECKING:
    from jina.config.batching_schema import BatchingModel

#: Where it is in an Executor's YAML; the second wins. A Flow's executors have the second.
SPELLINGS = ("dynamic_batching", "uses_dynamic_batching")

#: Endpoint, or name of a method -> the settings that are written.
Settings = dict[str, dict[str, Any]]


def warn_of_ignored(state: LoadState, tree: Tree, at: DataPath, entry: Mapping[str, Any]) -> None:
    """List the settings that have no meaning here."""
    for spelling in SPELLINGS:
        section = entry.get(spelling)
        for endpoint, settings in section.items() if isinstance(section, Mapping) else ():
            if isinstance(settings, Mapping):
                path = (*at, spelling, endpoint)
                state.without_ignored(tree, path, settings, IGNORED_BATCHING)


def settings_in(section: Mapping[str, BatchingModel]) -> Settings:
    """What a section says."""
    return {
        endpoint: model.model_dump(
            exclude_unset=True, exclude_none=True, exclude=set(IGNORED_BATCHING)
        )
        for endpoint, model in section.items()
    }


def laid_over(settings: Settings, more: Settings) -> Settings:
    """Settings with others on top, key by key; an endpoint may be written without its slash."""
    found = {key: dict(each) for key, each in settings.items()}
    for key, each in more.items():
        same = next((known for known in found if endpoint_name(known) == endpoint_name(key)), key)
        found[same] = {**found.get(same, {}), **each}
    return found
