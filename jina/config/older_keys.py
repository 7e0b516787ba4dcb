"""Keys of Jina 2.0.24, 2.6.4 and 3.34 that have no meaning here, or are refused.

docs/migrating.md has all of them, with those that work.
"""

from __future__ import annotations

#: They have no effect on an executor that is not in a container.
CONTAINER_KEYS = ("docker_kwargs", "entrypoint", "gpus", "pull_latest", "volumes")

#: Ignored beside `with` and `executors`.
IGNORED_FLOW = frozenset({"gateway", "is_updated", "jcloud"})

#: Ignored in a Flow's `with`, and of the gateway.
# fmt: off
IGNORED_OPTIONS = frozenset({
    "allow_concurrent", "asyncio", "compress", "compress_min_bytes", "compress_min_ratio",
    "compression", "connect_to_predecessor", "ctrl_with_ipc", "daemon", "default_swagger_ui",
    "deployments_addresses", "deployments_disable_reduce", "deployments_metadata",
    "deployments_no_reduce", "docker_kwargs", "dynamic_routing", "entrypoint",
    "expose_graphql_endpoint", "expose_public", "graph_conditions", "graph_description",
    "grpc_channel_options", "grpc_data_requests", "grpc_server_options", "host_in", "host_out",
    "hosts_in_connect", "http_proxy", "https", "identity", "infrastructure", "k8s_namespace",
    "log_config", "memory_hwm", "metrics", "metrics_exporter_host", "metrics_exporter_port",
    "monitoring", "native", "no_dynamic_routing", "polling", "port_ctrl", "port_in",
    "port_jinad", "port_monitoring", "port_out", "ports", "prefetch", "prefetch_on_recv",
    "protocols", "provider_endpoint", "proxy", "quiet", "quiet_error", "quiet_remote_logs",
    "reduce", "reload", "rest_api", "restart", "restful", "retries", "reuse_session",
    "routing_table", "runs_in_docker", "runtime_backend", "runtime_cls", "socket_in",
    "socket_out", "ssh_keyfile", "ssh_password", "ssh_server", "static_routing_table",
    "suppress_root_logging", "timeout_ctrl", "timeout_send", "tls", "traces_exporter_host",
    "traces_exporter_port", "tracing", "uses", "uvicorn_kwargs", "workspace_id", "zmq_identity",
})

#: Ignored in an executor of a Flow.
IGNORED_NODE = frozenset({
    "allow_concurrent", "compression", "connect_to_predecessor", "connection_list", "cors",
    "ctrl_with_ipc", "daemon", "default_swagger_ui", "deployment_role", "description",
    "disable_auto_volume", "disable_remote", "dynamic_routing",
    "dynamic_routing_in", "dynamic_routing_out", "env_from_secret",
    "exit_on_exceptions", "expose_public", "force", "force_network_mode", "force_update",
    "grpc_channel_options", "grpc_data_requests", "grpc_metadata", "grpc_server_options",
    "host_in", "host_out", "hosts_in_connect", "hosts_in_connections", "identity",
    "image_pull_secrets", "inspect", "install_requirements", "jcloud", "k8s_custom_resource_dir",
    "k8s_disable_connection_pool", "k8s_init_container_command", "k8s_mount_path", "k8s_namespace",
    "k8s_uses_init", "log_config", "memory_hwm", "metrics", "metrics_exporter_host",
    "metrics_exporter_port", "monitoring", "native", "no_dynamic_routing", "noblock_on_start",
    "num_part", "output_array_type", "pea_id", "pea_role", "peas_hosts", "peer_ports", "pod_role",
    "port", "port_ctrl", "port_expose", "port_in", "port_jinad", "port_monitoring", "port_out",
    "ports", "prefer_platform", "protocol", "protocols", "provider_endpoint", "proxy",
    "quiet", "quiet_error", "quiet_remote_logs", "raft_configuration", "read_only",
    "reduce", "reload", "replica_id", "rest_api", "restful", "routing_table", "runs_in_docker",
    "runtime", "runtime_backend", "runtime_cls", "scheduling", "shard_id", "socket_in",
    "socket_out", "ssh_keyfile", "ssh_password", "ssh_server", "ssl_certfile", "ssl_keyfile",
    "static_routing_table", "timeout_ctrl", "timeout_send", "title", "tls", "traces_exporter_host",
    "traces_exporter_port", "tracing", "upload_files", "uvicorn_kwargs", "with",
    "workspace_id", "zmq_identity",
})
# fmt: on

#: Ignored in an Executor's YAML.
IGNORED_EXECUTOR = frozenset({"is_updated", "runtime_args", "version"})

#: Ignored in the settings of dynamic batching.
IGNORED_BATCHING = frozenset({"custom_metric", "use_custom_metric"})

#: Values of refused keys that ask for nothing, so that they are accepted.
MEANS_NOTHING = (None, False, "", "0.0.0.0", "localhost", "127.0.0.1", "NONE")

#: Ignored keys of which something else does what was meant: what to do instead.
INSTEAD_OF_IGNORED = {
    **dict.fromkeys(CONTAINER_KEYS, "it applies to an executor with `uses: docker://IMAGE`"),
    "with": "put constructor arguments in `uses_with`",
    **dict.fromkeys(
        ("restful", "rest_api", "protocols"),
        "write `protocol: http` to serve HTTP; gRPC is not supported",
    ),
}

_PROVIDER = "SageMaker is not supported; start the Flow with `jina flow up`"
_STATEFUL = "replicas do not share state; write through one replica"
_OF_EACH = "set it on each executor"

#: Refused in an executor of a Flow, because they would change results: key -> what to do instead.
REFUSED_NODE = {
    "uses_before_address": "use `uses_before`",
    "uses_after_address": "use `uses_after`",
    "host": "use `external: true` and `jina executor serve` on the other machine",
    "when": "filter the Documents in the Executor",
    "deployment": "use `uses`",
    "provider": _PROVIDER,
    "stateful": _STATEFUL,
}

#: The same in a Flow's `with`: what Jina 2 handed on to each executor.
REFUSED_OPTIONS = {
    "replicas": _OF_EACH,
    "shards": _OF_EACH,
    "parallel": _OF_EACH,
    "uses_with": _OF_EACH,
    "uses_metas": _OF_EACH,
    "uses_requests": _OF_EACH,
    "floating": _OF_EACH,
    "stateful": _STATEFUL,
    "provider": _PROVIDER,
}
