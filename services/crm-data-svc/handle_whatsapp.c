/* WhatsApp: the provider's webhook, and messages that people send. */
#include "clock.h"
#include "ids.h"
#include "json.h"
#include "mem.h"
#include "number_index.h"
#include "outbox.h"
#include "routes.h"
#include "settings.h"
#include "task.h"
#include "whatsapp.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define SIGNATURE_HEAD "sha256="

/* ---- the subscription ---- */

static bool is_same_word(const char *word, const char *secret)
{
	unsigned char a[crypto_generichash_BYTES], b[crypto_generichash_BYTES];

	crypto_generichash(a, sizeof(a), (const unsigned char *)word, strlen(word), NULL, 0);
	crypto_generichash(b, sizeof(b), (const unsigned char *)secret, strlen(secret), NULL, 0);
	return secret[0] != '\0' && sodium_memcmp(a, b, sizeof(a)) == 0;
}

void handle_whatsapp_verify(struct http_request *request, void *service)
{
	const char *mode = http_query(request, "hub.mode");
	const char *word = http_query(request, "hub.verify_token");
	const char *challenge = http_query(request, "hub.challenge");
	struct buffer body = {0};

	(void)service;
	if (mode == NULL || strcmp(mode, "subscribe") != 0 || word == NULL || challenge == NULL ||
	    !is_same_word(word, settings.crm.whatsapp_verify)) {
		http_reply_error(request, 403, "forbidden", "This is not the word agreed");
		return;
	}
	buffer_append_str(&body, challenge);
	http_reply_text(request, 200, "text/plain", &body);
}

/* ---- what comes in ---- */

/* X-Hub-Signature-256: HMAC-SHA256 of the body as it came, under the app's secret. */
static bool is_signed(struct http_request *request, const char *body, size_t len)
{
	const char *secret = settings.crm.whatsapp_secret;
	const char *header = http_header(request, "X-Hub-Signature-256");
	unsigned char mac[crypto_auth_hmacsha256_BYTES], given[sizeof(mac)];
	crypto_auth_hmacsha256_state state;
	size_t given_len = 0;

	if (secret[0] == '\0' || header == NULL ||
	    strncmp(header, SIGNATURE_HEAD, sizeof(SIGNATURE_HEAD) - 1) != 0)
		return false;
	header += sizeof(SIGNATURE_HEAD) - 1;
	if (strlen(header) != 2 * sizeof(mac) ||
	    sodium_hex2bin(given, sizeof(given), header, strlen(header), NULL, &given_len, NULL) <
		    0 ||
	    given_len != sizeof(mac))
		return false;
	crypto_auth_hmacsha256_init(&state, (const unsigned char *)secret, strlen(secret));
	crypto_auth_hmacsha256_update(&state, (const unsigned char *)body, len);
	crypto_auth_hmacsha256_final(&state, mac);
	return sodium_memcmp(mac, given, sizeof(mac)) == 0;
}

static void receive(struct db *db, struct task *task)
{
	cJSON *events = cJSON_CreateArray();
	unsigned received = 0;
	enum db_result result = whatsapp_receive(db, task->draft, events, &received);
	cJSON *reply;

	task->events = events; /* what was stored is told, even when a later one failed */
	if (result != DB_OK) {
		task_refuse_db(task, result == DB_CONFLICT ? DB_AWAY : result);
		return;
	}
	reply = cJSON_CreateObject();
	cJSON_AddNumberToObject(reply, "received", received);
	task_reply(task, 200, reply);
}

static void count_received(struct task *task)
{
	task->service->metrics.crm_messages_received_total +=
		(uint64_t)json_get_int(task->reply, "received", 0);
}

void handle_whatsapp_webhook(struct http_request *request, void *_service)
{
	struct service *service = _service;
	const char *error = NULL, *body;
	struct task *task;
	cJSON *payload;
	size_t len;

	body = http_body(request, &len);
	if (!is_signed(request, body, len)) {
		service->metrics.crm_webhooks_refused_total++;
		http_reply_error(request, 403, "invalid_signature", "The signature is not right");
		return;
	}
	payload = json_parse(body, len, &error);
	if (payload == NULL) {
		http_reply_error(request, 400, "invalid_json", "The body is not JSON: %s", error);
		return;
	}
	task = task_new(request, service);
	if (task == NULL) {
		cJSON_Delete(payload);
		return;
	}
	task->draft = payload;
	task->settle = count_received;
	task_run(task, MONGO_FAST, receive);
}

/* ---- what is sent ---- */

static const struct field send_fields[] = {
	{"clientId", FIELD_ID, 0, 0, 0, NULL},
	{"to", FIELD_TEXT, 0, 1, 40, NULL},
	{"text", FIELD_PROSE, 0, 1, 4096, NULL},
	{"templateName", FIELD_NAME, 0, 0, 0, NULL},
	{"templateLanguage", FIELD_TEXT, 0, 2, 16, NULL},
	{"templateParameters", FIELD_TAGS, 0, 0, 20, NULL},
	{"mediaType", FIELD_CHOICE, 0, 0, 0, "image document audio video"},
	{"mediaLink", FIELD_TEXT, 0, 10, 1000, NULL},
	{0},
};

/* Exactly one thing is sent: a text, a template, or media (which may have a text). */
static bool is_complete(const cJSON *draft, struct fault *fault)
{
	const char *link = json_get_str(draft, "mediaLink");
	bool template = json_get_str(draft, "templateName") != NULL;
	bool text = json_get_str(draft, "text") != NULL;

	if ((link != NULL) != (json_get_str(draft, "mediaType") != NULL) ||
	    (link != NULL && strncmp(link, "https://", 8) != 0))
		return fault_set(fault, "invalid_field", "mediaLink",
				 "Media are a type and an https link");
	if (template != (json_get_str(draft, "templateLanguage") != NULL))
		return fault_set(fault, "missing_field", "templateLanguage",
				 "A template has a name and a language");
	if (template + (link != NULL || text) != 1)
		return fault_set(fault, "missing_field", "text",
				 "Send a text, media or a template");
	return true;
}

