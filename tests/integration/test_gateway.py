"""ami-gateway between a fake Asterisk and a real Redis: connecting, events, snapshots."""

import json
import subprocess
import time

import pytest

from lib.daemon import BIN
from lib.fake_ami import FakeAmi, answer, event, message
from lib.process import wait_until

STREAM = "events:ami:main"


def entries(redis, stream=STREAM):
    return [json.loads(fields["e"]) for _, fields in redis.xrange(stream)]


def named(redis, name, stream=STREAM):
    return [entry for entry in entries(redis, stream) if entry["Event"] == name]


def wait_for(redis, name, count=1, timeout=15):
    return wait_until(lambda: len(named(redis, name)) >= count and named(redis, name), timeout,
                      f"{count} x {name}")


def counter(gateway, name):
    """The gateway brings its counters up to date once a second."""
    return gateway.metric(f'mayday_ami_{name}{{pbx="main"}}')


def test_logs_in_with_a_challenge_and_never_sends_the_secret(gateway, ami, redis):
    gateway()
    wait_for(redis, "MaydaySnapshotEnd")
    wait_until(lambda: len(ami.connections) == 3)
    for connection in ami.connections:
        wait_until(lambda c=connection: [r for r in c.requests if r["Action"] == "Login"])
        assert ami.secret.encode() not in connection.sent
    assert sorted(r["Events"] for r in ami.asked("Login")) == ["off", "off", "on"]
    names = [entry["Event"] for entry in entries(redis)]
    assert names == ["MaydayUp", "MaydaySnapshotBegin", "MaydaySnapshotEnd"]
    assert entries(redis)[0]["version"] == "22.10.1"
    assert redis.hget("pbx:main", "state") == "up"


def test_plain_login_only_when_it_is_allowed(gateway, ami, redis):
    ami.md5 = False
    refused = gateway("alive")
    wait_until(lambda: "no MD5 challenge is offered" in refused.log)
    assert not ami.asked("Login")
    refused.stop()
    gateway(AMI_PLAIN_LOGIN="yes")
    wait_for(redis, "MaydaySnapshotEnd")


def test_a_wrong_secret_is_said_once_and_not_tried_again_soon(gateway, ami, redis):
    daemon = gateway("alive", AMI_SECRET="another")
    wait_until(lambda: "Authentication failed" in daemon.log)
    time.sleep(3)
    assert daemon.log.count("AMI login refused") == 3  # one for each connection
    assert len(ami.asked("Login")) == 3
    assert "another" not in daemon.log
    assert not daemon.ready()
    assert "pbx:main" in daemon.get("/readyz").text


def test_events_become_entries(gateway, ami, redis):
    gateway()
    ami.wait_listener()
    ami.emit(message(("Event", "Newchannel"), ("Privilege", "call,all"),
                     ("Timestamp", "1795399349.023905"), ("Channel", "PJSIP/1001-1"),
                     ("CallerIDName", b'"\xd0\x98" \xff\\'), ("ChanVariable", "a=1"),
                     ("ChanVariable", "b=2"), ("Uniqueid", "1.1")))
    ami.emit(event("Hangup", Uniqueid="1.1"))
    made = wait_for(redis, "Newchannel")[0]
    assert made["t"] == 1795399349023
    assert made["CallerIDName"] == '"И" \ufffd\\'
    assert made["ChanVariable"] == ["a=1", "b=2"]
    ended = wait_for(redis, "Hangup")[0]
    assert abs(ended["t"] - time.time() * 1000) < 60000
    assert ended["n"] == made["n"] + 1


def test_unwanted_events_are_filtered_at_the_source_and_here(gateway, ami, redis):
    gateway(AMI_EVENT_EXCLUDE="VarSet CEL")
    ami.wait_listener()
    assert sorted(f["MatchCriteria"] for f in ami.filters) == [
        "action(exclude),name(CEL)", "action(exclude),name(VarSet)"]
    ami.emit(event("VarSet", Variable="x") + event("VarSetter") + event("Newstate"))
    wait_for(redis, "Newstate")
    assert len(named(redis, "VarSetter")) == 1
    assert not named(redis, "VarSet")


def test_an_older_asterisk_gets_older_filters(gateway, ami, redis):
    ami.filters_known = False
    gateway(AMI_EVENT_EXCLUDE="VarSet CEL")
    ami.wait_listener()
    assert sorted(f["Filter"] for f in ami.filters) == [
        "!^Event: CEL[[:cntrl:]]", "!^Event: VarSet[[:cntrl:]]"]


