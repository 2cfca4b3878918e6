#include "webhook.h"

#include "rooms.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void webhook_clear(struct webhook *webhook)
{
	cJSON_Delete(webhook->filter);
	*webhook = (struct webhook){0};
}

/* ---- what REST may set ---- */

static bool is_printable(const char *text, size_t max)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			return false;
	}
	return len <= max;
}

static bool is_url(const char *url)
{
	const char *host = strncmp(url, "https://", 8) == 0  ? url + 8
			   : strncmp(url, "http://", 7) == 0 ? url + 7
							     : "";

	return host[0] != '\0' && host[0] != '/' && strchr(url, ' ') == NULL &&
	       strchr(host, '@') == NULL && is_printable(url, WEBHOOK_URL_MAX);
}

/* Names of strings, at most max; absent is fine. */
static bool is_list(const cJSON *list, size_t max)
{
	const cJSON *item;

	if (list == NULL)
		return true;
	if (!cJSON_IsArray(list) || (size_t)cJSON_GetArraySize(list) > max)
		return false;
	cJSON_ArrayForEach(item, list)
	{
		if (!cJSON_IsString(item) || !is_printable(item->valuestring, ROOM_NAME_MAX))
			return false;
	}
	return true;
}

static bool are_topics(const cJSON *list)
{
	const cJSON *item;
	enum topic topic;

	cJSON_ArrayForEach(item, list)
	{
		if (!topic_parse(item->valuestring, &topic))
			return false;
	}
	return cJSON_GetArraySize(list) > 0;
}

static void copy_list(cJSON *filter, const cJSON *body, const char *name)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(body, name);

	if (list == NULL)
		return;
	cJSON_DeleteItemFromObjectCaseSensitive(filter, name);
	cJSON_AddItemToObject(filter, name, cJSON_Duplicate(list, true));
}

static int change_filter(struct webhook *webhook, const cJSON *body, const char **error_r)
{
	const cJSON *topics = cJSON_GetObjectItemCaseSensitive(body, "topics");

	if (!is_list(topics, TOPIC_COUNT) ||
	    (topics != NULL ? !are_topics(topics) : webhook->filter == NULL)) {
		*error_r = "topics must name at least one topic";
		return -1;
	}
	if (!is_list(cJSON_GetObjectItemCaseSensitive(body, "extensions"), WEBHOOK_ROOMS_MAX) ||
	    !is_list(cJSON_GetObjectItemCaseSensitive(body, "queues"), WEBHOOK_ROOMS_MAX) ||
	    !is_list(cJSON_GetObjectItemCaseSensitive(body, "types"), TYPE_FILTER_MAX)) {
		*error_r = "extensions, queues and types must be lists of names";
		return -1;
	}
	if (webhook->filter == NULL)
		webhook->filter = cJSON_CreateObject();
	copy_list(webhook->filter, body, "topics");
	copy_list(webhook->filter, body, "extensions");
	copy_list(webhook->filter, body, "queues");
	copy_list(webhook->filter, body, "types");
	return 0;
}

static int change_text(const cJSON *body, const char *name, char *out, size_t size,
		       const char *error, const char **error_r)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(body, name);

	if (item == NULL)
		return 0;
	if (!cJSON_IsString(item) || !is_printable(item->valuestring, size - 1)) {
		*error_r = error;
		return -1;
	}
	strcpy(out, item->valuestring);
	return 0;
}

int webhook_change(struct webhook *webhook, const cJSON *body, const char **error_r)
{
	if (change_text(body, "url", webhook->url, sizeof(webhook->url), "url is not valid",
			error_r) < 0 ||
	    change_text(body, "description", webhook->description, sizeof(webhook->description),
			"description is too long", error_r) < 0 ||
	    change_text(body, "secret", webhook->secret, sizeof(webhook->secret),
			"secret is too long", error_r) < 0)
		return -1;
	if (!is_url(webhook->url)) {
		*error_r = "url must be an http or https address without a user in it";
		return -1;
	}
	if (strlen(webhook->secret) < 16) {
		*error_r = "secret must have 16 to 128 characters";
		return -1;
	}
	webhook->enabled = json_get_bool(body, "enabled", webhook->enabled);
	return change_filter(webhook, body, error_r);
}

/* ---- which events ---- */

