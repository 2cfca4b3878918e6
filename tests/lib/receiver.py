"""An HTTP server that takes what webhooks send, and answers what a test wants."""

import hashlib
import hmac
import http.server
import json
import threading


class Receiver:
    """.taken are (headers, message) of deliveries that were answered with 2xx; .status is what is
    answered, or a list of what is answered next, its last for ever. hold() keeps answers back."""

    def __init__(self, net):
        self.taken, self.refused, self.status = [], [], 200
        self.free = threading.Event()
        self.free.set()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.free.wait(30)
                status = receiver._next_status()
                kept = receiver.taken if 200 <= status < 300 else receiver.refused
                kept.append((self.headers, body))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.send_header("Location", "http://127.0.0.1:1/")
                self.end_headers()

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer((net.address(), 8080), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = "http://%s:%d/hook" % self.server.server_address

    def _next_status(self):
        if isinstance(self.status, list):
            return self.status.pop(0) if len(self.status) > 1 else self.status[0]
        return self.status

    def hold(self):
        self.free.clear()

    def release(self):
        self.free.set()

    @property
    def messages(self):
        return [json.loads(body) for _, body in self.taken]

    @property
    def cursors(self):
        return [each["cursor"] for each in self.messages]

    def signed_by(self, secret):
        """Whether every delivery that was taken bears the right signature."""
        return all(hmac.compare_digest(
            headers["Mayday-Signature"],
            "v1=" + hmac.new(secret.encode(), headers["Mayday-Timestamp"].encode() + b"." + body,
                             hashlib.sha256).hexdigest()) for headers, body in self.taken)

    def close(self):
        self.free.set()
        self.server.shutdown()
        self.server.server_close()