/* The client of the message, when it names one. False: refused. */
static bool get_client(struct db *db, struct task *task, cJSON **client_r)
{
	const char *id = json_get_str(task->draft, "clientId");
	enum db_result result;

	*client_r = NULL;
	if (id == NULL)
		return true;
	result = record_get(db, &kinds[KIND_CLIENT], id, client_r);
	if (result == DB_OK && (!record_is_live(*client_r) || !scope_sees(&task->scope, *client_r)))
		result = DB_NONE;
	if (result == DB_NONE)
		task_refuse(task, 400, "unknown_client", "There is no such client");
	else if (result != DB_OK)
		task_refuse_db(task, result);
	return result == DB_OK;
}

static bool find_number(struct task *task, const cJSON *client, char number[PHONE_MAX])
{
	const char *to = json_get_str(task->draft, "to");
	const cJSON *phones = cJSON_GetObjectItemCaseSensitive(client, "phones");

	if (to == NULL && phones != NULL)
		to = json_get_str(phones->child, "number");
	if (to == NULL || !phone_normalise(&task->service->phones, to, number)) {
		task_refuse(task, 400, "invalid_number", "There is no number to send it to");
		return false;
	}
	return true;
}

static bool consents(struct task *task, const cJSON *client)
{
	const cJSON *consent = cJSON_GetObjectItemCaseSensitive(client, "consent");

	if (json_get_bool(consent, "whatsapp", true))
		return true;
	task_refuse(task, 409, "no_consent", "The client does not want such messages");
	return false;
}

/* Nobody was named: whose number it is, when that is one client; none of them may have refused. */
static bool find_client(struct db *db, struct task *task, const char *number, cJSON **client_r)
{
	cJSON *found = NULL;
	const cJSON *client;
	enum db_result result = number_index_find(db, number, 10, &found);
	bool ok = result == DB_OK;

	if (!ok)
		task_refuse_db(task, result);
	cJSON_ArrayForEach(client, found)
	{
		ok = ok && consents(task, client);
	}
	if (ok && cJSON_GetArraySize(found) == 1 && scope_sees(&task->scope, found->child)) {
		*client_r = cJSON_DetachItemFromArray(found, 0);
		cJSON_AddStringToObject(task->draft, "clientId", json_get_str(*client_r, "_id"));
	}
	cJSON_Delete(found);
	return ok;
}

static enum db_result put_message(struct db *db, struct task *task, const cJSON *client,
				  const char *number, cJSON *doc)
{
	char conversation[64], id[ID_CALL_LEN + 1];
	const char *team = json_get_str(client, "team");
	enum db_result result = whatsapp_conversation(db, number, clock_wall_ms(), client,
						      task->scope.who.extension, conversation);

	id_call(id);
	cJSON_DeleteItemFromObjectCaseSensitive(doc, "to");
	cJSON_AddStringToObject(doc, "_id", id);
	cJSON_AddStringToObject(doc, "direction", "outbound");
	cJSON_AddStringToObject(doc, "number", number);
	cJSON_AddStringToObject(doc, "status", "queued");
	cJSON_AddStringToObject(doc, "owner", task->scope.who.user_id);
	if (task->scope.who.extension[0] != '\0')
		cJSON_AddStringToObject(doc, "agent", task->scope.who.extension);
	if (team != NULL)
		cJSON_AddStringToObject(doc, "team", team);
	if (result == DB_OK) {
		cJSON_AddStringToObject(doc, "interactionId", conversation);
		result = record_create(db, &kinds[KIND_MESSAGE], doc, &task->actor, "created");
	}
	return result;
}

static void send_message(struct db *db, struct task *task)
{
	cJSON *client, *doc;
	char number[PHONE_MAX];
	enum db_result result;

	if (!get_client(db, task, &client))
		return;
	if (find_number(task, client, number) &&
	    (client != NULL ? consents(task, client) : find_client(db, task, number, &client))) {
		doc = cJSON_Duplicate(task->draft, true);
		result = put_message(db, task, client, number, doc);
		if (result == DB_OK) {
			task_saw(task, json_get_str(doc, "clientId"));
			task->location =
				mem_printf("/api/crm/messages/%s", json_get_str(doc, "_id"));
			task_reply_record(task, 202, doc);
		} else {
			cJSON_Delete(doc);
			task_refuse_db(task, result);
		}
	}
	cJSON_Delete(client);
}

static void post(struct task *task)
{
	if (task->status == 202)
		outbox_add(task->service->outbox, json_get_str(task->reply, "id"));
}

void handle_message_send(struct http_request *request, void *_service)
{
	struct service *service = _service;
	struct task *task;
	struct fault fault;
	cJSON *draft;

	if (settings.crm.whatsapp_url[0] == '\0') {
		http_reply_error(request, 409, "not_configured", "WhatsApp is not set up");
		return;
	}
	draft = cJSON_CreateObject();
	if (fields_apply(send_fields, &service->phones, http_json(request), true, draft, &fault) <
		    0 ||
	    !is_complete(draft, &fault)) {
		cJSON_Delete(draft);
		task_reply_fault(request, &fault);
		return;
	}
	task = task_new(request, service);
	if (task == NULL) {
		cJSON_Delete(draft);
		return;
	}
	task->draft = draft;
	task->settle = post;
	task_run(task, MONGO_FAST, send_message);
}
