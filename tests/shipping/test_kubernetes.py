"""The manifests: kustomize builds each overlay, and every object fits the schema of the API that takes it."""

import json
import re
import subprocess

import jsonschema
import pytest
import yaml

from lib.daemon import BIN, ROOT
from lib.servers import CACHE
from lib.services import SERVICES

KUBERNETES = ROOT / "deploy/kubernetes"
SCHEMAS = CACHE / "kubernetes-v1.31.4"
OVERLAYS = ("local", "production")


@pytest.fixture(scope="module")
def swagger():
    if not (SCHEMAS / "swagger.json").exists() or not (CACHE / "kustomize").exists():
        pytest.skip("NOT DONE: no kustomize and no schemas of Kubernetes in the cache (setup test, with Go)")
    document = json.loads((SCHEMAS / "swagger.json").read_text())
    for definition in document["definitions"].values():
        if "properties" in definition:  # what the API does not know it would refuse (strict) or lose
            definition.setdefault("additionalProperties", False)
        if definition.get("format") == "int-or-string":
            definition["type"] = ["integer", "string"]
    quantity = document["definitions"]["io.k8s.apimachinery.pkg.api.resource.Quantity"]
    quantity["type"] = ["string", "number"]
    return document


@pytest.fixture(scope="module")
def schemas(swagger):
    """(apiVersion, kind) -> schema"""
    found = {}
    for name, definition in swagger["definitions"].items():
        for kind in definition.get("x-kubernetes-group-version-kind", ()):
            version = "/".join(filter(None, (kind["group"], kind["version"])))
            found[version, kind["kind"]] = {"$ref": f"#/definitions/{name}",
                                            "definitions": swagger["definitions"]}
    for path in SCHEMAS.glob("monitoring*.yaml"):
        crd = yaml.safe_load(path.read_text())["spec"]
        for version in crd["versions"]:
            key = f"{crd['group']}/{version['name']}", crd["names"]["kind"]
            found[key] = version["schema"]["openAPIV3Schema"]
    return found


@pytest.fixture(scope="module", params=OVERLAYS)
def objects(request, swagger):
    text = subprocess.run([CACHE / "kustomize", "build", KUBERNETES / "overlays" / request.param], check=True,
                          capture_output=True, text=True, timeout=60).stdout
    return [each for each in yaml.safe_load_all(text) if each]


def of(objects, kind):
    return {each["metadata"]["name"]: each for each in objects if each["kind"] == kind}


def test_every_object_fits_its_schema(objects, schemas):
    for each in objects:
        schema = schemas[each["apiVersion"], each["kind"]]
        faults = list(jsonschema.Draft4Validator(schema).iter_errors(each))
        where = f"{each['kind']} {each['metadata']['name']}"
        assert not faults, f"{where}: {faults[0].message[:300]} at {list(faults[0].absolute_path)}"


def test_a_wrong_object_would_be_found(objects, schemas):
    wrong = json.loads(json.dumps(of(objects, "Deployment")["auth-svc"]))
    wrong["spec"]["template"]["spec"]["containers"][0]["redinessProbe"] = {}
    assert list(jsonschema.Draft4Validator(schemas["apps/v1", "Deployment"]).iter_errors(wrong))