def test_the_snapshot_lists_what_stands(gateway, ami, redis):
    ami.channels = [("CoreShowChannel", {"Channel": f"PJSIP/{n}-1", "Uniqueid": f"1.{n}"})
                    for n in (1001, 1002)]
    ami.devices = [("DeviceStateChange", {"Device": "PJSIP/1001", "State": "INUSE"})]
    ami.queues = [("QueueParams", {"Queue": "support"}), ("QueueMember", {"Queue": "support"})]
    gateway()
    end = wait_for(redis, "MaydaySnapshotEnd")[0]
    names = [entry["Event"] for entry in entries(redis)]
    assert names == ["MaydayUp", "MaydaySnapshotBegin", "CoreShowChannel", "CoreShowChannel",
                     "DeviceStateChange", "QueueParams", "QueueMember", "MaydaySnapshotEnd"]
    assert end["channels"] == 2
    assert end["id"] == named(redis, "MaydaySnapshotBegin")[0]["id"]


def test_without_the_channels_there_is_no_end_marker(gateway, ami, redis):
    ami.handlers["CoreShowChannels"] = lambda c, r: answer(r, "Error", Message="Permission denied")
    daemon = gateway()
    wait_until(lambda: "Asterisk refuses a list" in daemon.log)
    ami.emit(event("Newstate"))
    wait_for(redis, "Newstate")
    assert named(redis, "MaydaySnapshotBegin")
    assert not named(redis, "MaydaySnapshotEnd")


def test_it_asks_again_now_and_then(gateway, ami, redis):
    gateway(AMI_SNAPSHOT_S=1)
    wait_for(redis, "MaydaySnapshotEnd", 3)
    assert len(named(redis, "MaydayUp")) == 1


def test_a_booted_asterisk_is_asked_again(gateway, ami, redis):
    gateway()
    wait_for(redis, "MaydaySnapshotEnd")
    ami.emit(event("FullyBooted"))
    wait_for(redis, "MaydaySnapshotEnd", 2)


def test_a_cut_connection_is_a_gap(gateway, ami, redis):
    gateway()
    wait_for(redis, "MaydaySnapshotEnd")
    before = time.time() * 1000
    ami.refuse()
    ami.cut()
    down = wait_for(redis, "MaydayDown")[0]
    assert down["reason"]
    wait_until(lambda: redis.hget("pbx:main", "state") == "down")
    time.sleep(5)
    ami.listen()
    up = wait_for(redis, "MaydayUp", 2)[1]
    assert up["gapFrom"] <= before + 1000
    assert up["gapTo"] - up["gapFrom"] >= 5000
    wait_for(redis, "MaydaySnapshotEnd", 2)
    wait_until(lambda: redis.hget("pbx:main", "state") == "up")
    kinds = [json.loads(f["e"])["eventType"] for _, f in redis.xrange("events:ami")]
    assert kinds == ["ami:connected", "ami:disconnected", "ami:connected"]


