"""The chart renders to objects that Kubernetes' schemas accept and that this project's rules allow."""

from typing import Any

import helm_python
import kubernetes_validate
import pytest

from services.edge.paths import MCP_PATH, OWN_PREFIXES
from tests.chart.rendering import CHART, ROOT, SERVICES, container, environment, render, values, workloads

CASES = ["example", "smallest", "fixed", "gateway", "private", "everything"]
KUBERNETES = ["1.27", "1.32", "1.34"]


@pytest.fixture(params=CASES)
def objects(request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    return render(values(request.param))


@pytest.mark.parametrize("version", KUBERNETES)
def test_objects_are_valid(objects: list[dict[str, Any]], version: str) -> None:
    assert objects
    for found in objects:
        if found["kind"] != "HTTPRoute":  # a CRD: its schema is not Kubernetes' own
            kubernetes_validate.validate(found, version, strict=True)


@pytest.mark.parametrize("case", CASES)
def test_lint(case: str) -> None:
    report = helm_python.lint(str(CHART), values(case))
    assert not report["errors"]
    assert not [message for message in report["messages"] if message["severity"] > 1]


@pytest.mark.parametrize(
    "broken",
    [
        {"existingSecret": ""},
        {"existingSecret": "Not A Name"},
        {"natsReplicas": 2},
        {"natsReplicas": "3"},
        {"unknown": 1},
        {"publicUrl": "ai.example.com/path"},
        {"otlpEndpoint": "collector:4317"},
        {"trustedProxies": ["everyone"]},
        {"trustedProxies": "10.0.0.0/8"},
        {"allowPrivateUpstreams": "0"},
        {"logLevel": "loud"},
        {"traceSample": 1.5},
        {"clickhouseCluster": "a b"},
        {"metrics": {"port": 80}},
        {"image": {"pullPolicy": "Sometimes"}},
        {"edge": {"replicas": 0}},
        {"edge": {"drainSeconds": 0}},
        {"edge": {"env": {"ONEAPI_MISSPELT": "1"}}},
        {"edge": {"env": {"ONEAPI_MAX_IN_FLIGHT": 5}}},
        {"edge": {"env": {"ONEAPI_PORT": "80"}}},
        {"edge": {"spool": {"size": "10"}}},
        {"edge": {"pdb": {"maxUnavailable": "all"}}},
        {"edge": {"pdb": {"maxUnavailable": 0}}},
        {"edge": {"pdb": {"maxUnavailable": 2}}},
        {"edge": {"autoscaling": {"minReplicas": 9, "maxReplicas": 3}}},
        {"edge": {"autoscaling": {"targetCPUUtilizationPercentage": 500}}},
        {"edge": {"resources": {"requests": None}}},
        {"router": {"env": {"ONEAPI_MAX_IN_FLIGHT": "5"}}},
        {"router": {"spool": {"size": "1Gi"}}},
        {"billing": {"autoscaling": {"enabled": True}}},
        {"billing": {"pdb": {"maxUnavailable": 2}}},
        {"gateway": {"enabled": True}},
        {"ingress": {"annotations": {"a": 1}}},
        {"networkPolicy": {"ingressFrom": [{"podselector": {}}]}},
        {"networkPolicy": {"stores": {"nats": {"ports": []}}}},
        {"networkPolicy": {"stores": {"nats": {"ports": [70_000]}}}},
        {"networkPolicy": {"storePorts": [1]}},
    ],
)
def test_broken_values_are_refused(broken: dict[str, Any]) -> None:
    with pytest.raises(helm_python.HelmError):
        render({"existingSecret": "x"} | broken)


def test_every_service_is_there(objects: list[dict[str, Any]]) -> None:
    assert set(workloads(objects)) == set(SERVICES)
    for service, workload in workloads(objects).items():
        assert container(workload)["args"] == [service]


def test_ports_probes_and_selectors_match(objects: list[dict[str, Any]]) -> None:
    pods = {
        name: (
            w["spec"]["template"]["metadata"]["labels"],
            {p["name"]: p["containerPort"] for p in container(w)["ports"]},
        )
        for name, w in workloads(objects).items()
    }
    for found in objects:
        if found["kind"] != "Service":
            continue
        selected = [ports for labels, ports in pods.values() if found["spec"]["selector"].items() <= labels.items()]
        assert len(selected) == 1, found["metadata"]["name"]
        for port in found["spec"]["ports"]:
            assert selected[0][port["targetPort"]] == port["port"]
    for workload in workloads(objects).values():
        box = container(workload)
        probed = {box[probe]["httpGet"]["port"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")}
        assert probed <= {port["containerPort"] for port in box["ports"]}
        assert (
            workload["spec"]["selector"]["matchLabels"].items()
            <= workload["spec"]["template"]["metadata"]["labels"].items()
        )


@pytest.mark.parametrize("release", ["one", "a" * 53, "a" * 39 + "-" + "b" * 13])
def test_names_fit_and_differ(release: str) -> None:
    objects = render(values("example"), release)
    names = [(found["kind"], found["metadata"]["name"]) for found in objects]
    assert len(names) == len(set(names))
    for kind, name in names:
        # Of a workload, its pods' name with a hash must fit into a label.
        assert len(name) <= (63 - len("-0123456789") if kind in {"Deployment", "StatefulSet"} else 63)
        assert "--" not in name
    services = {found["metadata"]["name"] for found in objects if found["kind"] == "Service"}
    edge = environment(workloads(objects)["edge"])
    called = {edge[name].rpartition(":")[0] for name in ("ONEAPI_ROUTER_ADDR", "ONEAPI_BILLING_ADDR")}
    called |= {edge[name].split("/")[2].rpartition(":")[0] for name in ("ONEAPI_MCP_URL", "ONEAPI_ADMIN_URL")}
    assert called <= services
    assert workloads(objects)["edge"]["spec"]["serviceName"] in services


def test_pods_are_confined(objects: list[dict[str, Any]]) -> None:
    for workload in workloads(objects).values():
        pod = workload["spec"]["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] == pod["securityContext"]["fsGroup"] == 10_001
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod)
        assert not [volume for volume in pod["volumes"] if "hostPath" in volume]
        security = container(workload)["securityContext"]
        assert security == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container(workload)["resources"]["requests"]
        assert container(workload)["resources"]["limits"]["memory"]


def test_the_image_runs_as_the_user_that_the_chart_names() -> None:
    assert "\nUSER 10001:10001\n" in (ROOT / "deploy/Dockerfile").read_text()


def test_what_is_written_is_on_a_volume(objects: list[dict[str, Any]]) -> None:
    for service, workload in workloads(objects).items():
        mounts = {mount["mountPath"]: mount["name"] for mount in container(workload)["volumeMounts"]}
        kept = {claim["metadata"]["name"] for claim in workload["spec"].get("volumeClaimTemplates", [])}
        there = {volume["name"] for volume in workload["spec"]["template"]["spec"]["volumes"]} | kept
        assert set(mounts.values()) == there
        for name, value in environment(workload).items():
            if name in {"ONEAPI_DATA_DIR", "ONEAPI_SPOOL_DIR"}:
                assert any(value == path or value.startswith(f"{path}/") for path in mounts), name
        # Only the edge's files matter when its pod is gone.
        assert kept == ({"data"} if service == "edge" else set())
    retention = workloads(objects)["edge"]["spec"]["persistentVolumeClaimRetentionPolicy"]
    assert retention == {"whenDeleted": "Retain", "whenScaled": "Retain"}


def test_the_grace_period_is_longer_than_the_drain(objects: list[dict[str, Any]]) -> None:
    for workload in workloads(objects).values():
        drain = environment(workload)["ONEAPI_DRAIN_SECONDS"]
        stop = container(workload)["lifecycle"]["preStop"]["exec"]["command"]
        grace = workload["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
        assert grace >= int(drain) + int(stop[1]) + 10


def test_disruption_budgets_and_autoscalers_leave_someone(objects: list[dict[str, Any]]) -> None:
    scaled = {o["spec"]["scaleTargetRef"]["name"]: o["spec"] for o in objects if o["kind"] == "HorizontalPodAutoscaler"}
    budgets = {o["metadata"]["name"]: o["spec"] for o in objects if o["kind"] == "PodDisruptionBudget"}
    by_name = {workload["metadata"]["name"]: workload for workload in workloads(objects).values()}
    assert set(scaled) <= set(by_name)
    assert set(budgets) == set(by_name)
    for name, workload in by_name.items():
        assert budgets[name]["selector"]["matchLabels"] == workload["spec"]["selector"]["matchLabels"]
        away = budgets[name]["maxUnavailable"]
        if name in scaled:
            assert scaled[name]["scaleTargetRef"]["kind"] == workload["kind"]
            assert "replicas" not in workload["spec"], "the autoscaler owns the number"
            assert scaled[name]["minReplicas"] > away
            assert scaled[name]["maxReplicas"] >= scaled[name]["minReplicas"]
            # A share of a request that isn't made can't be computed.
            assert container(workload)["resources"]["requests"]["cpu"]
        else:
            assert workload["spec"]["replicas"] == 1 or workload["spec"]["replicas"] > away


def test_routes_send_each_path_to_its_service() -> None:
    for case, kind in (("example", "Ingress"), ("gateway", "HTTPRoute")):
        (route,) = [o for o in render(values(case)) if o["kind"] == kind]
        found = {}
        if kind == "Ingress":
            for path in route["spec"]["rules"][0]["http"]["paths"]:
                found[path["path"]] = (path["backend"]["service"]["name"], path["pathType"])
        else:
            for rule in route["spec"]["rules"]:
                for match in rule["matches"]:
                    kind_of_match = match["path"]["type"].removeprefix("Path")
                    found[match["path"]["value"]] = (rule["backendRefs"][0]["name"], kind_of_match)
        # As edge itself decides where it is the door.
        assert found == {
            **{prefix.decode(): ("one-edge", "Prefix") for prefix in OWN_PREFIXES},
            MCP_PATH.decode(): ("one-mcp", "Exact"),
            "/": ("one-admin", "Prefix"),
        }
