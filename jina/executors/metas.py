"""What `self.metas` and `self.runtime_args` hold when nobody says otherwise."""

from __future__ import annotations

from typing import Any


def get_default_metas() -> dict[str, Any]:
    """The four documented fields, all empty. The name of an Executor falls back to its class."""
    return {"name": "", "description": "", "workspace": "", "py_modules": ""}


def get_default_runtime_args() -> dict[str, Any]:
    """Every field that Jina 2.0 documents, with its default there.

    Fields that have no meaning here (ports, Docker, SSH) are None or what they always were, so
    that code that reads them still works. `replica_id` is None unless there are replicas.
    """
    return {
        "name": None,
        "description": None,
        "workspace": None,
        "log_config": None,
        "quiet": False,
        "quiet_error": False,
        "identity": None,
        "port_ctrl": None,
        "ctrl_with_ipc": False,
        "timeout_ctrl": 5000,
        "ssh_server": None,
        "ssh_keyfile": None,
        "ssh_password": None,
        "uses": None,
        "py_modules": None,
        "port_in": None,
        "port_out": None,
        "host_in": "0.0.0.0",
        "host_out": "0.0.0.0",
        "socket_in": None,
        "socket_out": None,
        "memory_hwm": -1,
        "on_error_strategy": "IGNORE",
        "num_part": 1,
        "entrypoint": None,
        "docker_kwargs": None,
        "pull_latest": False,
        "volumes": None,
        "host": "0.0.0.0",
        "port_expose": None,
        "quiet_remote_logs": False,
        "upload_files": [],
        "workspace_id": None,
        "dump_path": "",
        "daemon": False,
        "runtime_backend": "PROCESS",
        "runtime_cls": None,
        "timeout_ready": 600000,
        "env": None,
        "expose_public": False,
        "pea_id": 0,
        "shard_id": 0,
        "replica_id": None,
        "pea_role": "SINGLETON",
        "noblock_on_start": False,
        "uses_before": None,
        "uses_after": None,
        "parallel": 1,
        "shards": 1,
        "replicas": 1,
        "polling": "ANY",
        "scheduling": "LOAD_BALANCE",
        "pod_role": "POD",
        "peas_hosts": None,
    }
