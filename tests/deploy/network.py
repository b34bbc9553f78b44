"""Who may speak to whom, read out of NetworkPolicies."""

from __future__ import annotations

from tests.deploy.rendered import WORKLOADS, Object, labels_of, of_kind, selects

COMPONENT = "app.kubernetes.io/component"
Edge = tuple[str, str, str]
"""Component of the pod, ``<-`` or ``->``, and the other side with the port."""


def denied_by_default(objects: list[Object]) -> bool:
    """Whether a policy about all pods lets nothing in or out."""
    return any(
        one["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
        for one in of_kind(objects, "NetworkPolicy")
    )


def edges(objects: list[Object]) -> set[Edge]:
    """Everything that is let through, for each workload."""
    found: set[Edge] = set()
    for policy in of_kind(objects, "NetworkPolicy"):
        spec = policy["spec"]
        for workload in of_kind(objects, *WORKLOADS):
            if not selects(spec["podSelector"], labels_of(workload)):
                continue
            who = labels_of(workload)[COMPONENT]
            for rule in spec.get("ingress", ()):
                found |= {(who, "<-", other) for other in _others(rule, "from", objects)}
            for rule in spec.get("egress", ()):
                found |= {(who, "->", other) for other in _others(rule, "to", objects)}
    return found


def _others(rule: Object, word: str, objects: list[Object]) -> set[str]:
    ports = [f"{one['protocol']} {one['port']}" for one in rule.get("ports", ())] or ["any port"]
    return {
        f"{side} {port}" for one in rule.get(word, [{}]) for side in _sides(one, objects) for port in ports
    }


def _sides(peer: Object, objects: list[Object]) -> list[str]:
    if "ipBlock" in peer:
        return [peer["ipBlock"]["cidr"]]
    if "namespaceSelector" in peer:
        (space,) = peer["namespaceSelector"].get("matchLabels", {"": "any namespace"}).values()
        pods = peer.get("podSelector", {}).get("matchLabels", {})
        return ["/".join([space, *pods.values()])]
    if "podSelector" not in peer:
        return ["anybody"]
    return [
        labels_of(one)[COMPONENT]
        for one in of_kind(objects, *WORKLOADS) if selects(peer["podSelector"], labels_of(one))
    ]  # fmt: skip