static bool has_name(const cJSON *list, const char *name)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, list)
	{
		if (strcmp(item->valuestring, name) == 0)
			return true;
	}
	return false;
}

topic_set webhook_topics(const struct webhook *webhook)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(webhook->filter, "topics"), *item;
	topic_set topics = 0;
	enum topic topic;

	cJSON_ArrayForEach(item, list)
	{
		if (topic_parse(item->valuestring, &topic))
			topics |= topic_bit(topic);
	}
	return topics;
}

bool webhook_wants(const struct webhook *webhook, const struct event *event)
{
	const cJSON *filter = webhook->filter;
	const cJSON *extensions = cJSON_GetObjectItemCaseSensitive(filter, "extensions");
	const cJSON *queues = cJSON_GetObjectItemCaseSensitive(filter, "queues");
	const cJSON *types = cJSON_GetObjectItemCaseSensitive(filter, "types");

	if ((webhook_topics(webhook) & topic_bit(event->topic)) == 0 ||
	    (cJSON_GetArraySize(types) > 0 && !has_name(types, event->type)))
		return false;
	if (cJSON_GetArraySize(extensions) + cJSON_GetArraySize(queues) == 0)
		return true;
	for (unsigned i = 0; i < event->room_count; i++) {
		const char *room = event->rooms[i];
		bool queue = strncmp(room, ROOM_QUEUE, strlen(ROOM_QUEUE)) == 0;

		if (has_name(queue ? queues : extensions, queue ? room + strlen(ROOM_QUEUE) : room))
			return true;
	}
	return false;
}

/* ---- how it is shown ---- */

static void write_list(const struct webhook *webhook, struct json_writer *writer, const char *name)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(webhook->filter, name), *item;

	json_key(writer, name);
	json_begin_array(writer);
	cJSON_ArrayForEach(item, list) json_str(writer, item->valuestring);
	json_end_array(writer);
}

static void write_cursors(const struct webhook *webhook, struct json_writer *writer)
{
	cJSON *cursors = positions_to_json(&webhook->at), *item;

	json_key(writer, "cursors");
	json_begin_array(writer);
	cJSON_ArrayForEach(item, cursors) json_str(writer, item->valuestring);
	json_end_array(writer);
	cJSON_Delete(cursors);
}

void webhook_write(const struct webhook *webhook, struct json_writer *writer, bool secret)
{
	json_begin_object(writer);
	json_field_str(writer, "webhookId", webhook->id);
	json_field_str(writer, "url", webhook->url);
	json_field_str(writer, "description", webhook->description);
	json_field_bool(writer, "enabled", webhook->enabled);
	if (secret)
		json_field_str(writer, "secret", webhook->secret);
	write_list(webhook, writer, "topics");
	write_list(webhook, writer, "extensions");
	write_list(webhook, writer, "queues");
	write_list(webhook, writer, "types");
	json_field_str(writer, "createdBy", webhook->created_by);
	json_field_int(writer, "createdAt", webhook->created_at_ms);
	json_field_int(writer, "delivered", webhook->delivered);
	json_field_int(writer, "failed", webhook->failed);
	json_field_int(writer, "deadLetters", webhook->dead);
	json_field_int(writer, "lastAt", webhook->last_at_ms);
	json_field_str(writer, "lastError", webhook->last_error);
	write_cursors(webhook, writer);
	json_end_object(writer);
}

/* ---- signatures ---- */

void webhook_sign(const char *secret, int64_t seconds, const char *body, size_t len, char *out)
{
	crypto_auth_hmacsha256_state state;
	unsigned char mac[crypto_auth_hmacsha256_BYTES];
	char head[32];
	int head_len = snprintf(head, sizeof(head), "%lld.", (long long)seconds);

	crypto_auth_hmacsha256_init(&state, (const unsigned char *)secret, strlen(secret));
	crypto_auth_hmacsha256_update(&state, (const unsigned char *)head,
				      (unsigned long long)head_len);
	crypto_auth_hmacsha256_update(&state, (const unsigned char *)body, len);
	crypto_auth_hmacsha256_final(&state, mac);
	sodium_bin2hex(stpcpy(out, "v1="), WEBHOOK_SIGNATURE_MAX - 3, mac, sizeof(mac));
}
