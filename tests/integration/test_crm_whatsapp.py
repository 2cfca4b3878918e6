"""crm-data-svc: WhatsApp in and out, against a server that speaks the same."""

import json

import pytest
import requests

from lib.client import assert_error
from lib.fake_whatsapp import VERIFY, FakeWhatsapp, deliver, text, webhook
from lib.process import wait_until
from test_crm_records import make


@pytest.fixture
def provider(net):
    fake = FakeWhatsapp(net)
    yield fake
    fake.stop()


@pytest.fixture
def service(daemon, mongo, provider):
    return daemon("crm-data-svc", CRM_LEASE_TTL_MS=500, WHATSAPP_TRIES=3, **mongo.settings,
                  **provider.settings)


@pytest.fixture
def agent(service, session, rest):
    return rest(service, session("agent", "1001"))


def told(redis, kind):
    events = [json.loads(fields["e"]) for _, fields in redis.xrange("events:crm")]
    return [each for each in events if each["eventType"] == f"crm:{kind}"]


def test_the_provider_subscribes(service):
    def ask(**query):
        return requests.get(service.url + "/api/crm/whatsapp/webhook", timeout=5, params={
            f"hub.{name}": value for name, value in query.items()})
    good = ask(mode="subscribe", verify_token=VERIFY, challenge="1234")
    assert good.status_code == 200 and good.text == "1234"
    for wrong in ({"mode": "subscribe", "verify_token": "guess", "challenge": "1"},
                  {"mode": "other", "verify_token": VERIFY, "challenge": "1"}, {}):
        assert_error(ask(**wrong), 403, "forbidden")


def test_messages_come_in_once_and_find_their_client(service, agent, redis, mongo):
    anna = make(agent, "clients", name="Anna", phones=["030 901820"])
    payload = webhook(messages=[
        text("4930901820", "wamid.A1=="), text("4930901820", "wamid.A2==", "Still there?"),
        {"from": "4930901820", "id": "wamid.A3", "timestamp": "1790000100", "type": "image",
         "image": {"id": "m1", "mime_type": "image/jpeg", "caption": "The kettle"}},
        text("491715550001", "wamid.B1", "Who am I?")])
    assert deliver(service.url, payload).json() == {"received": 4}
    assert deliver(service.url, payload).json() == {"received": 0}
    messages = agent.get(f"/api/crm/messages?clientId={anna['id']}&sort=createdAt").json()["messages"]
    assert [each.get("text") for each in messages] == ["Hello", "Still there?", "The kettle"]
    assert messages[2]["media"] == {"id": "m1", "mimeType": "image/jpeg"}
    conversation = {each["interactionId"] for each in messages}
    assert len(conversation) == 1
    one = agent.get(f"/api/crm/interactions/{conversation.pop()}").json()
    assert one["kind"] == "whatsapp" and one["clientId"] == anna["id"]
    received = told(redis, "message_received")
    assert len(received) == 4 and received[0]["data"]["clientId"] == anna["id"]
    assert "clientId" not in received[3]["data"]
    later = webhook(messages=[text("4930901820", "wamid.A4", at=1_790_000_000 + 3 * 86400)])
    assert deliver(service.url, later).json() == {"received": 1}
    assert mongo.database.interactions.count_documents({"clientId": anna["id"]}) == 2
    found = agent.get("/api/crm/search?q=kettle&in=messages").json()["messages"]
    assert [each["text"] for each in found] == ["The kettle"]


def test_forged_and_broken_webhooks_are_refused(service, mongo):
    good = webhook(messages=[text("4930901820", "wamid.A1")])
    assert_error(deliver(service.url, good, secret="guess"), 403, "invalid_signature")
    for header in ("", "sha256=", "sha256=" + "0" * 64, "sha1=" + "0" * 40, "sha256=zz" * 20):
        answer = deliver(service.url, good, **{"X-Hub-Signature-256": header})
        assert_error(answer, 403, "invalid_signature")
    assert service.metric("mayday_crm_webhooks_refused_total") == 6
    for broken in (b"", b"{", b"\xff\xfe", b'{"a":' * 100):
        assert_error(deliver(service.url, broken), 400, "invalid_json")
    for odd in ({}, {"entry": 1}, {"entry": [1, None, {"changes": [{"value": [1]}]}]},
                webhook(messages=[{}, {"from": {"$gt": ""}, "id": 1}, text("x", "wamid.1"),
                                  text("4930901820", "a b\n$"), text("0", "wamid.2")]),
                webhook(statuses=[{}, {"id": "wamid.9", "status": "read"},
                                  {"biz_opaque_callback_data": "none", "status": "read"}])):
        assert deliver(service.url, odd).json() == {"received": 0}, odd
    assert mongo.database.messages.count_documents({}) == 0


def test_what_the_provider_says_is_kept_as_text_alone(service, mongo):
    odd = webhook(
        messages=[text("4930901820", "wamid.L", "ä" * 3000),
                  {"from": "4930901820", "id": "wamid.M", "timestamp": "1", "type": "document",
                   "document": {"id": "m", "mime_type": {"$gt": 1}, "filename": "x" * 5000}}],
        statuses=[{"id": {"$ne": 1}, "status": "read", "biz_opaque_callback_data": "in-wamid.L"}])
    assert deliver(service.url, odd).json() == {"received": 2}
    long, document = mongo.database.messages.find().sort("_id", 1)
    assert long["text"] == "ä" * 2048 and long["status"] == "received"
    assert document["media"] == {"id": "m", "filename": "x" * 255}


