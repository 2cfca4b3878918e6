/* https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/payload-examples */
#include "whatsapp.h"

#include "activity.h"
#include "crm_event.h"
#include "ids.h"
#include "json.h"
#include "mem.h"
#include "number_index.h"
#include "utf8.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONVERSATIONS   "conversations"
#define CONVERSATION_MS 86400000
#define TEXT_MAX        4096
#define WORD_MAX        255

static const struct kind *const messages = &kinds[KIND_MESSAGE];

static void copy(cJSON *into, const char *name, const cJSON *from, const char *field)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(from, field);

	if (item != NULL)
		cJSON_AddItemToObject(into, name, cJSON_Duplicate(item, true));
}

/* ---- conversations ---- */

static cJSON *make_conversation(const char *id, int64_t at_ms, const char *number,
				const cJSON *client, const char *agent)
{
	cJSON *doc = cJSON_CreateObject();

	cJSON_AddStringToObject(doc, "_id", id);
	cJSON_AddStringToObject(doc, "kind", "whatsapp");
	cJSON_AddStringToObject(doc, "state", "closed");
	cJSON_AddStringToObject(doc, "number", number);
	cJSON_AddNumberToObject(doc, "startedAt", (double)at_ms);
	if (agent != NULL && agent[0] != '\0')
		cJSON_AddStringToObject(doc, "agent", agent);
	copy(doc, "clientId", client, "_id");
	copy(doc, "team", client, "team");
	copy(doc, "owner", client, "owner");
	return doc;
}

/* Which one is going on with a number: {"_id": number, "interactionId", "lastAt"}. */
static enum db_result remember(struct db *db, const char *number, const char *id, int64_t at_ms)
{
	cJSON *doc = cJSON_CreateObject();
	enum db_result result;

	cJSON_AddStringToObject(doc, "_id", number);
	cJSON_AddStringToObject(doc, "interactionId", id);
	cJSON_AddNumberToObject(doc, "lastAt", (double)at_ms);
	result = db_put(db, CONVERSATIONS, doc);
	cJSON_Delete(doc);
	return result;
}

/* Made of the number and the time, so that an attempt that went no further is found again; it does
   not tell the number. */
static void make_conversation_id(const char *number, int64_t at_ms, char id_r[64])
{
	unsigned char hash[crypto_generichash_BYTES_MIN];
	char text[64], hex[2 * sizeof(hash) + 1];

	snprintf(text, sizeof(text), "%s %" PRId64, number, at_ms);
	crypto_generichash(hash, sizeof(hash), (const unsigned char *)text, strlen(text), NULL, 0);
	sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash));
	snprintf(id_r, 64, "wa-%s", hex);
}

enum db_result whatsapp_conversation(struct db *db, const char *number, int64_t at_ms,
				     const cJSON *client, const char *agent, char id_r[64])
{
	cJSON *known = NULL, *doc;
	int64_t last_ms;
	enum db_result result = db_get(db, CONVERSATIONS, number, &known);

	last_ms = json_get_int(known, "lastAt", 0);
	make_conversation_id(number, at_ms, id_r);
	if (result == DB_OK && at_ms - last_ms < CONVERSATION_MS) {
		snprintf(id_r, 64, "%s", json_get_str(known, "interactionId"));
		at_ms = at_ms > last_ms ? at_ms : last_ms;
	} else if (result == DB_OK || result == DB_NONE) {
		doc = make_conversation(id_r, at_ms, number, client, agent);
		result = record_create(db, &kinds[KIND_INTERACTION], doc, &actor_system, "opened");
		if (result == DB_OK)
			activity_note(db, doc);
		if (result == DB_DUPLICATE) /* made by an attempt that went no further */
			result = DB_OK;
		cJSON_Delete(doc);
	}
	cJSON_Delete(known);
	return result == DB_OK ? remember(db, number, id_r, at_ms) : result;
}

/* ---- messages that come in ---- */

/* The provider's id with what an id of ours may hold. */
static bool make_id(const char *provider_id, char out[160])
{
	int len = snprintf(out, 160, "in-%s", provider_id);

	if (len <= 3 || len >= 160)
		return false;
	for (char *at = out; *at != '\0'; at++)
		if (strchr("=+/ ", *at) != NULL)
			*at = '_';
	return id_is_safe(out, 159);
}

/* A text of the provider's, cut between two characters; what is no text is left out. */
static void copy_text(cJSON *doc, const char *name, const char *text, size_t max)
{
	size_t len = 0, step;
	char *cut;

	if (text == NULL)
		return;
	while (text[len] != '\0' &&
	       (step = utf8_sequence(text + len, strnlen(text + len, 4))) > 0 && len + step <= max)
		len += step;
	cut = mem_strndup(text, len);
	cJSON_AddStringToObject(doc, name, cut);
	free(cut);
}

