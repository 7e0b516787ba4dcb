"""Start the pods of exported manifests with podman, as far as its version 4.3 can.

It has neither Services nor controllers, so that this file is both: a pod for each replica, and the
address of the gateway in /etc/hosts. What else it does not do is done here, too: it takes no folder
in the paths of a ConfigMap, gives the files of Secrets to everybody, and replaces no variable in a
command. The containers themselves are started as the manifests say.
"""

from __future__ import annotations

import base64
import copy
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.containers.engine import printed
from tests.export.linter import Manifest, manifests

_READABLE_BY = 10001  # the group of the containers


class Pods:
    """The pods of one export.

    Args:
        folder: that was exported.
        scratch: for the files of volumes.
        address: free, in the network "podman"; that of the gateway.
    """

    def __init__(self, folder: Path, scratch: Path, address: str) -> None:
        self.address = address
        self._found = manifests(folder)
        self._scratch = scratch
        self.names: list[str] = []

    def start(self) -> None:
        """Start all, first those of the gateway."""
        pods = [pod for each in self._found for pod in self._pods_of(each)]
        pods.sort(key=lambda pod: "gateway" not in pod["metadata"]["name"])
        for pod in pods:
            name = pod["metadata"]["name"]
            file = self._scratch / f"{name}.yaml"
            file.write_text(yaml.safe_dump(pod))
            self.names.append(name)
            fixed = ("--ip", self.address) if "gateway" in name else ()
            podman("kube", "play", "--network", "podman", *fixed, str(file))

    def stop(self, name: str) -> int:
        """Stop a pod as Kubernetes does, and return the exit code of its container."""
        pod = next(pod for each in self._found for pod in self._pods_of(each) if _is(pod, name))
        grace_s = pod["spec"]["terminationGracePeriodSeconds"]
        podman("pod", "stop", "--time", str(grace_s), name)
        return int(podman("inspect", "--format", "{{.State.ExitCode}}", self.container(name)))

    def container(self, name: str) -> str:
        """The name of the only container of a pod."""
        return f"{name}-{'gateway' if 'gateway' in name else 'executor'}"

    def remove(self) -> None:
        """Remove all, whatever they do."""
        for name in self.names:
            podman("pod", "rm", "--force", "--time", "0", name)

    def logs(self) -> str:
        """What all of them have printed."""
        return "\n".join(podman("logs", self.container(name)) for name in self.names)

    def _pods_of(self, each: Manifest) -> Iterator[Manifest]:
        if each["kind"] in ("Deployment", "StatefulSet"):
            for number in range(each["spec"]["replicas"]):
                yield self._pod(each, number)

    def _pod(self, each: Manifest, number: int) -> Manifest:
        """One pod of a controller."""
        pod = copy.deepcopy(each["spec"]["template"]) | {"apiVersion": "v1", "kind": "Pod"}
        name = pod["metadata"]["name"] = f"{each['metadata']['name']}-{number}"
        gateway = f"{each['metadata']['labels']['app.kubernetes.io/name']}-gateway"
        spec = pod["spec"]
        spec["hostAliases"] = [{"ip": self.address, "hostnames": [gateway]}]
        for container in spec["containers"]:
            words = container["command"]
            container["command"] = [word.replace("$(SHARD)", str(number)) for word in words]
            container["env"] = [self._variable(env, number) for env in container["env"]]
        templates = each["spec"].get("volumeClaimTemplates", [])
        claims = [claim["metadata"]["name"] for claim in templates]
        volumes = [*spec["volumes"], *({"name": claim} for claim in claims)]
        spec["volumes"] = [self._volume(volume, name, claims) for volume in volumes]
        return dict(pod)

    def _variable(self, variable: dict[str, Any], number: int) -> dict[str, Any]:
        source = variable.get("valueFrom", {})
        if "fieldRef" in source:
            return {"name": variable["name"], "value": str(number)}
        if "secretKeyRef" in source:
            ref = source["secretKeyRef"]
            value = base64.b64decode(self._data("Secret", ref["name"])[ref["key"]]).decode()
            return {"name": variable["name"], "value": value}
        return variable

    def _volume(self, volume: dict[str, Any], pod: str, claims: list[str]) -> dict[str, Any]:
        name = volume["name"]
        folder = self._scratch / "volumes" / name
        if "configMap" in volume:
            data = self._data("ConfigMap", volume["configMap"]["name"])
            items = {
                item["path"]: data[item["key"]].encode() for item in volume["configMap"]["items"]
            }
        elif "secret" in volume:
            folder = folder / volume["secret"]["secretName"]
            data = self._data("Secret", volume["secret"]["secretName"])
            items = {key: base64.b64decode(value) for key, value in data.items()}
        elif name in claims:
            folder, items = folder / pod, {}
        else:
            return volume
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in items.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(text)
            if "secret" in volume:
                (folder / path).chmod(volume["secret"]["defaultMode"])
                os.chown(folder / path, 0, _READABLE_BY)
        if name in claims:
            os.chown(folder, _READABLE_BY, _READABLE_BY)
        return {"name": name, "hostPath": {"path": str(folder), "type": "Directory"}}

    def _data(self, kind: str, name: str) -> dict[str, str]:
        found = (m for m in self._found if m["kind"] == kind and m["metadata"]["name"] == name)
        return dict(next(found)["data"])


def podman(*words: str) -> str:
    """Run podman, and return what it prints."""
    return printed("podman", *words)


def _is(pod: Manifest, name: str) -> bool:
    return bool(pod["metadata"]["name"] == name)
