"""More keys of Jina 2.0.24, 2.6.4 and 3.34 that have no meaning here, or are refused.

`schema.py` has those that stand nearest to what works; docs/migrating.md has all of them.
"""

from __future__ import annotations

#: Ignored in a Flow's `with`.
# fmt: off
OPTIONS = frozenset({
    "compression", "connect_to_predecessor", "ctrl_with_ipc", "daemon", "default_swagger_ui",
    "docker_kwargs", "dynamic_routing", "entrypoint", "graph_conditions", "grpc_channel_options",
    "hosts_in_connect", "https", "infrastructure", "native", "no_dynamic_routing", "port_ctrl",
    "deployments_disable_reduce", "port_jinad", "provider_endpoint", "reduce", "rest_api",
    "restful", "reuse_session",
    "routing_table", "runs_in_docker", "runtime_cls", "socket_in", "socket_out", "ssh_keyfile",
    "ssh_password", "ssh_server", "workspace_id", "zmq_identity",
})

#: Ignored in an executor of a Flow.
NODE = frozenset({
    "connect_to_predecessor", "default_swagger_ui", "disable_remote", "dynamic_routing",
    "dynamic_routing_in", "dynamic_routing_out", "env_from_secret", "force_network_mode",
    "grpc_data_requests", "grpc_metadata", "hosts_in_connect", "image_pull_secrets", "jcloud",
    "k8s_custom_resource_dir", "k8s_disable_connection_pool", "k8s_init_container_command",
    "k8s_mount_path", "k8s_uses_init", "no_dynamic_routing", "peer_ports", "port_jinad",
    "protocol", "protocols", "provider_endpoint", "proxy", "raft_configuration", "read_only",
    "reduce", "replica_id", "rest_api", "restful", "routing_table", "runs_in_docker", "runtime",
    "shard_id",
    "ssl_certfile", "ssl_keyfile", "static_routing_table", "title", "uvicorn_kwargs", "with",
    "zmq_identity",
})
# fmt: on

#: Ignored keys of which something else does what was meant: what to do instead.
INSTEAD_OF_IGNORED = {
    "with": "what its constructor takes stands in `uses_with`",
    **dict.fromkeys(
        ("host", "port", "port_expose", "protocol", "restful", "rest_api"),
        "nothing speaks HTTP or gRPC yet; `jina flow up --port` listens on tcp",
    ),
}

_PROVIDER = "nothing is served for SageMaker; start the Flow with `jina flow up`"
_STATEFUL = "replicas share no state here; write through one replica"
_OF_EACH = "say it of each executor"

#: Refused in an executor of a Flow: key -> what to do instead.
REFUSED_NODE = {
    "deployment": "name its Executor in `uses`",
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