/* The part of a message that its type names: text, image, audio, button ... */
static void read_content(const cJSON *message, cJSON *doc)
{
	const char *type = json_get_str(message, "type");
	const cJSON *part = type != NULL ? cJSON_GetObjectItemCaseSensitive(message, type) : NULL;
	const char *media_id = json_get_str(part, "id"), *text = json_get_str(part, "body");
	cJSON *media;

	text = text != NULL ? text : json_get_str(part, "caption");
	copy_text(doc, "text", text != NULL ? text : json_get_str(part, "text"), TEXT_MAX);
	cJSON_AddStringToObject(doc, "type", type != NULL && strlen(type) <= 40 ? type : "unknown");
	if (media_id == NULL)
		return;
	media = cJSON_AddObjectToObject(doc, "media");
	copy_text(media, "id", media_id, WORD_MAX);
	copy_text(media, "mimeType", json_get_str(part, "mime_type"), WORD_MAX);
	copy_text(media, "filename", json_get_str(part, "filename"), WORD_MAX);
}

static cJSON *make_message(const cJSON *message, const char *id, const char *number)
{
	cJSON *doc = cJSON_CreateObject();
	const char *seconds = json_get_str(message, "timestamp");

	cJSON_AddStringToObject(doc, "_id", id);
	cJSON_AddStringToObject(doc, "direction", "inbound");
	cJSON_AddStringToObject(doc, "number", number);
	cJSON_AddStringToObject(doc, "status", "received");
	cJSON_AddNumberToObject(doc, "sentAt",
				seconds != NULL ? 1000 * (double)strtoll(seconds, NULL, 10) : 0);
	copy(doc, "providerId", message, "id");
	read_content(message, doc);
	return doc;
}

static void tell_received(const cJSON *doc, cJSON *events)
{
	static const char *const fields[] = {"number", "clientId", "interactionId", "type"};
	cJSON *data = cJSON_CreateObject();
	const char *text = json_get_str(doc, "text");

	cJSON_AddStringToObject(data, "messageId", json_get_str(doc, "_id"));
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		copy(data, fields[i], doc, fields[i]);
	if (text != NULL)
		cJSON_AddStringToObject(data, "text", text);
	cJSON_AddItemToArray(events, crm_event_new("crm:message_received", NULL,
						   json_get_str(doc, "agent"), data));
}

static enum db_result store_message(struct db *db, cJSON *doc, const char *number, cJSON *events,
				    unsigned *received)
{
	cJSON *clients = NULL, *client, *known = NULL;
	char conversation[64];
	enum db_result result = record_get(db, messages, json_get_str(doc, "_id"), &known);

	cJSON_Delete(known);
	if (result != DB_NONE)
		return result; /* it is there */
	result = number_index_find(db, number, 2, &clients);
	client = cJSON_GetArraySize(clients) == 1 ? clients->child : NULL;
	if (result == DB_OK)
		result = whatsapp_conversation(db, number, json_get_int(doc, "sentAt", 0), client,
					       NULL, conversation);
	if (result == DB_OK) {
		copy(doc, "clientId", client, "_id");
		copy(doc, "team", client, "team");
		cJSON_AddStringToObject(doc, "interactionId", conversation);
		result = record_create(db, messages, doc, &actor_system, "received");
	}
	if (result == DB_OK) {
		tell_received(doc, events);
		(*received)++;
	}
	cJSON_Delete(clients);
	return result == DB_DUPLICATE ? DB_OK : result;
}

static enum db_result receive_message(struct db *db, const cJSON *message, cJSON *events,
				      unsigned *received)
{
	const char *from = json_get_str(message, "from"), *id = json_get_str(message, "id");
	static const struct phone_rules international = {"", "", ""};
	char own_id[160], number[PHONE_MAX], plus[PHONE_MAX + 1];
	cJSON *doc;
	enum db_result result;

	if (from == NULL || id == NULL || strlen(from) >= PHONE_MAX || !make_id(id, own_id))
		return DB_OK;
	snprintf(plus, sizeof(plus), "+%s", from);
	if (!phone_normalise(&international, plus, number))
		return DB_OK;
	doc = make_message(message, own_id, number);
	result = store_message(db, doc, number, events, received);
	cJSON_Delete(doc);
	return result;
}

/* ---- what became of those that were sent ---- */

static int rank_of(const char *status)
{
	static const char *const order[] = {"queued", "sent", "delivered", "read", "failed"};

	for (int i = 0; status != NULL && i < 5; i++)
		if (strcmp(order[i], status) == 0)
			return i;
	return -1;
}

cJSON *whatsapp_status_event(const cJSON *message)
{
	static const char *const fields[] = {"number", "status", "clientId", "interactionId",
					     "error"};
	cJSON *data = cJSON_CreateObject();

	cJSON_AddStringToObject(data, "messageId", json_get_str(message, "_id"));
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		copy(data, fields[i], message, fields[i]);
	return crm_event_new("crm:message_status", NULL, json_get_str(message, "agent"), data);
}

