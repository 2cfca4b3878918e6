"""docker-compose.yml: what can be said without an engine, and, where one runs, the images and the demo."""

import os
import re
import time

import pytest
import requests
import yaml

from lib import scratch
from lib.daemon import ROOT
from lib.engine import Compose, Engine, NotHere
from lib.process import wait_until
from lib.services import SERVICES

ABOVE_BASE_MAX = 60 * 1000 * 1000
BUILD_S = 480  # nothing in the engine's cache yet: compilers and servers are installed into images
DOCKERFILE = "deploy/images/Dockerfile"
BUILDER, LIBRARIES = "mayday-test/build", "mayday-test/libraries"
FILE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
ROWS = {line.split()[0]: line.split() for line in (ROOT / "deploy/services").read_text().splitlines()
        if line and not line.startswith("#")}


# --- without an engine

@pytest.mark.parametrize("name", SERVICES)
def test_a_daemon_of_the_list_is_there_as_the_list_says(name):
    service = FILE["services"][name]
    _, host, port, live, needs, *_ = ROWS[name]
    assert service["environment"]["HTTP_LISTEN"].endswith(f".{host}:{port}")
    assert live == "-" or service["environment"]["WS_LISTEN"].endswith(f":{live}")
    assert service["networks"]["mayday"]["ipv4_address"].endswith(f".{host}")
    assert service["build"]["args"]["SERVICE"] == name
    assert ("DB_PASSWORD_FILE" in service["environment"]) == ("mariadb" in needs)
    assert service["user"] == f"1{host:0>4}:1{host:0>4}"


@pytest.mark.parametrize("name", SERVICES)
def test_a_daemon_has_no_rights_and_nothing_to_write_to(name):
    service = FILE["services"][name]
    assert service["read_only"] is True and service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"] and service["cpus"] and service["pids_limit"]
    assert [volume for volume in service["volumes"] if not volume.endswith(":ro")] == \
        (["daemons:/secrets"] if name == "auth-svc" else [])


def test_no_secret_is_in_the_file():
    for name, service in FILE["services"].items():
        for key, value in service.get("environment", {}).items():
            assert not re.search("PASSWORD$|SECRET$", key), f"{name}: {key}={value}"


