"""A Flow as manifests of Kubernetes: plain YAML with comments, which a person can read and own.

The text is written here, not by a YAML library, so that it has comments and an order. Values of the
user are JSON, which is YAML too.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from hashlib import sha256
from textwrap import indent

from jina.export.ports import CLIENTS_PORT, HTTP_PORT, WORKERS_PORT
from jina.export.text import block, quoted
from jina.export.units import (
    FOLDER,
    Exported,
    Unit,
)

USER = 10001
"""Of the processes in the containers, and of their files."""
KEYS, API_KEYS = "/keys", "/api-keys/api.keys"
_GPU = "nvidia.com/gpu"
#: Keys of a ConfigMap have no slash.
_NOT_OF_A_KEY = re.compile(r"[^-._a-zA-Z0-9]")
_DIGITS = 10  # of the hash in the name of a ConfigMap
_POD_INDEX = "metadata.labels['apps.kubernetes.io/pod-index']"


def manifests(flow: Exported) -> dict[str, str]:
    """The manifests of a Flow without its Secrets: name of a file -> its text."""
    found = {"config.yaml": _config(flow), "gateway.yaml": _gateway(flow)}
    for unit in flow.units:
        found[unit_file(unit)] = _unit(flow, unit)
    return found


def unit_file(unit: Unit) -> str:
    """The file of one executor; none can have the name of the others."""
    return f"executor-{unit.name}.yaml"


def secrets(flow: Exported, data: Mapping[str, Mapping[str, bytes]]) -> str:
    """The Secrets of a Flow.

    Args:
        flow: the Flow.
        data: name without that of the Flow -> name of a file or a variable -> its bytes.
    """
    documents = []
    for name, values in data.items():
        lines = [f"  {key}: {base64.b64encode(values[key]).decode()}" for key in sorted(values)]
        top = head("v1", "Secret", f"{flow.flow}-{name}", flow)
        documents.append(f"{top}type: Opaque\ndata:\n" + "\n".join(lines) + "\n")
    comment = "# Secret: this file is enough to connect to the Flow. Keep it out of git.\n"
    return comment + "---\n".join(documents)


def secret_env(flow: Exported) -> dict[str, dict[str, bytes]]:
    """The variables that nobody may see, as `secrets` takes them."""
    owners = {"gateway": flow.secret_env, **{unit.name: unit.secret_env for unit in flow.units}}
    return {
        f"{name}-env": {key: value.encode() for key, value in env.items()}
        for name, env in owners.items()
        if env
    }


def config_name(flow: Exported) -> str:
    """The name of the ConfigMap: it changes with what is in it."""
    digest = sha256()
    for path, text in flow.files.items():
        for part in (path, text):
            digest.update(part.encode() + b"\0")
    return f"{flow.flow}-files-{digest.hexdigest()[:_DIGITS]}"


def labels_of(flow: Exported, unit: Unit | None, spaces: int) -> str:
    """The labels that select the pods of an executor, or those of the gateway."""
    lines = [f"app.kubernetes.io/name: {flow.flow}"]
    if unit is None:
        lines.append("app.kubernetes.io/component: gateway")
    else:
        lines += ["app.kubernetes.io/component: executor", f"jina/node: {quoted(unit.name)}"]
    return indent("\n".join(lines), " " * spaces)


def head(version: str, kind: str, name: str, flow: Exported) -> str:
    """The beginning of every manifest."""
    return f"""\
apiVersion: {version}
kind: {kind}
metadata:
  name: {name}
  labels:
    app.kubernetes.io/name: {flow.flow}
    app.kubernetes.io/managed-by: jina
"""


def _config_keys(flow: Exported) -> dict[str, str]:
    """Path of a file -> its key in the ConfigMap."""
    taken: dict[str, str] = {}
    for path in flow.files:
        key = _NOT_OF_A_KEY.sub("_", path)
        while key in taken.values():
            key += "_"
        taken[path] = key
    return taken


def _config(flow: Exported) -> str:
    keys = _config_keys(flow)
    lines = [f"  {keys[path]}: {block(text, 4)}" for path, text in flow.files.items()]
    top = head("v1", "ConfigMap", config_name(flow), flow)
    return f"""\
