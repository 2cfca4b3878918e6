"""Many SIP calls at once: callers behind the trunk and agents with phones, without media. Each call
does something else by chance (is busy, declined, given up, held, sent on, hung up by either side);
what came of it is kept as .truth."""

import asyncio
import random
import re
import uuid

PORT = 5060
MEDIA_PORT = 40000  # nobody listens: what Asterisk sends there is dropped


def parse(data):
    """(first line, {name: [values]}, body) of a message; names in lower case."""
    head, _, body = data.decode(errors="replace").partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        name = {"v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact"}.get(
            name.strip().lower(), name.strip().lower())
        headers.setdefault(name, []).append(value.strip())
    return first, headers, body


class Dialog:
    """One call of one phone. caller: it sent the INVITE."""

    def __init__(self, side, call_id, local, remote, caller):
        self.side, self.call_id, self.caller = side, call_id, caller
        self.local, self.remote, self.target = local, remote, None
        self.cseq, self.state, self.invite = 1, "early", None
        self.truth = {"result": None, "holds": 0, "sent_on": False, "ended_by": None}
        self.answered, self.over = asyncio.Event(), asyncio.Event()

    def end(self, by):
        if self.truth["ended_by"] is None:
            self.truth["ended_by"] = by
        self.state = "over"
        self.over.set()

    # --- requests within the dialog

    def request(self, method, body="", **headers):
        self.cseq += method != "ACK"
        self.side.send(method, self.target, self, self.cseq, body=body, **headers)

    def hang_up(self):
        if self.state == "up":
            self.request("BYE")
            self.end("me")

    def hold(self, held):
        self.request("INVITE", body=self.side.sdp("sendonly" if held else "sendrecv"))
        self.truth["holds"] += held

    def send_on(self, extension):
        """Blind transfer by the phone."""
        self.truth["sent_on"] = True
        self.request("REFER", **{"Refer-To": f"<sip:{extension}@{self.side.pbx}>"})