def test_a_server_that_dies_in_mid_message(gateway, ami, redis):
    gateway()
    ami.wait_listener()
    whole = event("Hangup", Uniqueid="1.1")
    ami.emit(event("Newstate", Uniqueid="1.1") + whole[:len(whole) // 2])
    wait_for(redis, "Newstate")
    ami.cut(reset=True)
    ami.wait_listener()
    ami.emit(event("Newchannel"))
    wait_for(redis, "Newchannel")
    assert not named(redis, "Hangup")
    assert len(named(redis, "MaydayUp")) == 2


def test_a_silent_server_is_noticed(gateway, ami, redis):
    gateway()
    ami.wait_listener()
    wait_until(lambda: ami.asked("Ping"))
    ami.handlers["Ping"] = lambda c, r: None
    down = wait_for(redis, "MaydayDown")[0]
    assert down["reason"] == "no answer in time"


@pytest.mark.parametrize("banner", [
    b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\0" * 5000, b"A" * 2000000, b"\r\n",
    b"Asterisk Call Manager/11.0.0\r\nResponse: Success\r\nActionID: x\r\n\r\n" * 3])
def test_something_else_that_listens(gateway, ami, redis, banner):
    ami.banner = banner
    if banner[:8] != b"Asterisk":
        ami.default = ami.handlers["Challenge"] = lambda c, r: None
        daemon = gateway("alive")
        time.sleep(3)
        assert not entries(redis)
        assert not daemon.ready()
    else:
        gateway()
        wait_for(redis, "MaydaySnapshotEnd")


def test_hostile_bytes_are_survived_and_counted(gateway, ami, redis):
    daemon = gateway()
    ami.wait_listener()
    ami.emit(b"\0\xff\r\r\n\n: \r\n\r\n" + b"x" * 3000000 + b"\r\n\r\n"
             + b"Event: Long\r\nValue: " + b"y" * 1000000 + b"\r\n\r\n"
             + b"Event: Many\r\n" + b"K: v\r\n" * 5000 + b"\r\n"
             + b"Exten: 1\r\nUniqueid: 1.1\r\n\r\n"
             + b"Response: Success\r\nActionID: nobody\r\n\r\n"
             + event("Newstate", Odd=b"\x01\x02\x7f\xc3\x28\0"))
    assert wait_for(redis, "Newstate")[0]["Odd"] == "\x01\x02\x7f\ufffd(\ufffd"
    assert not named(redis, "Long") and not named(redis, "Many")
    wait_until(lambda: counter(daemon, "torn_total") == 2)
    assert counter(daemon, "oversize_total") == 3
    assert counter(daemon, "unasked_total") == 1
    assert daemon.log.count("a caller may be forging events") == 1


def test_forged_events_do_not_pass_for_ours(gateway, ami, redis):
    daemon = gateway()
    ami.wait_listener()
    ami.emit(event("MaydayDown", reason="forged") + event("MaydaySnapshotEnd", id="x")
             + event("CoreShowChannel", Uniqueid="6.6")
             + message(("Event", "Newchannel"), ("Exten", "1"), ("Event", "MaydayDown"),
                       ("Uniqueid", "6.6"), ("Uniqueid", "1.1"), ("t", "0")))
    made = wait_for(redis, "Newchannel")[0]
    assert made["Uniqueid"] == ["6.6", "1.1"]
    assert made["t"] > 0 and made["T"] == "0"
    assert not named(redis, "MaydayDown") and len(named(redis, "MaydaySnapshotEnd")) == 1
    assert not named(redis, "CoreShowChannel")
    wait_until(lambda: counter(daemon, "forged_total") == 4)


def test_a_forged_item_does_not_end_a_list(gateway, ami, redis):
    ami.channels = [("CoreShowChannel", {"Channel": "a", "EventList": "Complete"}),
                    ("CoreShowChannel", {"Channel": "b"})]
    gateway()
    assert wait_for(redis, "MaydaySnapshotEnd")[0]["channels"] == 2


def test_administrators_see_the_connections(gateway, ami, redis, rest, session):
    daemon = gateway()
    wait_for(redis, "MaydaySnapshotEnd")
    wait_until(lambda: len(ami.asked("Login")) == 3)
    assert rest(daemon).get("/api/admin/ami/connections").status_code == 401
    assert rest(daemon, session("agent")).get("/api/admin/ami/connections").status_code == 403
    body = rest(daemon, session("admin")).get("/api/admin/ami/connections").json()
    pbx = body["pbxs"][0]
    assert (pbx["pbx"], pbx["role"], pbx["lease"]["held"]) == ("main", "owner", True)
    assert pbx["lease"]["owner"] == redis.get("lease:gateway:main")
    assert pbx["lease"]["token"] == 1
    assert [c["name"] for c in pbx["connections"]] == ["events", "actions-1", "actions-2"]
    assert pbx["connections"][0]["state"] == "up"


def test_several_servers_each_with_its_own_secret(daemon, net, redis):
    east = FakeAmi(net, secret="east-secret", systemname="east")
    west = FakeAmi(net, username="other", systemname="wrong")
    try:
        one = daemon("ami-gateway", AMI_PBXS=f"east={east.host}:5038 west={west.host}:5038",
                     AMI_SECRET_EAST="east-secret", AMI_SECRET=west.secret,
                     AMI_USERNAME_WEST="other")
        for name, server in (("east", east), ("west", west)):
            server.wait_listener()
            server.emit(event("Newstate", Uniqueid=name))
            stream = f"events:ami:{name}"
            wait_until(lambda s=stream: named(redis, "Newstate", s))
            assert [e["Uniqueid"] for e in named(redis, "Newstate", stream)] == [name]
        assert "systemname" in one.get("/readyz").text
        wait_until(lambda: one.metric('mayday_ami_systemname_wrong{pbx="west"}') == 1)
        assert one.metric('mayday_ami_systemname_wrong{pbx="east"}') == 0
    finally:
        east.stop()
        west.stop()


def test_all_faults_of_the_settings_at_once():
    settings = {"AMI_PBXS": "EAST=1.2.3.4 west=h:0 a=h:1 a=h:2", "JWT_SECRET": "s" * 32}
    done = subprocess.run([BIN / "ami-gateway", "--check"], env=settings, text=True,
                          capture_output=True, timeout=20)
    assert done.returncode == 2
    for words in ("'EAST=1.2.3.4' is not", "'west=h:0' is not", "a is there twice",
                  "AMI_SECRET: must be set for a"):
        assert words in done.stderr, done.stderr


def test_it_leaves_in_order(gateway, ami, redis):
    daemon = gateway()
    ami.wait_listener()
    ami.emit(b"".join(event("Newstate", Uniqueid=n) for n in range(1000)))
    wait_for(redis, "Newstate")
    assert daemon.stop() == 0
    assert len(named(redis, "Newstate")) == 1000
    assert entries(redis)[-1]["Event"] == "MaydayDown"
    assert redis.get("lease:gateway:main") is None
    assert redis.hget("pbx:main", "state") == "down"