# The YAML of the Flow and of its Executors, and their modules. The name has a hash of the contents,
# so that changed files start new pods, and a rollback finds the old ones.
{top}immutable: true
data:
{chr(10).join(lines)}
"""


def _gateway(flow: Exported) -> str:
    name = f"{flow.flow}-gateway"
    command = flow.gateway_command(KEYS, API_KEYS)
    http_volume, http_mount = "", ""
    if flow.needs_api_key:
        http_mount = "\n            - {name: api-keys, mountPath: /api-keys, readOnly: true}"
        http_volume = _secret_volume("api-keys", f"{flow.flow}-api-keys")
    spec = f"""\
{_pod_head(flow, flow.gateway_grace_s)}
containers:
  - name: gateway
    image: {quoted(flow.image)}
    command: {_words(command)}
    workingDir: /tmp
    env:
{_environment({})}{_from_secret(flow, "gateway", flow.secret_env)}
    ports:
      - {{name: clients, containerPort: {CLIENTS_PORT}}}
      - {{name: workers, containerPort: {WORKERS_PORT}}}
      - {{name: http, containerPort: {HTTP_PORT}}}
    # It answers as long as it lives; a new gateway may take a minute to start.
    startupProbe:
      httpGet: {{path: /livez, port: http}}
      periodSeconds: 2
      failureThreshold: 60
    livenessProbe:
      httpGet: {{path: /livez, port: http}}
      periodSeconds: 10
      timeoutSeconds: 5
    # Ready once each executor has a worker.
    readinessProbe:
      httpGet: {{path: /readyz, port: http}}
      periodSeconds: 2
      timeoutSeconds: 5
{_resources(0, 0)}
{_container_security()}
    volumeMounts:
{_mounts(4)}{http_mount.replace("            ", "      ")}
volumes:
{_volumes(flow, f"{flow.flow}-gateway-keys")}{http_volume}"""
    return f"""\
# The gateway: clients and workers connect to it, and it serves HTTP. There is one: it knows which
# requests are in progress. If it is replaced, clients send again what has no answer yet.
{head("apps/v1", "StatefulSet", name, flow)}spec:
  replicas: 1
  serviceName: {name}
  selector:
    matchLabels:
{labels_of(flow, None, 6)}
  template:
    metadata:
      labels:
{labels_of(flow, None, 8)}
      annotations:
        prometheus.io/scrape: "true"
        prometheus.io/port: "{HTTP_PORT}"
        prometheus.io/path: /metrics
    spec:
{indent(spec, "      ").rstrip()}
---
# For workers, which connect before the gateway is ready: it is not ready without them.
{head("v1", "Service", name, flow)}spec:
  publishNotReadyAddresses: true
  selector:
{labels_of(flow, None, 4)}
  ports:
    - {{name: workers, port: {WORKERS_PORT}, targetPort: workers}}
---
# For clients: `jina post --address tcp://{flow.flow}:{CLIENTS_PORT}`, and HTTP.
{head("v1", "Service", flow.flow, flow)}spec:
  selector:
{labels_of(flow, None, 4)}
  ports:
    - {{name: clients, port: {CLIENTS_PORT}, targetPort: clients}}
    - {{name: http, port: {HTTP_PORT}, targetPort: http}}
"""


def _unit(flow: Exported, unit: Unit) -> str:
    name = f"{flow.flow}-{unit.name}"
    command = unit.command(f"{flow.flow}-gateway", KEYS, "$(SHARD)")
    shard = ""
    if unit.is_sharded:
        source = f"{{fieldRef: {{fieldPath: {quoted(_POD_INDEX)}}}}}"
        shard = f"\n      - {{name: SHARD, valueFrom: {source}}}"
    scratch = "" if unit.has_volume else "\n  - {name: workspace, emptyDir: {}}"
    spec = f"""\
{_pod_head(flow, unit.grace_s)}
containers:
  - name: executor
    image: {quoted(unit.image)}
    command: {_words(command)}
    workingDir: {quoted(flow.folder)}
    env:
{_environment(unit.env)}{_from_secret(flow, unit.name, unit.secret_env)}{shard}
{_resources(unit.cores, unit.gpus * unit.processes)}
{_container_security()}
    volumeMounts:
{_mounts(4)}
      - {{name: workspace, mountPath: /workspace}}
volumes:
{_volumes(flow, f"{flow.flow}-worker-keys")}{scratch}"""
    controller = _stateful(flow, unit, name) if unit.has_volume else _stateless(flow, unit, name)
    template = f"""\
  template:
    metadata:
      labels:
{labels_of(flow, unit, 8)}
    spec:
{indent(spec, "      ").rstrip()}
"""
    return f"""\
{controller}{template}{_claims(unit)}{_service(flow, unit)}---
# A drained machine, or another planned change, takes one pod at a time.
{head("policy/v1", "PodDisruptionBudget", name, flow)}spec:
  maxUnavailable: 1
  selector:
    matchLabels:
{labels_of(flow, unit, 6)}
"""


def _stateless(flow: Exported, unit: Unit, name: str) -> str:
    count = "" if flow.asked.max_replicas else f"  replicas: {unit.pods}\n"
    return f"""\
