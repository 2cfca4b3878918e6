"""A server that speaks the Cloud API as far as messages are sent, and signs webhooks."""

import hashlib
import hmac
import http.server
import itertools
import json
import threading

import requests

SECRET, TOKEN, VERIFY, NUMBER = "app-secret", "wa-token", "verify-word", "10987"


class FakeWhatsapp:
    """.sent: bodies that were taken; .answers: statuses to give next instead of 200."""

    def __init__(self, net):
        self.sent, self.asked, self.answers = [], [], []
        self._numbers = itertools.count(1)
        fake = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                fake.asked.append((self.path, self.headers["Authorization"], body))
                status = fake.answers.pop(0) if fake.answers else 200
                if status == 200:
                    fake.sent.append(body)
                    answer = {"messages": [{"id": f"wamid.OUT{next(fake._numbers)}="}]}
                else:
                    answer = {"error": {"message": f"no: {status}", "code": status}}
                text = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer((net.address(), 8080), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def settings(self):
        host, port = self._server.server_address
        return {"WHATSAPP_URL": f"http://{host}:{port}/v19.0", "WHATSAPP_NUMBER_ID": NUMBER,
                "WHATSAPP_TOKEN": TOKEN, "WHATSAPP_SECRET": SECRET,
                "WHATSAPP_VERIFY_TOKEN": VERIFY}

    def stop(self):
        self._server.shutdown()
        self._server.server_close()


def webhook(*, messages=(), statuses=()):
    return {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [
        {"field": "messages", "value": {"messaging_product": "whatsapp",
                                        "metadata": {"phone_number_id": NUMBER},
                                        "messages": list(messages), "statuses": list(statuses)}}]}]}


def text(number, identity, body="Hello", at=1_790_000_000):
    return {"from": number, "id": identity, "timestamp": str(at), "type": "text",
            "text": {"body": body}}


def deliver(url, payload, secret=SECRET, **headers):
    """Posts a webhook as the provider does. payload: a dict, or bytes as they are."""
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    mac = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return requests.post(url + "/api/crm/whatsapp/webhook", data=body, timeout=10, headers={
        "Content-Type": "application/json", "X-Hub-Signature-256": f"sha256={mac}", **headers})
