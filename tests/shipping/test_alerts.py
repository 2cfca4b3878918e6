"""Prometheus' rules and Grafana's dashboards: promtool takes them, each alert is silent on a good day and
fires on a bad one, all speak of what the daemons really export, and each alert is explained."""

import json
import re
import shutil
import subprocess

import pytest
import yaml

from lib import services
from lib.daemon import ROOT
from lib.services import SERVICES

FOLDER = ROOT / "deploy/observability"
RULES = [rule for group in yaml.safe_load((FOLDER / "alerts.yaml").read_text())["groups"]
         for rule in group["rules"]]
BOARDS = {path.stem: json.loads(path.read_text()) for path in (FOLDER / "dashboards").glob("*.json")}
OTHERS = {"up"}  # Prometheus' own
LONG = {"MaydayVersionsMixed": "150m"}
GOOD = "0+0x300"
COUNTS = "0+10x300"  # ten more every minute
UP, DOWN = "1+0x300", "0+0x300"
# Series of a good day and of a bad one, a value each minute
DAYS = {
    "MaydayDaemonDown": [('up{job="mayday",instance="a"}', UP, DOWN)],
    "MaydayNotReady": [('mayday_ready{instance="a"}', UP, DOWN)],
    "MaydayDependencyAway": [('mayday_dependency_up{dependency="history"}', UP, DOWN)],
    "MaydayRestarting": [('process_start_time_seconds{job="mayday"}', UP, COUNTS)],
    "MaydayMemoryGrows": [('process_resident_memory_bytes{job="mayday"}', "30000000+0x300",
                           "500000000+0x300")],
    "MaydayVersionsMixed": [('mayday_build_info{version="1"}', UP, UP),
                            ('mayday_build_info{version="2"}', "_x300", UP)],
    "MaydayRequestsFail": [('mayday_http_requests_total{status="2xx"}', COUNTS, COUNTS),
                           ('mayday_http_requests_total{status="5xx"}', GOOD, COUNTS)],
    "MaydayAsteriskNotSeen": [('mayday_ami_up{instance="a"}', UP, DOWN),
                              ('mayday_ami_up{instance="b"}', DOWN, DOWN)],
    "MaydayNobodyFollowsCalls": [("mayday_lifecycle_leader", UP, DOWN)],
    "MaydayWrongSystemname": [("mayday_ami_systemname_wrong", GOOD, UP)],
    "MaydayEventsLost": [("mayday_ami_dropped_total", GOOD, COUNTS)],
    "MaydayEventsWait": [("mayday_ami_backlog_bytes", GOOD, "20000000+0x300")],
    "MaydayForgedHeaders": [("mayday_ami_torn_total", GOOD, COUNTS), ("mayday_ami_forged_total", GOOD, GOOD)],
    "MaydayActionsUnknown": [("mayday_ami_actions_outcome_unknown_total", GOOD, COUNTS)],
    "MaydayCallsReconciled": [("mayday_lifecycle_calls_reconciled_total", GOOD, COUNTS)],
    "MaydayModelFaults": [("mayday_lifecycle_invariant_faults_total", GOOD, COUNTS)],
    "MaydayTransfersComeBack": [("mayday_transfer_rolled_back_total", GOOD, COUNTS),
                                ("mayday_transfer_failed_total", GOOD, GOOD)],
    "MaydayEventsLate": [('mayday_ws_delay_seconds_bucket{le="0.1"}', COUNTS, GOOD),
                         ('mayday_ws_delay_seconds_bucket{le="10"}', COUNTS, COUNTS),
                         ('mayday_ws_delay_seconds_bucket{le="+Inf"}', COUNTS, COUNTS)],
    "MaydayStreamsBehind": [('mayday_ws_stream_lag_ms{topic="call"}', GOOD, "60000+0x300")],
    "MaydayClientsTooSlow": [("mayday_ws_resyncs_total", GOOD, COUNTS)],
    "MaydayWebhooksDead": [("mayday_webhook_dead_total", GOOD, COUNTS)],
    "MaydayPasswordsGuessed": [("mayday_auth_logins_locked_total", GOOD, COUNTS)],
    "MaydayMessagesFail": [("mayday_crm_messages_failed_total", GOOD, COUNTS)],
}


