"""A Flow as a compose file, for one machine with docker or podman."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import indent

from jina.export.ports import CLIENTS_PORT, HTTP_PORT
from jina.export.text import quoted
from jina.export.units import FOLDER, Exported, Unit

_KEYS, _API_KEYS = "/keys", "/run/secrets/api-keys"


def compose(flow: Exported) -> str:
    """The compose file of a Flow."""
    services = [_gateway(flow)]
    volumes = []
    for unit in flow.units:
        for shard in range(unit.shards):
            services.append(_unit(flow, unit, shard))
            volumes += [f"  {_service(unit, shard)}: {{}}"] if unit.has_volume else []
    kept = "# They stay until `docker compose down --volumes`.\nvolumes:\n" + "\n".join(volumes)
    secrets = ""
    if flow.needs_api_key:
        secrets = "secrets:\n  api-keys: {file: keys/http/api.keys}\n"
    return f"""\
# docker compose up --wait; docker compose down
name: {flow.flow}
services:
{chr(10).join(services)}
{kept + chr(10) if volumes else ""}{secrets}"""


def variables(user: str) -> str:
    """The file `.env`, which compose reads.

    Args:
        user: number of the user and of the group that may read the keys: "1000:1000".
    """
    return f"""\
# The user of the containers: the one that may read the keys.
JINA_USER={user}
# Where this machine is reached: 0.0.0.0 lets other machines in.
JINA_HOST=127.0.0.1
JINA_PORT={CLIENTS_PORT}
JINA_HTTP_PORT={HTTP_PORT}
"""


def _gateway(flow: Exported) -> str:
    command = [word.replace("$", "$$") for word in flow.gateway_command(_KEYS, _API_KEYS)]
    secrets = "\n    secrets: [api-keys]" if flow.needs_api_key else ""
    # Python is in every image, curl is not.
    probe = (
        f"import urllib.request as u; u.urlopen('http://127.0.0.1:{HTTP_PORT}/readyz', timeout=5)"
    )
    return f"""\
  # Clients and workers connect to the gateway, and it serves HTTP.
  gateway:
    image: {quoted(flow.image)}
    command: [{", ".join(map(quoted, command))}]
    working_dir: /tmp
{_common(flow.gateway_grace_s, flow.secret_env, "gateway")}{secrets}
    ports:
      - "${{JINA_HOST:-127.0.0.1}}:${{JINA_PORT:-{CLIENTS_PORT}}}:{CLIENTS_PORT}"
      - "${{JINA_HOST:-127.0.0.1}}:${{JINA_HTTP_PORT:-{HTTP_PORT}}}:{HTTP_PORT}"
    # Healthy once each executor has a worker.
    healthcheck:
      test: [CMD, python3, -c, {quoted(probe)}]
      interval: 5s
      timeout: 10s
      retries: 3
      start_period: 120s
"""


def _service(unit: Unit, shard: int) -> str:
    return f"{unit.name}-{shard}" if unit.is_sharded else unit.name


def _unit(flow: Exported, unit: Unit, shard: int) -> str:
    command = [word.replace("$", "$$") for word in unit.command("gateway", _KEYS, str(shard))]
    about = f" Shard {shard}." if unit.is_sharded else ""
    count = unit.pods if not unit.has_volume else 1
    deploy = [f"replicas: {count}"] if count > 1 else []
    if unit.gpus or unit.cores:
        deploy.append(f"resources: {{reservations: {{{_reservations(unit)}}}}}")
    deployed = f"\n    deploy: {{{', '.join(deploy)}}}" if deploy else ""
    workspace = ""
    if unit.has_volume:
        workspace = f"\n      - {_service(unit, shard)}:/workspace"
    else:
        deployed += "\n    tmpfs: [/tmp, /workspace]"
    env = {**unit.env, **unit.secret_env}
    common = _common(unit.grace_s, env, "worker", tmpfs=unit.has_volume)
    return f"""\
  # The executor {unit.name}.{about}
  {_service(unit, shard)}:
    image: {quoted(unit.image)}
    command: [{", ".join(map(quoted, command))}]
    working_dir: {quoted(flow.folder)}
{common}{workspace}{deployed}
"""


def _reservations(unit: Unit) -> str:
    rows = []
    if unit.cores:
        rows.append(f'cpus: "{unit.cores}"')
    if unit.gpus:
        rows.append(f"devices: [{{driver: nvidia, count: {unit.gpus}, capabilities: [gpu]}}]")
    return ", ".join(rows)


def _common(grace_s: int, env: Mapping[str, str], role: str, *, tmpfs: bool = True) -> str:
    """What all containers have; it ends in the list of volumes."""
    rows = {
        "JINA_RUN_DIR": "/tmp/jina-run",
        "JINA_STATE_DIR": "/tmp/jina-state",
        "HOME": "/tmp",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        **env,
    }
    values = "\n".join(
        f"{quoted(key)}: {quoted(value.replace('$', '$$'))}" for key, value in rows.items()
    )
    return f"""\
    environment:
{indent(values, " " * 6)}
    user: "${{JINA_USER:-1000:1000}}"
    init: true # processes that an Executor leaves behind are reaped
    restart: unless-stopped
    # Time for requests in progress, and for close() of Executors.
    stop_grace_period: {grace_s}s
    read_only: true
    cap_drop: [ALL]
    security_opt: ["no-new-privileges:true"]
{"    tmpfs: [/tmp]" + chr(10) if tmpfs else ""}    volumes:
      - ./flow:{FOLDER}:ro
      - ./keys/{role}:{_KEYS}:ro"""