# The executor {unit.name}. It keeps no files, so that each pod is as good as another.
{head("apps/v1", "Deployment", name, flow)}spec:
{count}  selector:
    matchLabels:
{labels_of(flow, unit, 6)}
  strategy:
    rollingUpdate: {{maxUnavailable: 0, maxSurge: 1}}
"""


def _stateful(flow: Exported, unit: Unit, name: str) -> str:
    what = "Each pod has one shard: that of its number" if unit.is_sharded else "It keeps files"
    return f"""\
# The executor {unit.name}. {what}; a volume holds its workspace.
# No pod gets a volume that another one still has (ReadWriteOncePod).
{head("apps/v1", "StatefulSet", name, flow)}spec:
  replicas: {unit.pods}
  serviceName: {name}
  podManagementPolicy: Parallel
  selector:
    matchLabels:
{labels_of(flow, unit, 6)}
  # The volumes stay, also when the Flow is deleted: `kubectl delete pvc` removes them.
  persistentVolumeClaimRetentionPolicy: {{whenDeleted: Retain, whenScaled: Retain}}
"""


def _claims(unit: Unit) -> str:
    if not unit.has_volume:
        return ""
    return """\
  volumeClaimTemplates:
    - metadata:
        name: workspace
      spec:
        accessModes: [ReadWriteOncePod]
        resources:
          requests:
            storage: 10Gi # what its files need
"""


def _service(flow: Exported, unit: Unit) -> str:
    if not unit.has_volume:
        return ""
    return f"""\
---
# A StatefulSet must name a Service. Nobody connects to it: workers connect to the gateway.
{head("v1", "Service", f"{flow.flow}-{unit.name}", flow)}spec:
  clusterIP: None
  selector:
{labels_of(flow, unit, 4)}
"""


def _pod_head(flow: Exported, grace_s: int) -> str:
    return f"""\
# Time for requests in progress, and for close() of Executors, before the pod is killed.
terminationGracePeriodSeconds: {grace_s}
automountServiceAccountToken: false
enableServiceLinks: false # else Services become variables such as JINA_PORT
securityContext:
  runAsNonRoot: true
  runAsUser: {USER}
  runAsGroup: {USER}
  fsGroup: {USER}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {{type: RuntimeDefault}}"""


def _container_security() -> str:
    return """\
    securityContext:
      allowPrivilegeEscalation: false
      readOnlyRootFilesystem: true
      capabilities: {drop: [ALL]}"""


def _environment(env: Mapping[str, str]) -> str:
    rows = {
        "JINA_RUN_DIR": "/run/jina/run",
        "JINA_STATE_DIR": "/run/jina/state",
        "HOME": "/tmp",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        **env,
    }
    # In a value, Kubernetes replaces $(NAME).
    return "\n".join(
        f"      - {{name: {quoted(key)}, value: {quoted(value.replace('$(', '$$('))}}}"
        for key, value in rows.items()
    )


def _from_secret(flow: Exported, name: str, env: Mapping[str, str]) -> str:
    secret = f"{flow.flow}-{name}-env"
    return "".join(
        f"\n      - {{name: {key}, valueFrom: {{secretKeyRef: {{name: {secret}, key: {key}}}}}}}"
        for key in env
    )


def _resources(cores: int, gpus: int) -> str:
    if not cores and not gpus:
        return """\
    # What it needs is not known: set it, so that pods are placed where there is room.
    resources: {}"""
    requests = f"requests: {{cpu: {cores}}}" if cores else ""
    limits = f"limits: {{{_GPU}: {gpus}}}" if gpus else ""
    return f"    resources: {{{', '.join(filter(None, (requests, limits)))}}}"


def _mounts(spaces: int) -> str:
    rows = (
        f"- {{name: files, mountPath: {FOLDER}, readOnly: true}}",
        f"- {{name: keys, mountPath: {KEYS}, readOnly: true}}",
        "- {name: run, mountPath: /run/jina}",
        "- {name: tmp, mountPath: /tmp}",
    )
    return indent("\n".join(rows), " " * (spaces + 2))


def _volumes(flow: Exported, keys: str) -> str:
    items = "\n".join(
        f"        - {{key: {key}, path: {quoted(path)}}}"
        for path, key in _config_keys(flow).items()
    )
    return f"""\
  - name: files
    configMap:
      name: {config_name(flow)}
      items:
{items}{_secret_volume("keys", keys)}
  - {{name: run, emptyDir: {{}}}}
  - {{name: tmp, emptyDir: {{}}}}"""


def _secret_volume(name: str, secret: str) -> str:
    source = f"{{secretName: {secret}, optional: false, defaultMode: 0440}}"
    return f"\n  - {{name: {name}, secret: {source}}}"


def _words(words: Iterable[str]) -> str:
    return f"[{', '.join(map(quoted, words))}]"
