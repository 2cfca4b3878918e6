"""Prometheus' rules: promtool takes them, they speak of metrics that exist, and each is explained."""

import re
import shutil
import subprocess

import pytest
import yaml

from lib.daemon import ROOT

FILE = ROOT / "deploy/observability/alerts.yaml"
RULES = [rule for group in yaml.safe_load(FILE.read_text())["groups"] for rule in group["rules"]]


def test_promtool_takes_them():
    if not shutil.which("promtool"):
        pytest.skip("NOT DONE: no promtool here (Debian's package prometheus)")
    done = subprocess.run(["promtool", "check", "rules", FILE], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_watches_what_there_is(rule):
    text = "".join(path.read_text() for folder in ("services", "libcommon") for path in (ROOT / folder).rglob("*.inc"))
    known = set(re.findall(r"METRIC\(\w+, (\w+)", text))
    named = set(re.findall(r"mayday_(\w+)", rule["expr"]))
    assert named <= known, named - known


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_is_explained(rule):
    assert f"## {rule['alert']}\n" in (ROOT / "docs/troubleshooting.md").read_text()
