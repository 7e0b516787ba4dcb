"""What Flow and Executor YAML may say: every key, its type, its default, one line of documentation.

Here and in `failure_schema`, nowhere else. Models are strict (no text where a number belongs) and
refuse unknown keys. The keys of Jina 2 and 3 that have no meaning here stand in `older_keys.py`:
they are accepted, and `check` lists them.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
)
from pydantic_core import PydanticKnownError

from jina.config.failure_schema import Limits, OnError, Retries, Strategy
from jina.defaults import BATCH_DOCS, BATCH_TIMEOUT_MS, MAX_REPLICAS

Text = Annotated[str, Field(strict=True)]
Number = Annotated[int, Field(strict=True)]
Real = Annotated[float, Field(strict=True)]
Flag = Annotated[bool, Field(strict=True)]
#: Milliseconds; the bound is 31 years, below which every clock can count.
Timeout = Annotated[int, Field(strict=True, ge=-1, le=10**12)]
_NO_NUL = r"^[^\x00]*$"


def _empty_is_map(value: Any) -> Any:
    return {} if value is None else value


def _without_nul(value: Any) -> Any:
    """No process takes a NUL in its environment."""
    if isinstance(value, str) and "\0" in value:
        raise PydanticKnownError("string_pattern_mismatch", {"pattern": _NO_NUL})
    return value


def _one_or_many(value: Any) -> Any:
    return [value] if isinstance(value, str) else [] if value is None else value


def _upper(value: Any) -> Any:
    return value.upper() if isinstance(value, str) else value


#: A section that may stand empty: `with:` and nothing behind it.
Section = Annotated[
    dict[str, Any],
    BeforeValidator(_empty_is_map, json_schema_input_type=dict[str, Any] | None),
]
Bindings = Annotated[
    dict[str, Text],
    BeforeValidator(_empty_is_map, json_schema_input_type=dict[str, Text] | None),
]
Names = Annotated[
    list[Text],
    BeforeValidator(_one_or_many, json_schema_input_type=Text | list[Text] | None),
]
_Variable = Annotated[str, Field(strict=True, pattern=r"^[^=\x00]+$")]
# Not a pattern of pydantic's own: it refuses what is no Unicode, and a value may be that.
_Words = Annotated[str, Field(strict=True, json_schema_extra={"pattern": _NO_NUL})]
_Setting = Annotated[_Words | Flag | Number | Real, AfterValidator(_without_nul)]
_Environment = dict[_Variable, _Setting]
Environment = Annotated[
    _Environment, BeforeValidator(_empty_is_map, json_schema_input_type=_Environment | None)
]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", protected_namespaces=(), defer_build=True)


class Metas(BaseModel):
    """What is known before it runs; other keys become attributes of `self.metas`."""

    model_config = ConfigDict(extra="allow", protected_namespaces=(), defer_build=True)

    name: Text | None = Field(
        None,
        description=(
            "Name of the Executor; the default is its class. It names its folder in the "
            "workspace and its own parameters."
        ),
    )
    description: Text | None = Field(None, description="What the Executor does, in a sentence.")
    workspace: Text | None = Field(
        None,
        description=(
            "Folder that the Executor may write to, relative to this file. The default is the"
            " Flow's."
        ),
    )
    py_modules: Names = Field(
        default_factory=list,
        description=(
            "Python files, folders with an __init__.py, or dotted names to import for the "
            "class. Paths are relative to this file."
        ),
    )


class BatchingModel(_Strict):
    """How requests become one call; what is left out is as the decorator says."""

    preferred_batch_size: Annotated[int, Field(strict=True, ge=1, le=10_000)] | None = Field(
        None,
        description=(
            "Documents that are enough for a call, and the most that one gets. The default is "
            f"{BATCH_DOCS}."
        ),
    )
    timeout: Annotated[float, Field(strict=True, ge=0, le=10**9)] | None = Field(
        None,
        description=(
            "Milliseconds that the oldest request waits for others. The default is "
            f"{BATCH_TIMEOUT_MS}."
        ),
    )
    flush_all: Flag | None = Field(
        None, description="A call takes all that wait, however many they are."
    )
    use_dynamic_batching: Flag | None = Field(
        None, description="false turns it off, also where the decorator turns it on."
    )
    custom_metric: Any = Field(None, description="Ignored: Documents are counted.")
    use_custom_metric: Any = Field(None, description="Ignored, as custom_metric is.")


#: Keys of it that have no meaning here.
IGNORED_BATCHING = frozenset({"custom_metric", "use_custom_metric"})

_Batching = Annotated[
    BatchingModel, BeforeValidator(_empty_is_map, json_schema_input_type=BatchingModel | None)
]
BatchingSection = Annotated[
    dict[Text, _Batching],
    BeforeValidator(_empty_is_map, json_schema_input_type=dict[Text, _Batching] | None),
]


class ExecutorModel(_Strict):
    """An Executor: which class, constructed how, serving what."""

    jtype: Text | None = Field(
        None,
        description="Class name, or module:Class. The tag `!Class` before the map says the same.",
    )
    with_: Section = Field(
        default_factory=dict, alias="with", description="Arguments of the constructor."
    )
    metas: Annotated[Metas, BeforeValidator(_empty_is_map, json_schema_input_type=Metas | None)] = (
        Field(
            default_factory=lambda: Metas.model_validate({}),
            description="Name, description, workspace, py_modules.",
        )
    )
    requests: Bindings = Field(
        default_factory=dict,
        description="Endpoint -> name of the method that serves it; these win over @requests.",
    )
    py_modules: Names = Field(
        default_factory=list, description="The same as metas.py_modules; imported before those."
    )
    dynamic_batching: BatchingSection = Field(
        default_factory=dict,
        description=(
            "Endpoint, or name of a method -> how its requests become one call. Laid over "
            "@dynamic_batching."
        ),
    )
    uses_dynamic_batching: BatchingSection = Field(
        default_factory=dict, description="The same as dynamic_batching; laid over it."
    )


def _uses_kind(value: Any) -> str:
    return "map" if isinstance(value, dict | ExecutorModel) else "text"


Uses = Annotated[
    Annotated[Text, Tag("text")] | Annotated[ExecutorModel, Tag("map")],
    Discriminator(_uses_kind),
]


Polling = Annotated[
    Annotated[Text, Tag("text")] | Annotated[dict[Text, Text], Tag("map")],
    Discriminator(_uses_kind),
]


class NodeModel(_Strict):
    """One executor of a Flow."""

    name: Text | None = Field(
        None,
        description=(
            "Unique within the Flow; letters, digits, `_`, `-` and `.`. The default is "
            "executor0, executor1, … by position."
        ),
    )
    method: Literal["add", "needs", "inspect", "gather_inspect"] = Field(
        "add",
        description=(
            "add: an executor. needs: one that joins what it needs. inspect: one that looks on;"
            " those behind it take what it looked at. gather_inspect: joins those that look on."
        ),
    )
    uses: Uses | None = Field(
        None,
        description=(
            "What runs: path of an Executor's YAML, class name, module:Class, "
            "catalogue://Name, or the Executor itself as a map or as YAML text. The default "
            "passes Documents through."
        ),
    )
    uses_with: Section = Field(default_factory=dict, description="Laid over the Executor's `with`.")
    uses_metas: Section = Field(
        default_factory=dict, description="Laid over the Executor's `metas`."
    )
    uses_requests: Bindings = Field(
        default_factory=dict, description="Laid over the Executor's `requests`."
    )
    override_with: Section = Field(default_factory=dict, description="Older spelling of uses_with.")
    override_metas: Section = Field(
        default_factory=dict, description="Older spelling of uses_metas."
    )
    override_requests: Bindings = Field(
        default_factory=dict, description="Older spelling of uses_requests."
    )
    uses_dynamic_batching: BatchingSection = Field(
        default_factory=dict, description="Laid over the Executor's `dynamic_batching`."
    )
    py_modules: Names = Field(
        default_factory=list,
        description="Python files or modules to import for the class, relative to this file.",
    )
    extra_search_paths: Names = Field(
        default_factory=list,
        description=(
            "Folders where its YAML file and modules are looked for behind this file's folder,"
            " before the current one; relative to this file."
        ),
    )
    runtime_args: Section = Field(
        default_factory=dict,
        description="Laid over what the Executor finds in `self.runtime_args`.",
    )
    dump_path: Text | None = Field(
        None, description="What the Executor finds in `self.runtime_args.dump_path`."
    )
    needs: Names = Field(
        default_factory=list,
        description=(
            "Names of the executors whose results it takes, or gateway. The default is the "
            "one before it. With several, their results are joined in this order."
        ),
    )
    replicas: Annotated[int, Field(strict=True, ge=1, le=MAX_REPLICAS)] = Field(
        1, description="Processes that share the requests."
    )
    shards: Annotated[int, Field(strict=True, ge=1, le=MAX_REPLICAS)] = Field(
        1, description="Parts, such as those of one index; each has processes of its own."
    )
    parallel: Annotated[int, Field(strict=True, ge=1, le=MAX_REPLICAS)] = Field(
        1, description="Older spelling of shards."
    )
    polling: Polling | None = Field(
        None,
        description=(
            "Which shards get a request: ANY, one of them, or ALL; also a map from endpoint to "
            "these, with '*' for those not named. The default is ANY."
        ),
    )
    uses_before: Uses | None = Field(
        None,
        description="An Executor in front of the shards, in every form of uses.",
    )
    uses_after: Uses | None = Field(
        None,
        description=(
            "An Executor behind the shards, in every form of uses; with ALL it gets docs_matrix, "
            "one array of each shard."
        ),
    )
    disable_reduce: Flag = Field(
        False,
        description=(
            "With ALL: string the results of the shards together; the default makes one of "
            "Documents with the same id."
        ),
    )
    no_reduce: Flag = Field(False, description="Another spelling of disable_reduce.")
    floating: Flag = Field(
        False,
        description="Nobody waits for its results, and no executor needs them.",
    )
    workspace: Text | None = Field(
        None, description="Folder for its files, relative to this file. The default is the Flow's."
    )
    env: Environment = Field(
        default_factory=dict,
        description="Environment variables of its processes; set before anything is imported.",
    )
    timeout_ready: Timeout | None = Field(
        None,
        description=(
            "Milliseconds without a sign of life after which a start has failed; -1 waits for"
            " ever. The default is the Flow's, else 600000."
        ),
    )
    timeout: Limits | None = Field(
        None,
        description=(
            "Milliseconds that a call may take before its process is ended; -1 sets no limit. A "
            "map gives each endpoint its own, and `*` stands for all others. It holds for "
            "uses_before and uses_after too. The default is no limit."
        ),
    )
    retries: Retries = Field(
        0,
        description=(
            "How often a call that raised is tried again, or a map with times, on and backoff; not "
            "those of uses_before and uses_after. -1, Jina 3's default, is 0."
        ),
    )
    on_error: OnError | None = Field(
        None,
        description=(
            "stop: a request fails with the error. split: it is done again in halves, so that only "
            "the Documents fail that fail alone. continue: it goes on with what this executor was "
            "given. The default is the Flow's, else what the request says: `jina post --on-error`. "
            "uses_before and uses_after have the Flow's alone."
        ),
    )
    on_error_strategy: Strategy | None = Field(
        None, description="Jina 2's on_error: IGNORE is continue, the others are stop."
    )


class FlowOptions(_Strict):
    """What holds for the whole Flow."""

    name: Text | None = Field(None, description="The same as `name` beside `with`.")
    workspace: Text | None = Field(
        None,
        description=(
            "Folder for the files of its executors, relative to this file. The default is the"
            " current folder."
        ),
    )
    env: Environment = Field(
        default_factory=dict, description="Environment variables of all its processes."
    )
    timeout_ready: Timeout | None = Field(
        None, description="Default of its executors' timeout_ready."
    )
    on_error: OnError | None = Field(None, description="Default of its executors' on_error.")
    on_error_strategy: Strategy | None = Field(
        None, description="Default of its executors' on_error_strategy."
    )
    py_modules: Names = Field(
        default_factory=list,
        description=(
            "Python files or modules to import for the classes that this file names, relative to "
            "it."
        ),
    )
    inspect: Annotated[
        Literal["COLLECT", "REMOVE"],
        BeforeValidator(
            _upper, json_schema_input_type=Literal["COLLECT", "REMOVE", "collect", "remove"]
        ),
    ] = Field(
        "COLLECT",
        description=(
            "COLLECT: what executors of `method: inspect` return is in the answer too. REMOVE: they"
            " are left out."
        ),
    )
    extra_search_paths: Names = Field(
        default_factory=list,
        description=(
            "Folders where files and modules of its executors are looked for behind this file's"
            " folder, before the current one; relative to this file."
        ),
    )
    return_results: Flag | None = Field(
        None, description="Default of `Flow.post` in Python: return the responses."
    )
    request_size: Number | None = Field(
        None, description="Default of `Flow.post` in Python: Documents in a request; 0: all in one."
    )
    continue_on_error: Flag | None = Field(
        None, description="Default of `Flow.post` in Python: go on after a failed request."
    )
    show_progress: Flag | None = Field(
        None, description="Default of `Flow.post` in Python; `jina post` shows progress."
    )


def _version(value: Any) -> Any:
    # `version: 1` and `version: 1.0` are how people write '1'.
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


class FlowModel(_Strict):
    """A Flow: executors, and how Documents stream through them."""

    jtype: Literal["Flow", "AsyncFlow"] = Field(
        "Flow", description="Flow. The tag `!Flow` before the map says the same."
    )
    version: Annotated[
        Text, BeforeValidator(_version, json_schema_input_type=Text | int | float)
    ] = Field("1", description="Version of this format: '1'.")
    name: Text | None = Field(
        None, description="What `jina post --flow` calls it. The default is the file's name."
    )
    with_: Annotated[
        FlowOptions, BeforeValidator(_empty_is_map, json_schema_input_type=FlowOptions | None)
    ] = Field(
        default_factory=lambda: FlowOptions.model_validate({}),
        alias="with",
        description="What holds for the whole Flow.",
    )
    executors: Annotated[
        list[NodeModel],
        BeforeValidator(
            lambda value: [] if value is None else value,
            json_schema_input_type=list[NodeModel] | None,
        ),
    ] = Field(
        default_factory=list, description="In the order in which Documents stream through them."
    )
    pods: list[NodeModel] | None = Field(None, description="Older spelling of executors.")
