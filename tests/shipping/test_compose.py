"""docker-compose.yml: what can be said without an engine, and, where one runs, the images and the demo."""

import os
import re
import time

import pytest
import yaml

from lib import scratch
from lib.daemon import ROOT
from lib.engine import Compose, Engine, NotHere
from lib.services import SERVICES

ABOVE_BASE_MAX = 60 * 1000 * 1000
BUILD_S = 480  # nothing in the engine's cache yet: compilers and servers are installed into images
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


# --- with one

@pytest.fixture(scope="module")
def engine():
    if os.environ.get("MAYDAY_TEST_COMPOSE") != "yes":
        pytest.skip("NOT DONE: images and docker-compose: only with MAYDAY_TEST_COMPOSE=yes (minutes, with an empty cache)")
    folder = scratch.directory("engine")
    try:
        engine = Engine(folder)
        engine.import_bases()
    except NotHere as reason:
        pytest.skip(f"NOT DONE: images and docker-compose: no Docker engine can run here: {reason}")
    yield engine
    engine.close()
    scratch.remove(folder)


@pytest.fixture(scope="module")
def images(engine):
    began = time.monotonic()

    def build(file, tag, *options):
        left = BUILD_S - (time.monotonic() - began)
        engine.docker("build", "-q", "-f", file, "-t", tag, *options, ".", timeout=max(left, 1))

    for name in SERVICES:
        build("deploy/images/Dockerfile", f"mayday/{name}:latest", "--target", "daemon", "--build-arg",
              f"SERVICE={name}")
    build("deploy/images/Dockerfile", "mayday/stores:latest", "--target", "stores")
    build("deploy/images/asterisk.Dockerfile", "mayday/asterisk:latest")
    return engine


@pytest.fixture(scope="module")
def system(images):
    compose = Compose(images, "maydaytest", MAYDAY_NET="172.30.77", MAYDAY_HTTP="127.0.77.1:8004",
                      MAYDAY_HTTPS="127.0.77.1:8443")
    compose.call("down", "-v", "-t", "5", check=False)
    compose.call("up", "-d", "--no-build", timeout=240)
    yield compose
    compose.call("--profile", "demo", "down", "-v", "-t", "5", timeout=120)


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
    said = images.docker("run", "--rm", "--read-only", "--network", "none", f"mayday/{name}:latest", "--version")
    assert said.startswith(name)


def test_the_demo_passes(system):
    done = system.call("--profile", "demo", "run", "--rm", "-T", "demo", timeout=240, check=False)
    logs = "" if done.returncode == 0 else system.call("logs", "--tail", "15", check=False).stdout
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:] + logs[-6000:]
    assert "All of it happened" in done.stdout


@pytest.mark.parametrize("name", SERVICES)
def test_a_daemon_is_healthy(system, name):
    system.wait_healthy(name)
    assert system.inspect(name, "{{.RestartCount}}") == "0"
