"""What Flow and Executor YAML may say: every key, its type, its default, one line of documentation.

Here and in the files named `…_schema`. Models are strict (no text where a number belongs) and
refuse unknown keys. Keys of Jina 2 and 3 without effect here are accepted: see `older_keys.py`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from jina.config.batching_schema import BatchingSection
from jina.config.container_schema import DockerKwargs, Entrypoint, Gpus, PullLatest, Volumes
from jina.config.executor_schema import (
    Bindings,
    Environment,
    ExecutorModel,
    Flag,
    Names,
    Number,
    PathText,
    Section,
    Strict,
)
from jina.config.external_schema import External
from jina.config.failure_schema import Limits, OnError, Retries, Strategy
from jina.config.http_schema import HttpSection
from jina.config.ray_schema import RaySection
from jina.config.schema_parts import Text, empty_is_map
from jina.config.worker_port_schema import WorkerPortOptions
from jina.defaults import CLOSE_GRACE_S, MAX_REPLICAS, MAX_THREADS

#: Milliseconds; the bound is 31 years, below which every clock can count.
Timeout = Annotated[int, Field(strict=True, ge=-1, le=10**12)]
#: Each library that computes in parallel starts so many.
Threads = Annotated[int, Field(strict=True, ge=1, le=MAX_THREADS)]


def _upper(value: Any) -> Any:
    return value.upper() if isinstance(value, str) else value


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


class NodeModel(Strict):
    """One executor of a Flow."""

    name: Text | None = Field(
        None,
        description=(
            "Unique name within the Flow: letters, digits, `_`, `-` and `.`. The default is "
            "executor0, executor1, … by position."
        ),
    )
    method: Literal["add", "needs", "inspect", "gather_inspect"] = Field(
        "add",
        description=(
            "add: an ordinary executor. needs: joins the executors it needs. inspect: receives a "
            "copy of the Documents, while the next executor receives the same input. "
            "gather_inspect: joins the inspecting executors."
        ),
    )
    uses: Uses | None = Field(
        None,
        description=(
            "The Executor to run: path of its YAML file, class name, module:Class, "
            "catalogue://Name, docker://IMAGE, or the Executor itself as a map or YAML text. The "
            "default passes Documents through."
        ),
    )
    uses_with: Section = Field(
        default_factory=dict, description="Overrides the Executor's `with`, key by key."
    )
    uses_metas: Section = Field(
        default_factory=dict, description="Overrides the Executor's `metas`, key by key."
    )
    uses_requests: Bindings = Field(
        default_factory=dict, description="Overrides the Executor's `requests`, key by key."
    )
    override_with: Section = Field(default_factory=dict, description="Old name of uses_with.")
    override_metas: Section = Field(default_factory=dict, description="Old name of uses_metas.")
    override_requests: Bindings = Field(
        default_factory=dict, description="Old name of uses_requests."
    )
    uses_dynamic_batching: BatchingSection = Field(
        default_factory=dict, description="Overrides the Executor's `dynamic_batching`, key by key."
    )
    py_modules: Names = Field(
        default_factory=list,
        description="Python files or modules to import for the class, relative to this file.",
    )
    extra_search_paths: Names = Field(
        default_factory=list,
        description=(
            "Folders to search for its YAML file and modules, after this file's folder and "
            "before the current one. Relative to this file."
        ),
    )
    runtime_args: Section = Field(
        default_factory=dict,
        description="Overrides values in the Executor's `self.runtime_args`.",
    )
    dump_path: Text | None = Field(
        None, description="Value of the Executor's `self.runtime_args.dump_path`."
    )
    needs: Names = Field(
        default_factory=list,
        description=(
            "Names of the executors whose results it receives, or gateway. The default is the "
            "previous executor. The results of several are joined in this order."
        ),
    )
    external: External = False
    ray: RaySection = None
    replicas: Annotated[int, Field(strict=True, ge=1, le=MAX_REPLICAS)] = Field(
        1, description="Number of processes that share the requests."
    )
    shards: Annotated[int, Field(strict=True, ge=1, le=MAX_REPLICAS)] = Field(
        1, description="Number of parts, for example of an index; each has its own processes."
    )
    parallel: Annotated[int, Field(strict=True, ge=1, le=MAX_REPLICAS)] = Field(
        1, description="Old name of shards."
    )
    polling: Polling | None = Field(
        None,
        description=(
            "Which shards receive a request: ANY (one of them) or ALL; or a map from endpoint to "
            "ANY or ALL, with '*' for all other endpoints. The default is ANY."
        ),
    )
    uses_before: Uses | None = Field(
        None,
        description="Executor that runs before the shards; takes the same values as uses.",
    )
    uses_after: Uses | None = Field(
        None,
        description=(
            "Executor that runs after the shards; takes the same values as uses. With ALL it "
            "receives docs_matrix, one array per shard."
        ),
    )
    disable_reduce: Flag = Field(
        False,
        description=(
            "With ALL: concatenate the results of the shards. By default, Documents with the "
            "same id are merged into one."
        ),
    )
    no_reduce: Flag = Field(False, description="Another name of disable_reduce.")
    floating: Flag = Field(
        False, description="Nothing waits for its results, and no executor needs them."
    )
    workspace: Text | None = Field(
        None, description="Folder for its files, relative to this file. The default is the Flow's."
    )
    env: Environment = Field(
        default_factory=dict,
        description="Environment variables of its processes, set before anything is imported.",
    )
    python: PathText | None = Field(
        None,
        description=(
            "Python interpreter that runs it: a path relative to this file, or a name on $PATH. "
            "It must have the same jina. The default is the one that runs the Flow. Does not "
            "apply to uses_before and uses_after."
        ),
    )
    venv: PathText | None = Field(
        None,
        description=(
            "Virtual environment whose interpreter runs it, relative to this file; see python. "
            "`jina executor install` makes one."
        ),
    )
    volumes: Volumes = Field(default_factory=list)
    gpus: Gpus = None
    entrypoint: Entrypoint = Field(default_factory=list)
    pull_latest: PullLatest = False
    docker_kwargs: DockerKwargs = Field(default_factory=dict)
    threads: Threads | None = Field(
        None,
        description=(
            "Number of threads that numerical libraries may use in each of its processes, set as "
            "OMP_NUM_THREADS and the like. The default is the Flow's, or the usable cores divided "
            "by the number of workers."
        ),
    )
    timeout_ready: Timeout | None = Field(
        None,
        description=(
            "Milliseconds a starting process may stay silent before the start fails; -1 waits "
            "forever. The default is the Flow's, or 600000."
        ),
    )
    stop_grace_period: Annotated[int, Field(strict=True, ge=0, le=10**9)] | None = Field(
        None,
        description=(
            "Milliseconds its process may take to close before it is killed. The default is"
            f" {CLOSE_GRACE_S * 1000:.0f}."
        ),
    )
    timeout: Limits | None = Field(
        None,
        description=(
            "Milliseconds a call may take before its process is killed; -1 means no limit. A map "
            "sets a limit per endpoint, with `*` for all others. Also applies to uses_before and "
            "uses_after. The default is no limit."
        ),
    )
    retries: Retries = Field(
        0,
        description=(
            "How often to retry a call that raised, or a map with times, on and backoff. Does "
            "not apply to uses_before and uses_after. -1, the default of Jina 3, means 0."
        ),
    )
    on_error: OnError | None = Field(
        None,
        description=(
            "stop: the request fails with the error. split: it is repeated in halves, and only the "
            "Documents fail that fail on their own. continue: it goes on with the input of this "
            "executor. The default is the Flow's, or what the request asks for "
            "(`jina post --on-error`). uses_before and uses_after always use the Flow's."
        ),
    )
    on_error_strategy: Strategy | None = Field(
        None, description="on_error as in Jina 2: IGNORE means continue, the others mean stop."
    )


class FlowOptions(WorkerPortOptions):
    """What holds for the whole Flow."""

    name: Text | None = Field(None, description="Same as the top-level `name`.")
    workspace: Text | None = Field(
        None,
        description=(
            "Folder for the files of its executors, relative to this file. The default is the "
            "current folder."
        ),
    )
    env: Environment = Field(
        default_factory=dict, description="Environment variables of all its processes."
    )
    threads: Threads | None = Field(None, description="Default threads of its executors.")
    timeout_ready: Timeout | None = Field(
        None, description="Default timeout_ready of its executors."
    )
    on_error: OnError | None = Field(None, description="Default on_error of its executors.")
    on_error_strategy: Strategy | None = Field(
        None, description="Default on_error_strategy of its executors."
    )
    py_modules: Names = Field(
        default_factory=list,
        description=(
            "Python files or modules to import for the classes used in this file, relative to it."
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
            "COLLECT: the response includes the results of executors with `method: inspect`. "
            "REMOVE: those executors are left out."
        ),
    )
    extra_search_paths: Names = Field(
        default_factory=list,
        description=(
            "Folders to search for files and modules of its executors, after this file's folder "
            "and before the current one. Relative to this file."
        ),
    )
    return_results: Flag | None = Field(
        None, description="Default of `Flow.post` in Python: return the responses."
    )
    request_size: Number | None = Field(
        None,
        description="Default of `Flow.post` in Python: Documents per request; 0 puts all in one.",
    )
    continue_on_error: Flag | None = Field(
        None, description="Default of `Flow.post` in Python: continue after a failed request."
    )
    show_progress: Flag | None = Field(
        None, description="Default of `Flow.post` in Python; `jina post` shows progress."
    )


def _version(value: Any) -> Any:
    # `version: 1` and `version: 1.0` are how people write '1'.
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


class FlowModel(Strict):
    """A Flow: executors, and how Documents stream through them."""

    jtype: Literal["Flow", "AsyncFlow"] = Field(
        "Flow", description="Flow. The tag `!Flow` before the map means the same."
    )
    version: Annotated[
        Text, BeforeValidator(_version, json_schema_input_type=Text | int | float)
    ] = Field("1", description="Version of this format: '1'.")
    name: Text | None = Field(
        None, description="Name for `jina post --flow`. The default is the file name."
    )
    with_: Annotated[
        FlowOptions, BeforeValidator(empty_is_map, json_schema_input_type=FlowOptions | None)
    ] = Field(
        default_factory=lambda: FlowOptions.model_validate({}),
        alias="with",
        description="Settings for the whole Flow.",
    )
    http: HttpSection | None = Field(None, description="How it is reached over HTTP.")
    executors: Annotated[
        list[NodeModel],
        BeforeValidator(
            lambda value: [] if value is None else value,
            json_schema_input_type=list[NodeModel] | None,
        ),
    ] = Field(
        default_factory=list,
        description="The executors, in the order in which Documents pass through them.",
    )
    pods: list[NodeModel] | None = Field(None, description="Old name of executors.")
