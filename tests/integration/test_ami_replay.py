"""Recorded AMI sessions, captured, played back, and through ami-gateway on a real Redis."""

import json
import socket
import subprocess
import time

import pytest

from lib.daemon import BIN, ROOT
from lib.fake_ami import FakeAmi, event
from lib.process import Process, wait_until

DATA = ROOT / "tests/data/ami"
ONE = [path for path in sorted(DATA.glob("*.ami"))
       if not path.stem.endswith(".2") and not (DATA / f"{path.stem}.2.ami").exists()]
LISTS = {"CoreShowChannel", "CoreShowChannelsComplete", "DeviceStateListComplete", "QueueParams",
         "QueueMember", "QueueEntry", "QueueStatusComplete"}


@pytest.fixture
def replay(net, tmp_path):
    """replay(files, options) -> (process, host); it listens already."""
    made = []

    def make(files, *options):
        host = net.address()
        one = Process("ami-replay", [BIN / "ami-replay", "play", "--listen", f"{host}:5038",
                                     *options, *files], tmp_path / f"replay-{len(made)}")
        one.spawn()
        made.append(one)
        wait_until(lambda: "listening" in one.log)
        return one, host

    yield make
    for one in made:
        one.stop()


def login(host, *more):
    client = socket.create_connection((host, 5038), timeout=20)
    actions = (("Login", "ActionID: me-1", "Username: a", "Secret: b"), *more)
    client.sendall("".join(f"Action: {name}\r\n" + "".join(f"{line}\r\n" for line in lines)
                           + "\r\n" for name, *lines in actions).encode())
    return client


def read_all(client):
    received = b""
    while data := client.recv(1 << 20):
        received += data
    return received


def blocks(data):
    return [block.removeprefix(b"\r\n") for block in data.split(b"\r\n\r\n") if block.strip()]


def played(path):
    """What the replay sends of a recording of one connection: all but the login's own."""
    every = blocks(path.read_bytes().split(b"\r\n", 1)[1])
    ids = {request.split(b"ActionID: ")[1].split(b"\r\n")[0]
           for request in blocks(path.with_suffix(".tx").read_bytes())
           if request.split(b"\r\n")[0] in (b"Action: Login", b"Action: Logoff")}
    kept, booted = [], False
    for block in every:
        lines = block.split(b"\r\n")
        if any(line == b"ActionID: " + one for line in lines[:3] for one in ids):
            continue
        if lines[0] == b"Event: FullyBooted" and not booted:
            booted = True
            continue
        kept.append(block)
    return kept


def test_every_byte_but_the_logins(replay):
    process, host = replay(ONE, "--fast")
    received = blocks(read_all(login(host)).split(b"\r\n", 1)[1])
    assert received[0].startswith(b"Response: Success") and received[1] == (
        b"Event: FullyBooted\r\nPrivilege: system,all\r\nUptime: 1\r\nLastReload: 1\r\n"
        b"Status: Fully Booted")
    assert received[2:] == [block for path in ONE for block in played(path)]
    assert process.process.wait(10) == 0


def test_the_recorded_moments(replay):
    path = DATA / "s3-trunk-busy.ami"
    _, host = replay([path], "--speed", "2")
    client = login(host)
    started, first, last = time.monotonic(), None, None
    while data := client.recv(65536):
        if first is None and b"Newchannel" in data:
            first = time.monotonic()
        last = time.monotonic()
    assert first > started
    assert 0.4 <= last - started <= 20  # recorded: from 302 to 1118 ms


def test_a_second_connection_after_the_cut(replay):
    _, host = replay([DATA / "r1-drop-while-ringing.ami"], "--fast")
    first = read_all(login(host))
    assert b"Event: DialBegin" in first
    second = read_all(login(host, ("CoreShowChannels", "ActionID: me-2")))
    assert second.count(b"Event: CoreShowChannel\r\nActionID: me-2") == 2
    assert second.count(b"Event: CoreShowChannelsComplete") == 1
    assert b"Event: Hangup" in second


def test_answers_never_land_inside_a_message(replay):
    path = DATA / "p1-twenty-calls.ami"
    _, host = replay([path], "--speed", "40", "--cut-every", "50", "--seed", "7")
    client = login(host)
    received = b""
    count = 0
    while data := client.recv(4096):
        received += data
        count += 1
        try:
            client.sendall(f"Action: Ping\r\nActionID: p-{count}\r\n\r\n".encode())
        except OSError:
            break
    mine = [b for b in blocks(received) if b.startswith(b"Response") and b"ActionID: p-" in b]
    assert len(mine) > 10
    rest = [b for b in blocks(received.split(b"\r\n", 1)[1])[2:] if b not in mine]
    assert rest == played(path)