class Side(asyncio.DatagramProtocol):
    """One address with any number of phones. on_invite(dialog) is a coroutine: what a called phone
    does."""

    def __init__(self, address, pbx, on_invite=None):
        self.address, self.pbx, self.on_invite = address, pbx, on_invite
        self.dialogs, self.tasks, self.faults = {}, set(), []

    async def open(self):
        loop = asyncio.get_running_loop()
        self.transport, _ = await loop.create_datagram_endpoint(
            lambda: self, local_addr=(self.address, PORT))
        return self

    def sdp(self, direction="sendrecv"):
        return (f"v=0\r\no=- 1 1 IN IP4 {self.address}\r\ns=-\r\nc=IN IP4 {self.address}\r\n"
                f"t=0 0\r\nm=audio {MEDIA_PORT} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na={direction}\r\n")

    def start(self, coroutine):
        task = asyncio.get_running_loop().create_task(coroutine)
        self.tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task):
        self.tasks.discard(task)
        if not task.cancelled() and task.exception():
            self.faults.append(repr(task.exception()))

    # --- out

    def put(self, lines, body=""):
        kind = ["Content-Type: application/sdp"] if body else []
        text = "\r\n".join([*lines, *kind, f"Content-Length: {len(body)}", "", body])
        self.transport.sendto(text.encode(), (self.pbx, PORT))

    def send(self, method, target, dialog, cseq, body="", branch=None, **headers):
        branch = branch or f"z9hG4bK{uuid.uuid4().hex}"
        if method == "INVITE":
            dialog.invite = (target, cseq, branch)
        user = re.search(r"sip:([^@>;]+)", dialog.local)[1]
        self.put([f"{method} {target} SIP/2.0",
                  f"Via: SIP/2.0/UDP {self.address}:{PORT};branch={branch}", "Max-Forwards: 70",
                  f"From: {dialog.local}", f"To: {dialog.remote}", f"Call-ID: {dialog.call_id}",
                  f"CSeq: {cseq} {method}", f"Contact: <sip:{user}@{self.address}:{PORT}>",
                  *(f"{name}: {value}" for name, value in headers.items())], body)

    def reply(self, headers, status, dialog=None, body=""):
        to = headers["to"][0]
        if ";tag=" not in to and dialog is not None:
            to = dialog.local
        user = re.search(r"sip:([^@>;]+)", to)
        self.put([f"SIP/2.0 {status}", *(f"Via: {via}" for via in headers["via"]),
                  f"From: {headers['from'][0]}", f"To: {to}", f"Call-ID: {headers['call-id'][0]}",
                  f"CSeq: {headers['cseq'][0]}",
                  f"Contact: <sip:{user[1] if user else 'x'}@{self.address}:{PORT}>"], body)

    def call(self, number, to):
        """Calls to (a number of ours) as number. Returns the dialog."""
        dialog = Dialog(self, uuid.uuid4().hex, f"<sip:{number}@{self.address}>;tag={uuid.uuid4().hex}",
                        f"<sip:{to}@{self.pbx}>", True)
        self.dialogs[dialog.call_id] = dialog
        dialog.number = number
        self.send("INVITE", f"sip:{to}@{self.pbx}:{PORT}", dialog, 1, body=self.sdp())
        return dialog

    def cancel(self, dialog):
        target, cseq, branch = dialog.invite
        self.send("CANCEL", target, dialog, cseq, branch=branch)

    # --- in

    def datagram_received(self, data, _peer):
        first, headers, _ = parse(data)
        dialog = self.dialogs.get(headers.get("call-id", [""])[0])
        if first.startswith("SIP/2.0 "):
            if dialog is not None:
                self.answer(dialog, int(first.split()[1]), headers)
        else:
            self.asked(first.split()[0], dialog, headers)

    def answer(self, dialog, status, headers):
        cseq, method = headers["cseq"][0].split()
        if method != "INVITE" or status < 180:
            return
        if status < 200:
            return
        if status < 300:
            dialog.remote = headers["to"][0]
            dialog.target = re.search(r"<([^>]+)>", headers["contact"][0])[1]
            self.send("ACK", dialog.target, dialog, cseq)
            if dialog.state == "early":
                dialog.state = "up"
                dialog.truth["result"] = "answered"
                dialog.answered.set()
            return
        target, invited, branch = dialog.invite
        before, dialog.remote = dialog.remote, headers["to"][0]
        self.send("ACK", target, dialog, invited, branch=branch)
        dialog.remote = before
        if dialog.state == "early":
            dialog.truth["result"] = dialog.truth["result"] or str(status)
            dialog.answered.set()
            dialog.end("pbx")

    def asked(self, method, dialog, headers):
        if method == "ACK":
            return
        if method == "INVITE" and dialog is None:
            self.invited(headers)
        elif method == "INVITE":
            if dialog.state == "up":
                self.reply(headers, "200 OK", dialog, self.sdp())
        elif method == "CANCEL" and dialog is not None:
            self.reply(headers, "200 OK", dialog)
            if dialog.state == "early":
                dialog.truth["result"] = "cancelled"
                self.reply(dialog.headers, "487 Request Terminated", dialog)
                dialog.end("caller")
        else:
            self.reply(headers, "200 OK", dialog)
            if method == "BYE" and dialog is not None:
                dialog.end("other")

    def invited(self, headers):
        if self.on_invite is None or ";tag=" in headers["to"][0]:
            self.reply(headers, "481 Call/Transaction Does Not Exist")
            return
        dialog = Dialog(self, headers["call-id"][0], f"{headers['to'][0]};tag={uuid.uuid4().hex}",
                        headers["from"][0], False)
        dialog.headers = headers
        dialog.target = re.search(r"<([^>]+)>", headers["contact"][0])[1]
        dialog.extension = re.search(r"sip:(\d+)@", headers["to"][0])[1]
        self.dialogs[dialog.call_id] = dialog
        self.reply(headers, "180 Ringing", dialog)
        self.start(self.on_invite(dialog))

    def pick_up(self, dialog):
        if dialog.state == "early":
            dialog.state = "up"
            dialog.truth["result"] = "answered"
            self.reply(dialog.headers, "200 OK", dialog, self.sdp())

    def refuse(self, dialog, status):
        if dialog.state == "early":
            dialog.truth["result"] = status.split()[0]
            self.reply(dialog.headers, status, dialog)
            dialog.end("me")


