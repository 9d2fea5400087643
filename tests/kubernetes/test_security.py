"""What the rendered pods may do: user, filesystem, secrets, tokens, network."""

from __future__ import annotations

import json
import re
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

import pytest

from tests.kubernetes import chart
from tests.kubernetes.chart import environment

if TYPE_CHECKING:
    from tests.kubernetes.chart import Manifest, Rendered

pytestmark = pytest.mark.kubernetes

HOME = "/opt/airflow"
NO_DATABASE = "postgresql+psycopg://worker@workers-have-no-access/none"


def secrets(node: Any) -> set[tuple[str, str | None]]:
    """Return the secrets that a manifest refers to, with the key; None is all keys."""
    if isinstance(node, list):
        return {found for item in node for found in secrets(item)}
    if not isinstance(node, dict):
        return set()
    found = {pair for value in node.values() for pair in secrets(value)}
    for name, value in node.items():
        if name == "secretKeyRef":
            found.add((value["name"], value["key"]))
        elif name == "secretRef":
            found.add((value["name"], None))
        elif name == "secret":  # in a volume
            found |= {(value.get("name") or value["secretName"], item["key"]) for item in value["items"]}
        elif name == "secretName" and isinstance(value, str):
            found |= {(value, "tls.crt"), (value, "tls.key")}
    return found


def selected(manifest: Manifest, rendered: Rendered) -> set[str]:
    """Return the workloads whose pods a policy or a budget selects."""
    selector = manifest["spec"].get("podSelector") or manifest["spec"]["selector"]
    assert set(selector) == {"matchLabels"}
    return {found.name for found in rendered.workloads if selector["matchLabels"].items() <= found.labels.items()}


def test_pods_are_restricted(rendered: Rendered):
    """As the Pod Security Standard requires: https://kubernetes.io/docs/concepts/security/pod-security-standards/."""
    assert {"airflow-scheduler", "airflow-api-server"} < {workload.name for workload in rendered.workloads}
    for workload in rendered.workloads:
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(workload.spec)
        context = workload.spec["securityContext"]
        assert context["runAsNonRoot"] is True
        assert context["runAsUser"] > 0
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}
        assert all({"name", "mountPath"} <= set(mount) for c in workload.containers for mount in c["volumeMounts"])
        kinds = {kind for volume in workload.spec.get("volumes", ()) for kind in volume if kind != "name"}
        assert kinds <= {"configMap", "emptyDir", "projected"}
    for workload, container in rendered.containers:
        where = f"{workload.name}: {container['name']}"
        expected = {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        }
        assert container["securityContext"] == expected, where


def test_containers_have_requests_and_limits(rendered: Rendered):
    for workload, container in rendered.containers:
        where = f"{workload.name}: {container['name']}"
        assert set(container["resources"]["requests"]) == {"cpu", "memory"}, where
        # No limit of CPU: it would slow down a container also if the node is idle.
        assert set(container["resources"]["limits"]) == {"memory"}, where


def test_what_is_written_is_on_volumes_with_a_limit(rendered: Rendered):
    for workload, container in rendered.containers:
        where = f"{workload.name}: {container['name']}"
        volumes = {volume["name"]: volume for volume in workload.spec.get("volumes", ())}
        mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
        assert len(mounts) == len(container["volumeMounts"]), where  # Kubernetes rejects the same path twice
        if workload.is_airflow:
            assert volumes[mounts["/tmp"]]["emptyDir"]["sizeLimit"], where  # noqa: S108
            if container["name"] != "wait-for-airflow-migrations":  # logs to standard output only
                assert volumes[mounts[f"{HOME}/logs"]]["emptyDir"]["sizeLimit"], where
            assert set(mounts.values()) <= set(volumes), where
        else:
            assert mounts == {"/data": "redis-db"}, where


def test_no_secret_is_rendered(rendered: Rendered):
    assert not rendered.of_kind("Secret")
    for workload, container in rendered.containers:
        names = [entry["name"] for entry in container.get("env") or ()]
        assert len(names) == len(set(names)), (
            f"{workload.name}: {container['name']}"
        )  # the last one would win, silently
        for name, value in environment(container).items():
            if re.search(r"PASSWORD|SECRET|KEY|CONN(?!ECTION)|BROKER|BACKEND", name) and isinstance(value, str):
                assert value == NO_DATABASE or name.endswith("_CMD") or "POOL" in name, name
    assert not re.search(
        r"(password|secret_key)\s*[=:]\s*\S|://\S+:\S+@", json.dumps(rendered.of_kind("ConfigMap")), re.IGNORECASE
    )
    assert "in the secret" not in json.dumps(rendered.manifests)  # what the notes show instead of a password


def test_the_readme_creates_the_secrets(rendered: Rendered):
    text = (chart.FOLDER / "README.md").read_text().replace("\\\n", "")
    created: set[tuple[str, str | None]] = set()
    for kind, name, rest in re.findall(r"^kubectl create secret (generic|tls) (\S+)(.*)$", text, re.MULTILINE):
        created |= {(name, key) for key in re.findall(r"--from-(?:literal|file)=(\w[\w.-]*)=", rest)}
        created |= {(name, None)} | ({(name, "tls.crt"), (name, "tls.key")} if kind == "tls" else set())
    assert secrets(rendered.manifests) | secrets(rendered.pod_template) <= created
    used = {name for name, _ in secrets(rendered.manifests) | secrets(rendered.pod_template)}
    if rendered.variant == "celery":
        assert {name for name, _ in created} == used
    assert {f"AIRFLOW_CONN_{name}" for name in ("REDSHIFT", "AWS")} <= {key for _, key in created if key}


