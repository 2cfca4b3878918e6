"""A SIP phone that rings and then refuses, with any final status: what baresip cannot do."""

import socket
import threading
import time

COPIED = ("via", "from", "call-id", "cseq")


class Refuser:
    """Listens at (host, 5060). status: "603 Decline". Never answers anything else than INVITE."""

    def __init__(self, host, status, ring_s=0.3):
        self.status, self.ring_s = status, ring_s
        self.refused_at = None
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((host, 5060))
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self):
        self._socket.close()

    def _serve(self):
        known = set()
        while True:
            try:
                data, peer = self._socket.recvfrom(65536)
            except OSError:
                return
            text = data.decode(errors="replace")
            branch = next((line for line in text.split("\r\n") if line.startswith("Via:")), "")
            if text.startswith("INVITE ") and branch not in known:
                known.add(branch)
                self._answer(text, "180 Ringing", peer)
                time.sleep(self.ring_s)
                self.refused_at = int(time.time() * 1000)
                self._answer(text, self.status, peer)

    def _answer(self, request, status, peer):
        lines = request.split("\r\n\r\n")[0].split("\r\n")[1:]
        kept = [line for line in lines if line.split(":")[0].strip().lower() in COPIED]
        to = next(line for line in lines if line.lower().startswith("to:"))
        answer = [f"SIP/2.0 {status}", *kept, f"{to};tag=refuser", "Content-Length: 0", "", ""]
        self._socket.sendto("\r\n".join(answer).encode(), peer)
