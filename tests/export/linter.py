"""What a schema of Kubernetes cannot see: whether the manifests of an export fit each other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

Manifest = dict[str, Any]
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_WORKLOADS = ("Deployment", "StatefulSet")


def manifests(folder: Path) -> list[Manifest]:
    """Every manifest that the kustomization of a folder lists, in its order."""
    names = yaml.safe_load((folder / "kustomization.yaml").read_text())["resources"]
    found = [yaml.safe_load_all((folder / name).read_text()) for name in names]
    return [manifest for file in found for manifest in file]


def faults(found: list[Manifest]) -> list[str]:
    """What does not fit, as sentences."""
    return [
        f"{each['kind']} {each['metadata']['name']}: {fault}"
        for each in found
        for fault in _faults_of(each, found)
    ]


def _faults_of(each: Manifest, found: list[Manifest]) -> Iterator[str]:
    name = each["metadata"]["name"]
    if not _LABEL.fullmatch(name) or len(name) > 63:
        yield "its name is not a label"
    if sum(_is(other, each["kind"], name) for other in found) > 1:
        yield "another one has its name"
    spec = each.get("spec", {})
    if each["kind"] in _WORKLOADS:
        yield from _workload(each, found)
    elif each["kind"] == "Service":
        yield from _service(spec, found)
    elif each["kind"] == "PodDisruptionBudget" and not _selected(spec["selector"], found):
        yield "it selects no pods"
    elif each["kind"] == "NetworkPolicy":
        yield from _policy(spec, found)
    elif each["kind"] == "HorizontalPodAutoscaler":
        target = spec["scaleTargetRef"]
        owner = [other for other in found if _is(other, target["kind"], target["name"])]
        if not owner or "replicas" in owner[0]["spec"]:
            yield "its target does not exist, or has replicas of its own"
        if spec["minReplicas"] > spec["maxReplicas"]:
            yield "its limits are the wrong way around"


def _is(other: Manifest, kind: str, name: str) -> bool:
    return bool(other["kind"] == kind and other["metadata"]["name"] == name)


def _labels(workload: Manifest) -> dict[str, str]:
    return dict(workload["spec"]["template"]["metadata"]["labels"])


def _selected(selector: dict[str, Any], found: list[Manifest]) -> list[Manifest]:
    wanted = selector.get("matchLabels", {}).items()
    workloads = [each for each in found if each["kind"] in _WORKLOADS]
    return [each for each in workloads if wanted <= _labels(each).items()]


def _workload(each: Manifest, found: list[Manifest]) -> Iterator[str]:
    spec = each["spec"]
    selected = _selected(spec["selector"], found)
    if [other["metadata"]["name"] for other in selected] != [each["metadata"]["name"]]:
        yield "its selector does not select its own pods, and no others"
    claims = [claim["metadata"]["name"] for claim in spec.get("volumeClaimTemplates", [])]
    if each["kind"] == "StatefulSet":
        if not any(_is(other, "Service", spec["serviceName"]) for other in found):
            yield "its Service does not exist"
        if claims and spec["persistentVolumeClaimRetentionPolicy"]["whenDeleted"] != "Retain":
            yield "its volumes are deleted with it"
        for claim in spec.get("volumeClaimTemplates", []):
            if claim["spec"]["accessModes"] != ["ReadWriteOncePod"]:
                yield "two pods may have one volume"
    pod = spec["template"]["spec"]
    yield from _references(pod, claims, found)
    yield from _security(pod)
    for container in pod["containers"]:
        yield from _container(container, pod, claims)
    if each["metadata"]["name"].endswith("-gateway"):
        probes = pod["containers"][0].keys() & {"livenessProbe", "readinessProbe", "startupProbe"}
        if len(probes) < 3:
            yield "a probe is missing"
        if spec["replicas"] != 1:
            yield "there may be one gateway only"
    if pod["terminationGracePeriodSeconds"] < 45:
        yield "it is killed before it has stopped"


def _references(pod: Manifest, claims: list[str], found: list[Manifest]) -> Iterator[str]:
    """Secrets and ConfigMaps exist, with the keys that are asked for."""
    for volume in pod["volumes"]:
        if "secret" in volume and not _data(found, "Secret", volume["secret"]["secretName"]):
            yield f"the Secret of {volume['name']} does not exist"
        if "configMap" in volume:
            data = _data(found, "ConfigMap", volume["configMap"]["name"])
            items = {item["key"] for item in volume["configMap"]["items"]}
            if items != data:
                yield f"the ConfigMap of {volume['name']} has other keys"
        if volume["name"] in claims:
            yield f"{volume['name']} is a claim and a volume"
    for container in pod["containers"]:
        for variable in container["env"]:
            ref = variable.get("valueFrom", {}).get("secretKeyRef")
            if ref and ref["key"] not in _data(found, "Secret", ref["name"]):
                yield f"the Secret of {variable['name']} does not have it"


def _data(found: list[Manifest], kind: str, name: str) -> set[str]:
    return {key for each in found if _is(each, kind, name) for key in each["data"]}


def _security(pod: Manifest) -> Iterator[str]:
    context = pod["securityContext"]
    if not context["runAsNonRoot"] or not context["runAsUser"]:
        yield "it may be root"
    if context["seccompProfile"] != {"type": "RuntimeDefault"}:
        yield "it may make any system call"
    if pod["automountServiceAccountToken"]:
        yield "it can talk to Kubernetes"


def _container(container: Manifest, pod: Manifest, claims: list[str]) -> Iterator[str]:
    context = container["securityContext"]
    if not context["readOnlyRootFilesystem"] or context["allowPrivilegeEscalation"]:
        yield "it can change its image, or become root"
    if context["capabilities"] != {"drop": ["ALL"]}:
        yield "it has capabilities"
    volumes = [volume["name"] for volume in pod["volumes"]] + claims
    mounted = [mount["name"] for mount in container["volumeMounts"]]
    if sorted(volumes) != sorted(mounted):
        yield "its volumes are not those that are mounted"
    ports = {port["name"] for port in container.get("ports", [])}
    for key, probe in container.items():
        if key.endswith("Probe") and probe["httpGet"]["port"] not in ports:
            yield f"the port of {key} does not exist"
    names = [variable["name"] for variable in container["env"]]
    asked = {word[2:-1] for word in container["command"] if word.startswith("$(")}
    if not asked <= set(names) or len(names) != len(set(names)):
        yield "a variable of its command does not exist, or one exists twice"


def _service(spec: Manifest, found: list[Manifest]) -> Iterator[str]:
    selected = _selected({"matchLabels": spec["selector"]}, found)
    if len(selected) != 1:
        yield "it does not select the pods of one executor"
        return
    containers = selected[0]["spec"]["template"]["spec"]["containers"]
    named = {port["name"]: port for each in containers for port in each.get("ports", [])}
    for port in spec.get("ports", []):
        target = named.get(port["targetPort"])
        if target is None or target["containerPort"] != port["port"]:
            yield f"port {port['name']} leads nowhere"


def _policy(spec: Manifest, found: list[Manifest]) -> Iterator[str]:
    if not _selected(spec["podSelector"], found):
        yield "it selects no pods"
    peers = [*spec.get("ingress", []), *spec.get("egress", [])]
    for rule in peers:
        for peer in [*rule.get("from", []), *rule.get("to", [])]:
            if not _selected(peer["podSelector"], found):
                yield "a rule selects no pods"