def test_every_daemon_is_deployed_with_probes_and_without_rights(objects):
    deployments = of(objects, "Deployment")
    assert set(deployments) == set(SERVICES)
    for name, each in deployments.items():
        pod = each["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        assert pod["securityContext"]["runAsNonRoot"] and not pod["automountServiceAccountToken"]
        assert container["securityContext"]["readOnlyRootFilesystem"]
        assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
        assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
        assert name in of(objects, "Service") and name in of(objects, "PodDisruptionBudget")
        assert name in of(objects, "NetworkPolicy")
        named = {reference["configMapRef"]["name"] for reference in container["envFrom"]}
        assert named <= set(of(objects, "ConfigMap")), named


def test_only_the_gateway_reaches_ami(objects):
    for name, each in of(objects, "NetworkPolicy").items():
        ports = [port["port"] for rule in each["spec"].get("egress", ()) for port in rule.get("ports", ())]
        assert (5038 in ports) == (name == "ami-gateway"), name
        assert "Egress" not in each["spec"]["policyTypes"] or name == "nothing" or each["spec"]["egress"]
    (rule,) = of(objects, "NetworkPolicy")["ami"]["spec"]["ingress"]
    assert rule["from"] == [{"podSelector": {"matchLabels": {"app.kubernetes.io/name": "ami-gateway"}}}]


def test_no_secret_is_in_the_manifests(objects):
    assert not of(objects, "Secret")


def test_make_secrets_prints_all_that_the_manifests_name(objects, schemas):
    printed = subprocess.run([KUBERNETES / "make-secrets"], check=True, capture_output=True, text=True,
                             timeout=60).stdout
    secrets = {each["metadata"]["name"]: each for each in yaml.safe_load_all(printed) if each}
    for each in secrets.values():
        jsonschema.Draft4Validator(schemas["v1", "Secret"]).validate(each)
    assert secrets["mayday-tls"]["type"] == "kubernetes.io/tls"
    named = [volume["secret"] for kind in ("Deployment", "StatefulSet", "Job")
             for each in of(objects, kind).values()
             for volume in each["spec"]["template"]["spec"].get("volumes", ()) if "secret" in volume]
    assert len(named) > len(SERVICES)
    for volume in named:
        keys = secrets[volume["secretName"]]["data"]
        assert {item["key"] for item in volume.get("items", ())} <= keys.keys(), volume
    for each in of(objects, "Ingress").values():
        for tls in each["spec"].get("tls", ()):
            assert tls["secretName"] in secrets


def test_the_ingress_knows_every_path_of_the_api(objects):
    rules = [(path["path"], path["pathType"], path["backend"]["service"]["name"]) for ingress in
             of(objects, "Ingress").values() for path in ingress["spec"]["rules"][0]["http"]["paths"]]
    document = yaml.safe_load((ROOT / "proto/openapi.yaml").read_text())
    for path, item in document["paths"].items():
        operation = next(value for key, value in item.items()
                         if key in ("get", "put", "post", "delete", "patch"))
        if path in ("/healthz", "/readyz", "/metrics"):
            continue
        real = re.sub(r"{\w+}", "x", path)
        matching = [service for rule, kind, service in rules if (
            real.startswith(rule) if kind == "Prefix" else real == rule if kind == "Exact"
            else re.match(rule, real))]
        assert matching and matching[0] in operation["tags"], (path, matching, operation["tags"])


def test_what_a_daemon_is_scaled_by_reaches_the_cluster(objects):
    """The series that Prometheus' adapter hands on; that daemons export them, test_alerts.py asks."""
    scalers = of(objects, "HorizontalPodAutoscaler")
    assert set(scalers) == set(SERVICES) - {"ami-gateway", "call-lifecycle"}, "those two stand by"
    (rule,) = yaml.safe_load((ROOT / "deploy/observability/adapter.yaml").read_text())["rules"]["custom"]
    handed_on = re.search(r'__name__=~"([^"]+)"', rule["seriesQuery"])[1]
    for name, each in scalers.items():
        (metric,) = each["spec"]["metrics"]
        assert each["spec"]["scaleTargetRef"]["name"] == name and metric["type"] == "Pods"
        assert re.match(handed_on, metric["pods"]["metric"]["name"])


def test_prometheus_watches_every_daemon_with_the_same_rules(objects):
    (monitor,), (rules,) = of(objects, "ServiceMonitor").values(), of(objects, "PrometheusRule").values()
    assert rules["spec"] == yaml.safe_load((ROOT / "deploy/observability/alerts.yaml").read_text())
    for name in SERVICES:
        labels = of(objects, "Service")[name]["metadata"]["labels"]
        assert monitor["spec"]["selector"]["matchLabels"].items() <= labels.items()
        assert labels[monitor["spec"]["jobLabel"]] == "mayday"


def test_the_job_brings_every_schema_up_to_date(objects):
    pod = of(objects, "Job")["migrate"]["spec"]["template"]["spec"]
    named = {each["image"].split(":")[0].removeprefix("mayday/")
             for each in pod["initContainers"] + pod["containers"]}
    assert named == {path.parent.name for path in ROOT.glob("services/*/migrations.c")}


def test_redis_is_found_by_its_sentinels(objects):
    settings = of(objects, "ConfigMap")
    (common,) = [each["data"] for each in settings.values() if "REDIS_SENTINELS" in each.get("data", ())]
    replicas = of(objects, "StatefulSet")["redis"]["spec"]["replicas"]
    assert common["REDIS_SENTINELS"].count(":26379") == replicas == 3


@pytest.mark.parametrize("name", SERVICES)
def test_settings_in_the_manifests_exist(name):
    text = subprocess.run([BIN / name, "--help"], capture_output=True, text=True, check=True).stdout
    known = set(re.findall(r"^  ([A-Z][A-Z0-9_]+) ", text, re.M))
    file = KUBERNETES / f"base/daemons/{name}.env"
    named = set(re.findall(r"^#?([A-Z][A-Z0-9_]+)=", file.read_text(), re.M))
    assert named <= known, f"{named - known}: deploy/kubernetes/generate writes the file again"