def test_tasks_have_no_secret_of_airflow(rendered: Rendered):
    """As in docker-compose.yaml: neither the database, nor the key of its secrets, nor that of the API's tokens."""
    for workload, container in rendered.containers:
        if not workload.is_airflow or container["name"].endswith("-log-groomer"):
            continue
        found = environment(container)
        mounted = {mount["mountPath"] for mount in container["volumeMounts"]}
        assert not {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "AIRFLOW__CORE__FERNET_KEY"} & {
            name for name, value in found.items() if value != NO_DATABASE
        }
        if workload.component == "worker":
            assert found["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] == NO_DATABASE
            assert "/etc/sparkify" not in mounted
            assert "AIRFLOW__API_AUTH__JWT_SECRET" not in found
        else:
            assert found["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_CMD"] == "cat /etc/sparkify/connection"
            assert found["AIRFLOW__CORE__FERNET_KEY_CMD"] == "cat /etc/sparkify/fernet-key"
            volume = next(volume for volume in workload.spec["volumes"] if volume["name"] == "secrets")
            paths = [item["path"] for source in volume["projected"]["sources"] for item in source["secret"]["items"]]
            assert "/etc/sparkify" in mounted
            assert paths == ["connection", "fernet-key"]
            assert volume["projected"]["defaultMode"] == 0o440


def test_tokens_of_kubernetes_are_only_where_they_are_needed(rendered: Rendered):
    accounts = rendered.of_kind("ServiceAccount")
    have = {
        workload.spec["serviceAccountName"]
        for workload in rendered.workloads
        if accounts[workload.spec["serviceAccountName"]].get("automountServiceAccountToken", True)
        and workload.spec.get("automountServiceAccountToken", True)
    }
    bound = {
        (subject["name"], binding["roleRef"]["name"])
        for binding in rendered.of_kind("RoleBinding").values()
        for subject in binding["subjects"]
    }
    if rendered.variant == "celery":
        assert (have, bound, rendered.of_kind("Role")) == (set(), set(), {})
    else:
        assert have == {"airflow-scheduler", "airflow-api-server"}
        # The chart binds others, too, which have no token.
        assert {(account, role) for account, role in bound if account in have} == {
            ("airflow-scheduler", "airflow-pod-launcher-role"),
            ("airflow-api-server", "airflow-pod-log-reader-role"),
        }


def test_a_drained_node_takes_one_pod_of_a_component(rendered: Rendered):
    budgets = rendered.of_kind("PodDisruptionBudget").values()
    assert all(budget["spec"]["maxUnavailable"] == 1 for budget in budgets)
    protected = [name for budget in budgets for name in selected(budget, rendered)]
    deployments = {workload.name for workload in rendered.workloads if workload.kind == "Deployment"}
    assert sorted(protected) == sorted(deployments)
    pairs = {workload.name for workload in rendered.workloads if workload.replicas > 1}
    assert pairs == {"airflow-api-server", "airflow-scheduler", "airflow-triggerer"}


def test_network_policies_cover_all_pods(rendered: Rendered):
    policies = rendered.of_kind("NetworkPolicy")
    assert all(selected(policy, rendered) for policy in policies.values())  # none is for nothing
    covered = {
        name
        for policy in policies.values()
        if "Ingress" in policy["spec"]["policyTypes"]
        for name in selected(policy, rendered)
    }
    assert covered == {workload.name for workload in rendered.workloads}
    # Whoever calls the API server may: all of Airflow, and the ingress controller.
    (rule,) = policies["airflow-api-server-policy"]["spec"]["ingress"]
    assert [port["port"] for port in rule["ports"]] == [8080]
    pods, controller = rule["from"]
    labels = pods["podSelector"]["matchLabels"].items()
    assert all(labels <= workload.labels.items() for workload in rendered.workloads)
    assert set(controller) == {"namespaceSelector"}


def test_tasks_cannot_connect_to_the_database(rendered: Rendered):
    policy = rendered.of_kind("NetworkPolicy")["airflow-worker-egress"]
    workers = {workload.name for workload in rendered.workloads if workload.component == "worker"}
    assert selected(policy, rendered) == workers != set()
    assert policy["spec"]["policyTypes"] == ["Egress"]
    rules = policy["spec"]["egress"]
    assert all(rule["ports"] for rule in rules)
    anywhere = {port["port"] for rule in rules if "to" not in rule for port in rule["ports"]}
    assert anywhere == {53, 443, 587, 5439}
    inside = [
        (selector["podSelector"]["matchLabels"]["component"], port["port"])
        for rule in rules
        for selector in rule.get("to", ())
        if "podSelector" in selector
        for port in rule["ports"]
    ]
    assert inside == [("api-server", 8080), ("redis", 6379)]


def test_only_the_ingress_controller_may_set_forwarded_headers(rendered: Rendered):
    server = next(workload for workload in rendered.workloads if workload.component == "api-server")
    container = server.spec["containers"][0]
    assert container["args"][-1].endswith("api-server --proxy-headers")
    assert ip_network(environment(container)["FORWARDED_ALLOW_IPS"]).prefixlen >= 8
    assert rendered.settings["fab"]["enable_proxy_fix"] == "False"