class Crowd:
    """callers call numbers of ours; agents at their phones do what chance (seed) tells them, once
    all calls stand. extensions: where calls may be sent on to."""

    NOBODY_LEFT = "what at_peak returns when Asterisk has died: nobody need hang up"

    def __init__(self, net, extensions, seed=1, talk_s=(2, 6)):
        self.chance, self.extensions, self.talk_s = random.Random(seed), list(extensions), talk_s
        self.agents = Side(f"{net}.98", f"{net}.1", self.at_the_phone)
        self.callers = Side(f"{net}.99", f"{net}.1")
        self.calls, self.sent_on = [], set()

    async def at_the_phone(self, phone):
        fate = self.chance.random()
        await asyncio.sleep(self.chance.uniform(0.2, 1.0))
        if phone.extension in self.sent_on or fate > 0.2:
            self.agents.pick_up(phone)
        elif fate < 0.06:
            self.agents.refuse(phone, "486 Busy Here")
        elif fate < 0.12:
            self.agents.refuse(phone, "603 Decline")
        else:
            return  # rings until the caller gives up
        await self.full.wait()
        await asyncio.sleep(self.chance.uniform(0, self.talk_s[0]))
        if phone.state == "up" and phone.extension not in self.sent_on:
            await self.in_mid_call(phone)

    async def in_mid_call(self, phone):
        fate = self.chance.random()
        if fate < 0.15:
            extension = self.chance.choice(self.extensions)
            self.sent_on.add(extension)
            phone.send_on(extension)
        elif fate < 0.3:
            phone.hold(True)
            await asyncio.sleep(1)
            if phone.state == "up":
                phone.hold(False)
        elif fate < 0.5:
            await asyncio.sleep(self.chance.uniform(1, 3))
            phone.hang_up()

    async def one_call(self, number, extension):
        call = self.callers.call(number, f"7495000{extension}")
        self.calls.append(call)
        try:
            await asyncio.wait_for(call.answered.wait(), 6)
        except asyncio.TimeoutError:
            if call.state == "early":
                call.truth["result"] = "gave up"
                self.callers.cancel(call)
        if call.state == "up":
            await self.full.wait()
            try:
                await asyncio.wait_for(call.over.wait(), self.chance.uniform(*self.talk_s))
            except asyncio.TimeoutError:
                call.hang_up()
        for _ in range(30):  # an answer may have crossed the CANCEL
            if call.over.is_set():
                return
            await asyncio.sleep(1)
            if call.state == "early":  # a datagram was lost
                self.callers.cancel(call)
            call.hang_up()
        raise AssertionError(f"{number} to {extension} never ended: {call.state} {call.truth}")

    async def _run(self, count, per_s, at_peak):
        self.full = asyncio.Event()
        await self.agents.open()
        await self.callers.open()
        running = []
        for number in range(count):
            running.append(asyncio.create_task(self.one_call(
                79160000000 + number, self.extensions[number % len(self.extensions)])))
            await asyncio.sleep(1 / per_s)
        if await asyncio.get_running_loop().run_in_executor(None, at_peak) == Crowd.NOBODY_LEFT:
            for each in running:
                each.cancel()
        self.full.set()
        done = await asyncio.gather(*running, return_exceptions=True)
        await asyncio.sleep(0.5)
        for side in (self.agents, self.callers):
            for task in list(side.tasks):
                task.cancel()
            side.transport.close()
        return [repr(each) for each in done if isinstance(each, Exception)] + self.agents.faults

    def run(self, count, per_s, at_peak=lambda: None):
        """Returns what went wrong with the crowd itself."""
        return asyncio.run(self._run(count, per_s, at_peak))
