"""Who may connect to whom in Kubernetes, how many replicas the load asks for, and what to apply."""

from __future__ import annotations

from collections.abc import Iterable

from jina.export.kubernetes import head, labels_of
from jina.export.ports import CLIENTS_PORT, HTTP_PORT, WORKERS_PORT
from jina.export.units import Exported

QUEUE = "jina_node_queue"
"""The metric of /metrics that says how many requests wait for a worker of an executor."""
_WAITING = 4  # requests for each replica, beyond which there are more replicas


def policies(flow: Exported) -> str:
    """The NetworkPolicies of a Flow."""
    return f"""\
# The gateway: workers of this Flow connect to it; clients and HTTP from wherever the cluster lets
# them in. It connects to nobody.
{head("networking.k8s.io/v1", "NetworkPolicy", f"{flow.flow}-gateway", flow)}spec:
  podSelector:
    matchLabels:
{labels_of(flow, None, 6)}
  policyTypes: [Ingress, Egress]
  ingress:
    - ports:
        - {{port: {CLIENTS_PORT}}}
        - {{port: {HTTP_PORT}}}
    - from:
        - podSelector:
            matchLabels:
              app.kubernetes.io/name: {flow.flow}
              app.kubernetes.io/component: executor
      ports:
        - {{port: {WORKERS_PORT}}}
  egress: []
---
# The executors: nobody connects to them, and they connect to the gateway alone. One that loads a
# model or data from elsewhere needs a rule for that: add it below.
{head("networking.k8s.io/v1", "NetworkPolicy", f"{flow.flow}-executors", flow)}spec:
  podSelector:
    matchLabels:
      app.kubernetes.io/name: {flow.flow}
      app.kubernetes.io/component: executor
  policyTypes: [Ingress, Egress]
  ingress: []
  egress:
    - to:
        - podSelector:
            matchLabels:
{labels_of(flow, None, 14)}
      ports:
        - {{port: {WORKERS_PORT}}}
    # Names of Services.
    - ports:
        - {{port: 53, protocol: UDP}}
        - {{port: 53, protocol: TCP}}
"""


def autoscalers(flow: Exported) -> str:
    """A HorizontalPodAutoscaler for each executor without files; "" if none may grow."""
    found = [
        f"""\
{head("autoscaling/v2", "HorizontalPodAutoscaler", f"{flow.flow}-{unit.name}", flow)}spec:
  scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: {flow.flow}-{unit.name}}}
  minReplicas: {min(unit.replicas, flow.asked.max_replicas)}
  maxReplicas: {flow.asked.max_replicas}
  metrics:
    - type: External
      external:
        metric:
          name: {QUEUE}
          selector: {{matchLabels: {{app_kubernetes_io_name: {flow.flow}, node: {unit.name}}}}}
        target: {{type: AverageValue, averageValue: {_WAITING}}}
"""
        for unit in flow.units
        if not unit.has_volume
    ]
    if not flow.asked.max_replicas or not found:
        return ""
    between = "---\n"
    return f"""\
# More replicas while requests wait. The metric {QUEUE} comes from /metrics of the gateway;
# something has to hand it to Kubernetes as an external metric, such as prometheus-adapter or KEDA.
{between.join(found)}"""


def kustomization(names: Iterable[str]) -> str:
    """What `kubectl apply -k` applies.

    Args:
        names: of the files.
    """
    rows = "\n".join(f"  - {name}" for name in names)
    return f"""\
# kubectl apply -k .
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
{rows}
"""
