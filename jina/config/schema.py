"""What Flow and Executor YAML may say: every key, its type, its default, one line of documentation.

Here and nowhere else. Models are strict (no text where a number belongs) and refuse unknown keys.
The keys of Jina 2 and 3 that have no meaning here stand in `IGNORED_…`: they are accepted, and
`check` lists them.
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

from jina.defaults import BATCH_DOCS, BATCH_TIMEOUT_MS

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


class NodeModel(_Strict):
    """One executor of a Flow."""

    name: Text | None = Field(
        None,
        description=(
            "Unique within the Flow; letters, digits, `_`, `-` and `.`. The default is "
            "executor0, executor1, … by position."
        ),
    )
    method: Literal["add", "needs"] = Field(
        "add", description="add: an executor. needs: one that joins what it needs."
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
    needs: Names = Field(
        default_factory=list,
        description=(
            "Names of the executors whose results it takes, or gateway. The default is the "
            "one before it. With several, their results are joined in this order."
        ),
    )
    replicas: Annotated[int, Field(strict=True, ge=1, le=1000)] = Field(
        1, description="Processes that share the requests."
    )
    shards: Annotated[int, Field(strict=True, ge=1)] = Field(
        1, description="Parts of one index, each in its own process. Only 1 is supported yet."
    )
    parallel: Annotated[int, Field(strict=True, ge=1)] = Field(
        1, description="Older spelling of shards."
    )
    polling: Text = Field(
        "ANY", description="ANY: one shard gets a request. ALL is not supported yet."
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
    py_modules: Names = Field(
        default_factory=list,
        description=(
            "Python files or modules to import for the classes that this file names, relative to "
            "it."
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


#: Keys of Jina 2 and 3 beside `with` and `executors`.
IGNORED_FLOW = frozenset({"gateway", "is_updated"})

#: Keys of a Flow's `with`, and of the gateway.
# fmt: off
IGNORED_OPTIONS = frozenset({
    "allow_concurrent", "asyncio", "compress", "compress_min_bytes", "compress_min_ratio",
    "cors", "deployments_addresses", "deployments_metadata", "deployments_no_reduce",
    "description", "expose_endpoints", "expose_graphql_endpoint", "expose_public",
    "graph_description", "grpc_data_requests", "grpc_server_options", "host", "host_in",
    "host_out", "http_proxy", "identity", "inspect", "k8s_namespace", "log_config",
    "memory_hwm", "metrics", "metrics_exporter_host", "metrics_exporter_port", "monitoring",
    "no_crud_endpoints", "no_debug_endpoints", "on_error_strategy", "polling", "port",
    "port_expose", "port_in", "port_monitoring", "port_out", "ports", "prefetch",
    "prefetch_on_recv", "protocol", "protocols", "proxy", "quiet", "quiet_error",
    "quiet_remote_logs", "reload", "restart", "retries", "runtime_backend", "ssl_certfile",
    "ssl_keyfile", "static_routing_table", "suppress_root_logging", "timeout_ctrl",
    "timeout_send", "title", "tls", "traces_exporter_host", "traces_exporter_port", "tracing",
    "uses", "uvicorn_kwargs",
})
# fmt: on

#: Keys of one executor.
# fmt: off
IGNORED_NODE = frozenset({
    "allow_concurrent", "compression", "connection_list", "cors", "ctrl_with_ipc", "daemon",
    "deployment_role", "description", "disable_auto_volume", "disable_reduce", "docker_kwargs",
    "entrypoint", "exit_on_exceptions", "expose_public", "extra_search_paths", "force",
    "force_update", "gpus", "grpc_channel_options", "grpc_server_options", "host_in",
    "host_out", "hosts_in_connections", "identity", "inspect", "install_requirements",
    "k8s_namespace", "log_config", "memory_hwm", "metrics", "metrics_exporter_host",
    "metrics_exporter_port", "monitoring", "native", "no_reduce", "noblock_on_start",
    "num_part", "on_error_strategy", "output_array_type", "pea_id", "pea_role", "peas_hosts",
    "pod_role", "port", "port_ctrl", "port_expose", "port_in", "port_monitoring", "port_out",
    "ports", "prefer_platform", "pull_latest", "quiet", "quiet_error", "quiet_remote_logs",
    "reload", "retries", "runtime_backend", "runtime_cls", "scheduling", "socket_in",
    "socket_out", "ssh_keyfile", "ssh_password", "ssh_server", "timeout_ctrl", "timeout_send",
    "tls", "traces_exporter_host", "traces_exporter_port", "tracing", "upload_files", "volumes",
    "workspace_id",
})
# fmt: on

#: Keys of an Executor's YAML.
# fmt: off
IGNORED_EXECUTOR = frozenset({"is_updated", "runtime_args", "version"})
# fmt: on

#: Values of refused keys that ask for nothing, so that they are accepted.
MEANS_NOTHING = (None, False, "", "0.0.0.0", "localhost", "127.0.0.1")

#: Keys that would change results; ignoring them would be wrong. Key -> what to do instead.
REFUSED_NODE = {
    "uses_before": "add it as an executor of its own before this one",
    "uses_after": "add it as an executor of its own behind this one",
    "uses_before_address": "add it as an executor of its own before this one",
    "uses_after_address": "add it as an executor of its own behind this one",
    "external": "every executor of a Flow is started by it",
    "host": "executors run on the machine of their Flow",
    "when": "filter the Documents in the Executor",
    "floating": "make it the last executor, or post to it in a Flow of its own",
}
