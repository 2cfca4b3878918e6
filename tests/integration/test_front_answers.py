"""nginx with the real configuration of deploy/nginx, before a service that does what a test wants."""

import gzip
import http.server
import json
import re
import socket
import ssl
import threading

import pytest
import requests
import urllib3

from lib import scratch
from lib.client import assert_error
from lib.daemon import ROOT
from lib.net import Net
from lib.stack import Stack

CALLS = "/api/ami/calls"
HEADERS = {"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
           "Referrer-Policy": "no-referrer"}
urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)


class Service:
    """Stands where call-lifecycle does. answer(handler) does what the test says; .connections are
    the peers' ports, one of each request."""

    def __init__(self, host, port):
        service = self
        self.answer, self.connections, self.headers = None, [], []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                service.connections.append(self.client_address[1])
                service.headers.append(self.headers)
                service.answer(self)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer((host, port), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def says(self, body, status=200, **headers):
        def answer(handler):
            handler.send_response(status)
            for name, value in {"Content-Type": "application/json", **headers}.items():
                handler.send_header(name.replace("_", "-"), value)
            handler.send_header("Content-Length", str(len(body)))
            handler.end_headers()
            handler.wfile.write(body)
        self.answer, self.connections, self.headers = answer, [], []


@pytest.fixture(scope="module")
def front():
    net = Net()
    stack = Stack(net.prefix, scratch.directory("front"))
    stack.environment["MAYDAY_RATE_HEAVY"] = "1"
    stack.https = f"https://{net.prefix}.5:8443"
    stack.up("nginx")
    yield stack
    stack.wipe()
    scratch.remove(stack.run)
    net.close()


@pytest.fixture(scope="module")
def service(front):
    service = Service(f"{front.prefix}.12", 8102)
    yield service
    service.server.shutdown()
    service.server.server_close()


def get(front, path, **options):
    return requests.get(front.url + path, timeout=10, **options)


def test_every_daemon_of_the_list_has_an_upstream(front):
    upstreams = (front.run / "nginx/upstreams.conf").read_text()
    rows = [line.split() for line in (ROOT / "deploy/services").read_text().splitlines()
            if line and not line.startswith("#")]
    for name, host, port, live, *_ in rows:
        assert f"upstream {name} {{" in upstreams
        assert f"server {front.prefix}.{host}:{port} " in upstreams
        assert live == "-" or f"upstream {name}-live {{" in upstreams
        assert live == "-" or f"upstream {name}-sticky {{\n\thash $remote_addr " in upstreams
    routes = (ROOT / "deploy/nginx/routes.conf").read_text()
    named = set(re.findall(r"proxy_pass http://([\w-]+);", routes))
    assert named <= set(re.findall(r"upstream ([\w-]+) {", upstreams))


@pytest.mark.parametrize("path, status", [("/healthz", 200), ("/nothing", 404), ("/api/users", 502)])
def test_every_answer_carries_the_headers_that_keep_browsers_safe(front, path, status):
    answer = get(front, path)
    assert answer.status_code == status
    for name, value in HEADERS.items():
        assert answer.headers[name] == value
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert "Strict-Transport-Security" not in answer.headers
    assert "nginx/" not in answer.headers["Server"]


def test_the_services_own_answers_carry_them_too(front, service):
    service.says(b"{}", 503, Retry_After="7")
    answer = get(front, CALLS)
    assert answer.headers["Retry-After"] == "7" and answer.headers["X-Frame-Options"] == "DENY"


def test_tls(front, service):
    service.says(b'{"calls":[]}')
    answer = requests.get(front.https + CALLS, timeout=10,
                          verify=front.run / "secrets/tls/certificate.pem")
    assert answer.json() == {"calls": []}
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert service.headers[0]["X-Forwarded-Proto"] == "https"


def test_old_tls_is_refused(front):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with pytest.warns(DeprecationWarning):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with socket.create_connection((f"{front.prefix}.5", 8443), 5) as plain:
        with pytest.raises(ssl.SSLError):
            context.wrap_socket(plain)


def test_plain_http_at_the_port_of_tls_is_told_so_as_json(front):
    answer = requests.get(front.https.replace("https", "http") + CALLS, timeout=10)
    assert_error(answer, 400, "tls_required")


def test_a_long_list_is_compressed_and_a_short_one_is_not(front, service):
    long = json.dumps({"calls": ["x" * 40] * 200}).encode()
    service.says(long)
    answer = get(front, CALLS, stream=True)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(answer.raw.read(decode_content=False)) == long
    service.says(b"{}")
    assert "Content-Encoding" not in get(front, CALLS).headers


def test_connections_to_a_service_are_kept(front, service):
    service.says(b"{}")
    for _ in range(20):
        assert get(front, CALLS).status_code == 200
    assert len(set(service.connections)) < 10  # one for each worker of nginx, not one a request


def test_the_service_learns_who_asks(front, service):
    service.says(b"{}")
    get(front, CALLS, headers={"X-Request-ID": "mine", "X-Forwarded-For": "6.6.6.6", "X-Real-IP": "6.6.6.6"})
    seen = service.headers[0]
    assert seen["X-Request-ID"] == "mine"
    assert seen["X-Real-IP"] == seen["X-Forwarded-For"] != "6.6.6.6"


def test_a_service_that_is_away_is_a_502_with_a_time_to_come_back(front):
    answer = get(front, "/api/crm/clients")
    assert_error(answer, 502, "bad_gateway")
    assert answer.headers["Retry-After"] == "1"


def test_sound_goes_out_by_nginx_when_the_service_says_so(front, service):
    folder = front.run / "asterisk/spool/monitor"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "r1.wav").write_bytes(b"RIFF" + bytes(5000))
    service.says(b"", X_Accel_Redirect="/_recordings/r1.wav", Content_Type="audio/wav")
    answer = get(front, "/api/ami/recordings/r1/audio")
    assert answer.status_code == 200 and len(answer.content) == 5004
    assert answer.headers["Content-Type"] == "audio/wav"
    part = get(front, "/api/ami/recordings/r1/audio", headers={"Range": "bytes=0-3"})
    assert part.status_code == 206 and part.content == b"RIFF"
    assert_error(get(front, "/_recordings/r1.wav"), 404, "not_found")