def test_what_can_be_set_is_explained():
    used = set(re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.yml").read_text()))
    explained = set(re.findall(r"^#?(\w+)=", (ROOT / ".env.example").read_text(), re.M))
    assert used <= explained, used - explained


ONCE = {"secrets", "schema", "demo"}
OWN_CHECK = {*SERVICES, "mongo"}  # in the image; none


@pytest.mark.parametrize("name", FILE["services"])
def test_a_part_is_bounded_and_waits_for_what_it_needs(name):
    service = FILE["services"][name]
    if name in ONCE:
        assert service["restart"] == "no"
    else:
        assert service["mem_limit"] and service["logging"]["options"]
        assert service["restart"] == "unless-stopped"
        assert "healthcheck" in service or name in OWN_CHECK
    for needed, how in service.get("depends_on", {}).items():
        wanted = "service_completed_successfully" if needed in ONCE else "service_healthy"
        assert how["condition"] == ("service_started" if needed == "mongo" else wanted), needed
    assert ("demo" in service.get("profiles", ())) == (name == "demo" or name.startswith("phone-"))


# --- with one

@pytest.fixture(scope="module")
def engine():
    if os.environ.get("MAYDAY_TEST_COMPOSE") == "no":
        pytest.skip("NOT DONE: images and docker-compose: MAYDAY_TEST_COMPOSE=no")
    folder = scratch.directory("engine")
    try:
        engine = Engine(folder)
    except NotHere as reason:
        scratch.remove(folder)
        pytest.skip(f"NOT DONE: images and docker-compose: no Docker engine can run here: {reason}")
    try:
        engine.import_bases()
        yield engine
    finally:
        engine.close()
        scratch.remove(folder)


@pytest.fixture(scope="module")
def images(engine):
    """Stages that are built on the way have names, so that what the engine keeps of them is used by the
    next run."""
    began = time.monotonic()

    def build(file, tag, *options):
        left = BUILD_S - (time.monotonic() - began)
        engine.docker("build", "-q", "--network", "host", "-f", file, "-t", tag, *options, ".",
                      timeout=max(left, 1))

    build(DOCKERFILE, BUILDER, "--target", "build")
    for name in SERVICES:
        build(DOCKERFILE, f"mayday/{name}:latest", "--target", "daemon", "--build-arg", f"SERVICE={name}")
    build(DOCKERFILE, "mayday/stores:latest", "--target", "stores")
    build(DOCKERFILE, LIBRARIES, "--target", "libraries")
    build("deploy/images/asterisk.Dockerfile", "mayday/asterisk:latest")
    engine.docker("image", "prune", "-f")
    return engine


@pytest.fixture(scope="module")
def system(images):
    compose = Compose(images, "maydaytest", MAYDAY_NET="172.30.77", MAYDAY_HTTP="127.0.77.1:8004",
                      MAYDAY_HTTPS="127.0.77.1:8443")
    compose.down()
    try:
        compose.up(180)
        yield compose
    finally:
        compose.down()


@pytest.mark.parametrize("name", SERVICES)
def test_an_image_adds_little_to_its_base(images, name):
    above = images.size(f"mayday/{name}:latest") - images.size("debian:bookworm-slim")
    assert above <= ABOVE_BASE_MAX, f"{above / 1e6:.1f} MB"


@pytest.mark.parametrize("name", SERVICES)
def test_an_image_needs_no_root_and_no_shell(images, name):
    config = images.docker("image", "inspect", "-f",
                           "{{.Config.User}} {{.Config.Entrypoint}} {{.Config.Healthcheck.Test}}",
                           f"mayday/{name}:latest").strip()
    assert config == "10000:10000 [/usr/bin/mayday-daemon] [CMD /usr/bin/mayday-daemon --healthy]"
    title = images.docker("image", "inspect", "-f",
                          '{{index .Config.Labels "org.opencontainers.image.title"}}',
                          f"mayday/{name}:latest").strip()
    assert title == f"mayday {name}"
    said = images.docker("run", "--rm", "--read-only", "--network", "none", f"mayday/{name}:latest",
                         "--version")
    assert said.startswith(name)


def test_what_is_built_again_is_the_same(images):
    """The objects of a daemon, in another folder and without what was built before; and the layer of
    libraries, file by file."""
    script = ("cp -r /src /again && cd /again && rm -rf build && "
              "make -s -j2 CFLAGS=-ffile-prefix-map=/again=. build/obj/transfer-svc.a && "
              "strip -g build/obj/transfer-svc.a /src/build/obj/transfer-svc.a && "
              "cmp build/obj/transfer-svc.a /src/build/obj/transfer-svc.a")
    images.docker("run", "--rm", "--network", "none", BUILDER, "sh", "-c", script, timeout=200)
    before = images.files(LIBRARIES)
    images.docker("build", "-q", "--no-cache", "--network", "host", "-f", DOCKERFILE,
                  "-t", f"{LIBRARIES}-again", "--target", "libraries", ".", timeout=200)
    after = images.files(f"{LIBRARIES}-again")
    different = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    assert not different, sorted(different)[:20]


def test_the_demo_passes(system):
    done = system.call("--profile", "demo", "run", "--rm", "-T", "demo", timeout=180, check=False)
    logs = "" if done.returncode == 0 else system.call("logs", "--tail", "15", check=False).stdout
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:] + logs[-6000:]
    assert "All of it happened" in done.stdout


@pytest.mark.parametrize("name", SERVICES)
def test_a_daemon_is_healthy(system, name):
    system.wait_healthy(name)
    assert system.inspect(name, "{{.RestartCount}}") == "0"


@pytest.mark.filterwarnings("ignore:Unverified HTTPS")
def test_the_front_is_reached_from_the_machine(system):
    for url in ("http://127.0.77.1:8004", "https://127.0.77.1:8443"):
        assert requests.get(f"{url}/healthz", verify=False, timeout=10).json() == {"ok": True}


def test_redis_refused_nobody(system):
    log = system.call("exec", "-T", "redis", "/src/deploy/local/stack", "redis", "acl", "log").stdout
    assert not log.strip(), log[:2000]


def test_a_daemon_that_dies_comes_back(system):
    system.engine.kill9(int(system.inspect("transfer-svc", "{{.State.Pid}}")))
    wait_until(lambda: system.inspect("transfer-svc", "{{.RestartCount}} {{.State.Running}}") == "1 true", 60)