@pytest.fixture(scope="module")
def promtool():
    if not shutil.which("promtool"):
        pytest.skip("NOT DONE: no promtool here (Debian's package prometheus)")

    def promtool(*words):
        done = subprocess.run(["promtool", *map(str, words)], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
    return promtool


@pytest.fixture
def exported(daemon, request):
    """The names that running daemons export, as a query may use them."""
    names = set(OTHERS)
    for name in SERVICES:
        one = daemon(name, until="alive", **services.settings(name, request))
        names |= set(re.findall(r"^(\w+)[{ ]", one.get("/metrics").text, re.M))
    return names


def metrics_of(query):
    """Without labels, what is in brackets, and the words of the language."""
    text = re.sub(r"\{[^}]*\}|\[[^]]*\]|\b(by|without) \([^)]*\)", "", query)
    return set(re.findall(r"\b(?:mayday|process)_\w+|\bup\b", text))


def test_promtool_takes_them(promtool):
    promtool("check", "rules", FOLDER / "alerts.yaml")


def test_prometheus_takes_the_list_of_daemons(promtool, tmp_path):
    for name in ("scrape.yaml", "alerts.yaml"):
        shutil.copy(FOLDER / name, tmp_path)
    promtool("check", "config", tmp_path / "scrape.yaml")
    jobs = yaml.safe_load((FOLDER / "scrape.yaml").read_text())["scrape_configs"][0]["static_configs"]
    listed = {job["labels"]["service"]: job["targets"][0].split(":")[1] for job in jobs}
    rows = [line.split() for line in (ROOT / "deploy/services").read_text().splitlines()
            if line[:1] not in ("#", "")]
    assert listed == {row[0]: row[2] for row in rows}


def test_each_alert_is_silent_on_a_good_day_and_fires_on_a_bad_one(promtool, tmp_path):
    assert DAYS.keys() == {rule["alert"] for rule in RULES}
    tests = []
    for alert, series in DAYS.items():
        for bad in (False, True):
            wanted = {"exp_samples": [{"labels": "{}", "value": 1}]} if bad else {}
            tests.append({
                "interval": "1m",
                "input_series": [{"series": name, "values": days[bad]} for name, *days in series],
                "promql_expr_test": [{"eval_time": LONG.get(alert, "40m"), **wanted,
                                      "expr": "count(count by (alertname) ("
                                      f'ALERTS{{alertname="{alert}",alertstate="firing"}}))'}]})
    file = tmp_path / "tests.yaml"
    file.write_text(yaml.safe_dump({"rule_files": [str(FOLDER / "alerts.yaml")], "evaluation_interval": "1m",
                                    "tests": tests}))
    promtool("test", "rules", file)


def test_what_is_watched_and_shown_is_exported(exported):
    queries = {rule["alert"]: rule["expr"] for rule in RULES}
    queries["adapter"] = "mayday_http_requests_under_way + mayday_ws_connections"
    queries |= {f"{name}, {panel['title']}": target["expr"] for name, board in BOARDS.items()
                for panel in board["panels"] for target in panel["targets"]}
    unknown = {where: metrics_of(query) - exported for where, query in queries.items()
               if metrics_of(query) - exported or not metrics_of(query)}
    assert not unknown


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_is_explained(rule):
    assert f"## {rule['alert']}\n" in (ROOT / "docs/troubleshooting.md").read_text()


def test_dashboards_are_as_their_list_says(tmp_path):
    subprocess.run([FOLDER / "generate", tmp_path], check=True)
    made = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert made == {path.name: path.read_text() for path in (FOLDER / "dashboards").iterdir()}, \
        "deploy/observability/generate writes them again"
    assert len({board["uid"] for board in BOARDS.values()}) == len(BOARDS)