def test_sound_that_is_not_there(front, service):
    service.says(b"", X_Accel_Redirect="/_recordings/none.wav")
    assert_error(get(front, "/api/ami/recordings/none/audio"), 404, "not_found")


def test_files_of_a_page_are_served_and_nothing_beside_them(front):
    (front.run / "static/app").mkdir(parents=True, exist_ok=True)
    (front.run / "static/index.html").write_text("<p>hello")
    (front.run / "static/app/a.js").write_text("1")
    try:
        assert get(front, "/").text == "<p>hello"
        assert get(front, "/app/a.js").headers["Content-Type"] == "text/javascript"
        assert_error(get(front, "/app/../../secrets/redis"), 404, "not_found")
        assert_error(get(front, "/%2e%2e/secrets/redis"), 400, "bad_request")
    finally:
        (front.run / "static/index.html").unlink()
    assert_error(get(front, "/"), 404, "not_found")


def test_one_who_runs_wild_is_held_back_by_class_of_route(front, service):
    service.says(b"{}")
    with requests.Session() as client:
        heavy = [client.get(front.url + "/api/admin/call-stats", timeout=10) for _ in range(160)]
    refused = [answer for answer in heavy if answer.status_code == 429]
    assert refused and heavy[0].status_code == 200
    assert_error(refused[0], 429, "too_many_requests")
    assert refused[0].headers["Retry-After"] == "1"
    assert get(front, CALLS).status_code == 200  # another class goes on