def test_timestamps(replay):
    _, host = replay([DATA / "a1-originate-answered-caller-hangs.ami"], "--fast", "--timestamps",
                     "--base-ms", "1700000000000")
    received = blocks(read_all(login(host)))
    stamped = [b for b in received if b"\r\nTimestamp: " in b]
    assert len(stamped) == 110
    assert all(b.split(b"\r\n")[2].startswith(b"Timestamp: 17000000") for b in stamped)
    first = next(b for b in stamped if b.startswith(b"Event: Newchannel"))
    assert b"Timestamp: 1700000000.302000" in first


def test_capture(net, tmp_path):
    ami = FakeAmi(net)
    secret = tmp_path / "secret"
    secret.write_text(ami.secret + "\n")
    one = Process("ami-replay", [BIN / "ami-replay", "capture", "--host", ami.host, "--username",
                                 ami.username, "--secret-file", secret, tmp_path / "made"],
                  tmp_path / "capture")
    one.spawn()
    wait_until(lambda: "recording" in one.log)
    ami.emit(event("Newchannel", Uniqueid="1.1") * 50)
    wait_until(lambda: (tmp_path / "made.ami").stat().st_size >= 0)
    time.sleep(0.5)
    assert one.stop() == 0
    ami.stop()
    received = (tmp_path / "made.ami").read_bytes()
    sent = (tmp_path / "made.tx").read_bytes()
    assert received.count(b"Event: Newchannel") == 50
    assert received.startswith(b"Asterisk Call Manager/")
    assert b"Action: Login" in sent and ami.secret.encode() not in sent
    offsets = {"<": 0, ">": 0}
    for line in (tmp_path / "made.idx").read_text().splitlines():
        _, direction, offset, length = line.split()
        assert int(offset) == offsets[direction]
        offsets[direction] += int(length)
    assert offsets == {"<": len(received), ">": len(sent)}


def test_wrong_use_is_said():
    for options in ([], ["play"], ["play", "--listen", "x", "f"], ["capture", "x"], ["nonsense"],
                    ["play", "--listen", "127.0.0.1:0", "--speed", "0", "f"]):
        done = subprocess.run([BIN / "ami-replay", *options], capture_output=True, timeout=10)
        assert done.returncode == 2, options
        assert done.stdout or done.stderr


def as_entry(block):
    """A block as the gateway must write it, but for t and n."""
    entry = {}
    for line in block.split(b"\r\n"):
        key, colon, value = line.partition(b":")
        if not colon:
            continue
        key = key.decode(errors="replace")
        value = (value[1:] if value[:1] == b" " else value).decode(errors="replace")
        if key in entry and key != "Event":
            entry[key] = (entry[key] if isinstance(entry[key], list) else [entry[key]]) + [value]
        else:
            entry.setdefault(key, value)
    return entry


@pytest.mark.parametrize("options", [("--fast",), ("--fast", "--cut-every", "700", "--seed", "3")])
def test_all_recordings_through_the_gateway(daemon, redis, replay, options):
    """Every recorded event, every header, once and in order, however the bytes are cut."""
    process, host = replay(ONE, *options)
    gateway = daemon("ami-gateway", AMI_HOST=host, AMI_SECRET="any", AMI_EVENT_EXCLUDE="none")
    wait_until(lambda: "played" in process.log, 60)
    expected = [as_entry(b) for path in ONE for b in played(path) if b.startswith(b"Event: ")]
    expected = [entry for entry in expected if entry["Event"] not in LISTS]

    def got():
        entries = [json.loads(fields["e"]) for _, fields in redis.xrange("events:ami:main")]
        return [entry for entry in entries if not entry["Event"].startswith("Mayday")]
    wait_until(lambda: redis.xlen("events:ami:main") >= len(expected) + 3, 60)
    entries = got()
    assert [entry["n"] for entry in entries] == sorted(entry["n"] for entry in entries)
    for entry in entries:
        del entry["t"], entry["n"]
    assert len(entries) == len(expected)
    assert entries == expected
    wait_until(lambda: gateway.metric('mayday_ami_events_total{pbx="main"}') >= len(expected))
    assert gateway.metric('mayday_ami_torn_total{pbx="main"}') == 0