static enum db_result change_status(struct db *db, const cJSON *before, const cJSON *status,
				    cJSON *events)
{
	cJSON *after = cJSON_Duplicate(before, true);
	const cJSON *errors = cJSON_GetObjectItemCaseSensitive(status, "errors");
	const char *title = errors != NULL ? json_get_str(errors->child, "title") : NULL;
	enum db_result result;

	cJSON_DeleteItemFromObjectCaseSensitive(after, "status");
	cJSON_DeleteItemFromObjectCaseSensitive(after, "providerId");
	copy(after, "status", status, "status");
	copy_text(after, "providerId", json_get_str(status, "id"), WORD_MAX);
	copy_text(after, "error", title, WORD_MAX);
	result = record_change(db, messages, before, after, &actor_system,
			       json_get_str(after, "status"));
	if (result == DB_OK)
		cJSON_AddItemToArray(events, whatsapp_status_event(after));
	cJSON_Delete(after);
	return result;
}

static bool is_outbound(const cJSON *message)
{
	const char *direction = json_get_str(message, "direction");

	return direction != NULL && strcmp(direction, "outbound") == 0;
}

/* Our id comes back with the status: what was sent carries it. */
static enum db_result receive_status(struct db *db, const cJSON *status, cJSON *events)
{
	const char *id = json_get_str(status, "biz_opaque_callback_data");
	int rank = rank_of(json_get_str(status, "status"));
	cJSON *before = NULL;
	enum db_result result;

	if (id == NULL || rank <= 0 || !id_is_safe(id, 160))
		return DB_OK;
	result = record_get(db, messages, id, &before);
	if (result == DB_OK && is_outbound(before) &&
	    rank_of(json_get_str(before, "status")) < rank)
		result = change_status(db, before, status, events);
	cJSON_Delete(before);
	return result == DB_NONE ? DB_OK : result;
}

/* ---- the webhook ---- */

static enum db_result receive_value(struct db *db, const cJSON *value, cJSON *events,
				    unsigned *received)
{
	const cJSON *item;
	enum db_result result = DB_OK;

	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(value, "messages"))
	{
		if (result == DB_OK)
			result = receive_message(db, item, events, received);
	}
	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(value, "statuses"))
	{
		if (result == DB_OK)
			result = receive_status(db, item, events);
	}
	return result;
}

enum db_result whatsapp_receive(struct db *db, const cJSON *payload, cJSON *events,
				unsigned *received_r)
{
	const cJSON *entry, *change;
	enum db_result result = DB_OK;

	*received_r = 0;
	cJSON_ArrayForEach(entry, cJSON_GetObjectItemCaseSensitive(payload, "entry"))
	{
		cJSON_ArrayForEach(change, cJSON_GetObjectItemCaseSensitive(entry, "changes"))
		{
			if (result == DB_OK)
				result = receive_value(
					db, cJSON_GetObjectItemCaseSensitive(change, "value"),
					events, received_r);
		}
	}
	return result;
}

/* ---- what is sent ---- */

static void add_template(cJSON *body, const cJSON *message)
{
	cJSON *template = cJSON_AddObjectToObject(body, "template");
	const cJSON *parameters = cJSON_GetObjectItemCaseSensitive(message, "templateParameters");
	cJSON *components, *component, *list, *parameter;
	const cJSON *item;

	copy(template, "name", message, "templateName");
	copy(cJSON_AddObjectToObject(template, "language"), "code", message, "templateLanguage");
	if (parameters == NULL)
		return;
	components = cJSON_AddArrayToObject(template, "components");
	component = cJSON_CreateObject();
	cJSON_AddItemToArray(components, component);
	cJSON_AddStringToObject(component, "type", "body");
	list = cJSON_AddArrayToObject(component, "parameters");
	cJSON_ArrayForEach(item, parameters)
	{
		parameter = cJSON_CreateObject();
		cJSON_AddStringToObject(parameter, "type", "text");
		cJSON_AddStringToObject(parameter, "text", item->valuestring);
		cJSON_AddItemToArray(list, parameter);
	}
}

char *whatsapp_body(const cJSON *message)
{
	cJSON *body = cJSON_CreateObject(), *part;
	const char *media = json_get_str(message, "mediaType");
	char *text;

	cJSON_AddStringToObject(body, "messaging_product", "whatsapp");
	cJSON_AddStringToObject(body, "to", json_get_str(message, "number") + 1);
	copy(body, "biz_opaque_callback_data", message, "_id");
	if (json_get_str(message, "templateName") != NULL) {
		cJSON_AddStringToObject(body, "type", "template");
		add_template(body, message);
	} else if (media != NULL) {
		cJSON_AddStringToObject(body, "type", media);
		part = cJSON_AddObjectToObject(body, media);
		copy(part, "link", message, "mediaLink");
		copy(part, "caption", message, "text");
	} else {
		cJSON_AddStringToObject(body, "type", "text");
		copy(cJSON_AddObjectToObject(body, "text"), "body", message, "text");
	}
	text = cJSON_PrintUnformatted(body);
	cJSON_Delete(body);
	return text;
}