def test_a_message_goes_out_and_is_followed(service, agent, provider, redis):
    anna = make(agent, "clients", name="Anna", phones=["030 901820"])
    sent = agent.post("/api/crm/messages", {"clientId": anna["id"], "text": "Your kettle is here"})
    assert sent.status_code == 202 and sent.json()["status"] == "queued"
    path = sent.headers["Location"]
    wait_until(lambda: agent.get(path).json()["status"] == "sent")
    where, authorization, body = provider.asked[0]
    assert where == "/v19.0/10987/messages" and authorization == "Bearer wa-token"
    assert body["to"] == "4930901820" and body["text"] == {"body": "Your kettle is here"}
    for status in ("delivered", "read", "delivered"):
        deliver(service.url, webhook(statuses=[{
            "id": "wamid.OUT1=", "status": status, "timestamp": "1790000000",
            "recipient_id": "4930901820", "biz_opaque_callback_data": sent.json()["id"]}]))
    assert agent.get(path).json()["status"] == "read"
    wait_until(lambda: [each["data"]["status"] for each in told(redis, "message_status")]
               == ["sent", "delivered", "read"])
    assert told(redis, "message_status")[0]["extension"] == "1001"
    assert redis.zcard("crm:outbox") == 0


def test_templates_and_media(agent, provider):
    assert agent.post("/api/crm/messages", {
        "to": "0171 5550001", "templateName": "order_ready", "templateLanguage": "de",
        "templateParameters": ["Anna", "4711"]}).status_code == 202
    assert agent.post("/api/crm/messages", {
        "to": "+491715550001", "mediaType": "image", "mediaLink": "https://example.org/kettle.jpg",
        "text": "This one?"}).status_code == 202
    wait_until(lambda: len(provider.sent) == 2)
    kinds = {body["type"]: body for body in provider.sent}
    assert kinds["template"]["template"]["components"][0]["parameters"] == [
        {"type": "text", "text": "Anna"}, {"type": "text", "text": "4711"}]
    assert kinds["image"]["image"] == {"link": "https://example.org/kettle.jpg",
                                       "caption": "This one?"}


def test_what_the_provider_cannot_take_now_is_offered_again(agent, provider, redis):
    provider.answers += [500, 429]
    sent = agent.post("/api/crm/messages", {"to": "0171 5550001", "text": "Hello"})
    wait_until(lambda: agent.get(sent.headers["Location"]).json()["status"] == "sent", 30)
    assert len(provider.asked) == 3 and len(provider.sent) == 1
    provider.answers += [400]
    refused = agent.post("/api/crm/messages", {"to": "0171 5550001", "text": "Hello"})
    failed = wait_until(lambda: [each for each in [agent.get(refused.headers["Location"]).json()]
                                 if each["status"] == "failed"], 30)
    assert failed[0]["error"] == "no: 400" and failed[0]["tries"] == 1
    provider.answers += [503] * 3
    lost = agent.post("/api/crm/messages", {"to": "0171 5550001", "text": "Hello"})
    wait_until(lambda: agent.get(lost.headers["Location"]).json()["status"] == "failed", 30)
    assert len(provider.sent) == 1


def test_a_restart_loses_no_message(service, agent, provider, redis, mongo):
    service.stop()
    mongo.database.messages.insert_one({
        "_id": "1790000000000-00000001", "v": 1, "direction": "outbound", "status": "queued",
        "number": "+491715550001", "text": "Left behind", "k": {"live": True}})
    service.start()
    wait_until(lambda: provider.sent)
    assert provider.sent[0]["text"]["body"] == "Left behind"


def test_what_cannot_be_sent_is_refused(agent, service):
    client = make(agent, "clients", name="No", phones=["030 901820"], consent={"whatsapp": False})
    assert_error(agent.post("/api/crm/messages", {"clientId": client["id"], "text": "x"}), 409,
                 "no_consent")
    assert_error(agent.post("/api/crm/messages", {"to": "+49 (0)30 901820", "text": "x"}), 409,
                 "no_consent")
    known = make(agent, "clients", name="Known", phones=["030 444444"])
    sent = agent.post("/api/crm/messages", {"to": "030 444444", "text": "x"})
    assert sent.json()["clientId"] == known["id"]
    nobody = make(agent, "clients", name="Nobody")
    for body in ({}, {"text": "x"}, {"to": "abc", "text": "x"}, {"to": "0171 5550001"},
                 {"clientId": nobody["id"], "text": "x"}, {"clientId": "none", "text": "x"},
                 {"to": "0171 5550001", "text": {"$gt": ""}},
                 {"to": "0171 5550001", "mediaType": "image", "mediaLink": "file:///etc/passwd"},
                 {"to": "0171 5550001", "mediaLink": "https://example.org/x"},
                 {"to": "0171 5550001", "templateName": "x"},
                 {"to": "0171 5550001", "text": "x", "templateName": "x", "templateLanguage": "de"},
                 {"to": "0171 5550001", "text": "x" * 5000}):
        assert agent.post("/api/crm/messages", body).status_code == 400, body
