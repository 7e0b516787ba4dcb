"""What the README.md beside the exported files says."""

from __future__ import annotations

from textwrap import fill

from jina.export.kubernetes import secret_env
from jina.export.ports import CLIENTS_PORT, HTTP_PORT
from jina.export.units import Exported

_BUILD = """\
The image needs Python and jina with its extra `http`, and the packages of the Executors. Their YAML
and modules are not in it; they are in {where}, with the text files that are named
in `with`. Larger files and models belong in the image. `jina flow export dockerfile` writes
a Dockerfile."""
_KEYS = """\
The keys in `keys/` were made by the first export and are never overwritten. `keys/client` is for
those who may post: copy the folder to their machines. `keys/worker` is enough to serve Executors,
and `keys/gateway` to pretend to be the Flow. {http}Keep
all of it out of git; the `.gitignore` here does. `jina keys new NAME --keys DIR` makes more keys:
copy NAME.pub to `keys/gateway`{again}."""
_OWNED = """\
Exporting again writes the same bytes if the Flow has not changed, and overwrites the files of an
export. If you edit these files, export into another folder and compare."""


def _for_http(flow: Exported) -> str:
    if not flow.needs_api_key:
        return ""
    return "`keys/http/api.keys` has the keys of HTTP, one in each line. "


def _curl(flow: Exported) -> str:
    key = "-H \"Authorization: Bearer $(grep -v '^#' keys/http/api.keys | head -1)\" "
    return f"curl {key if flow.needs_api_key else ''}localhost:{HTTP_PORT}/status"


def kubernetes_readme(flow: Exported) -> str:
    """The README.md of Kubernetes manifests."""
    rows = [f"| gateway | StatefulSet `{flow.flow}-gateway` of one, with HTTP | |"]
    for unit in flow.units:
        kind = "StatefulSet" if unit.has_volume else "Deployment"
        volume = "a volume for each pod, kept" if unit.has_volume else "no files"
        runs = f"{kind} `{flow.flow}-{unit.name}`, {_pods(unit.pods)}"
        rows.append(f"| {unit.name} | {runs} | {volume} |")
    keys = _KEYS.format(http=_for_http(flow), again=", and export again")
    secrets = f"The Secrets are in `secrets.yaml`, made from `keys/`. {keys}"
    if not flow.asked.with_secrets:
        names = [f"{flow.flow}-gateway-keys", f"{flow.flow}-worker-keys"]
        names += [f"{flow.flow}-api-keys"] if flow.needs_api_key else []
        names += [f"{flow.flow}-{name}" for name in secret_env(flow)]
        secrets = f"The Secrets must exist in the cluster: {', '.join(f'`{n}`' for n in names)}."
    scaled = ""
    if flow.asked.max_replicas:
        scaled = (
            "\n`autoscaling.yaml` needs something that hands `jina_node_queue` to Kubernetes as an "
            "external metric. Without\nit, replicas stay as they are.\n"
        )
    metrics = " Prometheus needs a key of HTTP to read /metrics." if flow.needs_api_key else ""
    return (
        _filled(f"""\
# {flow.flow} on Kubernetes

```sh
kubectl apply -k .
kubectl rollout status statefulset/{flow.flow}-gateway
kubectl port-forward service/{flow.flow} {CLIENTS_PORT} {HTTP_PORT}
```

Then `jina post ENDPOINT --address tcp://localhost:{CLIENTS_PORT} --keys keys/client`, or
`{_curl(flow)}`. `kubectl delete -k .` removes everything but the volumes.

| executor | runs as | files |
|---|---|---|
{chr(10).join(rows)}

An executor has a volume if it has shards, names a `workspace` in the YAML, or uses `self.workspace`
in its modules. Set its size in `volumeClaimTemplates`. Kubernetes 1.29 or later is needed: pods
learn their shard from the label `apps.kubernetes.io/pod-index`, and volumes are ReadWriteOncePod.

{_BUILD.format(where="the ConfigMap of `config.yaml`")}

{secrets}
{scaled}
The NetworkPolicies let workers connect to the gateway alone. An Executor that loads a model or data
from elsewhere needs a rule in `network.yaml`. They take effect only if the network of the cluster
enforces them.{metrics}

{_OWNED}""")
        + "\n"
    )


def compose_readme(flow: Exported) -> str:
    """The README.md of a compose file."""
    return (
        _filled(f"""\
# {flow.flow} with compose

```sh
docker compose up --wait
jina post ENDPOINT --address tcp://localhost:{CLIENTS_PORT} --keys keys/client
docker compose down
```

HTTP: `{_curl(flow)}`. Only this machine can connect; `JINA_HOST` in `.env` changes that.

{_BUILD.format(where="`flow/`")}

{_KEYS.format(http=_for_http(flow), again="")} The containers run as the user who
exported, or, if that is root, as user 10001, who then owns the keys.

{_OWNED}""")
        + "\n"
    )


def _filled(text: str) -> str:
    """The text with the lines of each paragraph filled; code and tables stay as they are."""
    paragraphs = text.split("\n\n")
    return "\n\n".join(
        part if part.startswith(("#", "|", "`" * 3)) else _paragraph(part) for part in paragraphs
    )


def _paragraph(text: str) -> str:
    return fill(" ".join(text.split()), 100, break_long_words=False, break_on_hyphens=False)


def _pods(count: int) -> str:
    return f"{count} pod{'' if count == 1 else 's'}"
