#include "event.h"

#include "json.h"
#include "mem.h"
#include "rooms.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the envelope says; every string is borrowed from it. */
struct envelope {
	const char *redis_key; /* NULL: none */
	const char *revoked_session;
	const char *extensions[EVENT_EXTENSIONS_MAX];
	unsigned extension_count;
};

static void add_extension(struct envelope *envelope, const char *extension)
{
	if (extension == NULL || extension[0] == '\0' || strlen(extension) > ROOM_NAME_MAX ||
	    envelope->extension_count == EVENT_EXTENSIONS_MAX)
		return;
	for (unsigned i = 0; i < envelope->extension_count; i++) {
		if (strcmp(envelope->extensions[i], extension) == 0)
			return;
	}
	envelope->extensions[envelope->extension_count++] = extension;
}

static const char *revoked_session(const cJSON *json, const char *type, const char *redis_key)
{
	if (strcmp(type, "session:revoked") != 0)
		return NULL;
	const char *id = json_get_str(cJSON_GetObjectItemCaseSensitive(json, "data"), "sessionId");
	if (id == NULL && redis_key != NULL && strncmp(redis_key, "session:", 8) == 0)
		id = redis_key + 8;
	return id;
}

static int read_envelope(const cJSON *json, enum topic topic, struct envelope *envelope_r)
{
	const char *type = json_get_str(json, "eventType");
	const cJSON *extension;

	*envelope_r = (struct envelope){0};
	if (type == NULL)
		return -1;
	envelope_r->redis_key = json_get_str(json, "redisKey");
	if (topic == TOPIC_SESSION)
		envelope_r->revoked_session = revoked_session(json, type, envelope_r->redis_key);
	add_extension(envelope_r, json_get_str(json, "extension"));
	cJSON_ArrayForEach(extension, cJSON_GetObjectItemCaseSensitive(json, "extensions"))
		add_extension(envelope_r, cJSON_GetStringValue(extension));
	return 0;
}

/* Events about one Redis key replace each other: each tells the state after it. The hash is keyed,
   so that nobody can choose names that collide. */
static uint64_t coalescing_key(enum topic topic, const char *redis_key)
{
	static unsigned char secret[crypto_shorthash_KEYBYTES];
	static bool made;
	uint64_t key;

	if (redis_key == NULL || topic == TOPIC_SESSION || topic == TOPIC_AMI)
		return 0;
	if (!made) {
		randombytes_buf(secret, sizeof(secret));
		made = true;
	}
	crypto_shorthash((unsigned char *)&key, (const unsigned char *)redis_key, strlen(redis_key),
			 secret);
	return (key & ~(uint64_t)7) | topic;
}

/* {"type":"event","cursor":"call:1718-0","event":<data>} */
static struct frame *build_frame(enum topic topic, struct entry_id id, const char *data, size_t len)
{
	char head[96], number[ENTRY_ID_TEXT_MAX], *payload;
	int head_len =
		snprintf(head, sizeof(head),
			 "{\"type\":\"event\",\"cursor\":\"%s:%s\",\"event\":", topic_name(topic),
			 entry_id_format(id, number));
	struct frame *frame = frame_new(FRAME_TEXT, (size_t)head_len + len + 1, &payload);

	memcpy(payload, head, (size_t)head_len);
	memcpy(payload + head_len, data, len);
	payload[(size_t)head_len + len] = '}';
	return frame;
}

static const char *keep(char **end, const char *text)
{
	char *kept = *end;
	*end = stpcpy(kept, text) + 1;
	return kept;
}

static struct event *build_event(const struct envelope *envelope)
{
	size_t size = sizeof(struct event);
	if (envelope->revoked_session != NULL)
		size += strlen(envelope->revoked_session) + 1;
	for (unsigned i = 0; i < envelope->extension_count; i++)
		size += strlen(envelope->extensions[i]) + 1;

	struct event *event = mem_alloc(size);
	char *end = event->text;
	event->refs = 1;
	if (envelope->revoked_session != NULL)
		event->revoked_session = keep(&end, envelope->revoked_session);
	for (unsigned i = 0; i < envelope->extension_count; i++)
		event->extensions[i] = keep(&end, envelope->extensions[i]);
	event->extension_count = envelope->extension_count;
	return event;
}

struct event *event_new(enum topic topic, struct entry_id id, const char *data, size_t len,
			const char **error_r)
{
	struct envelope envelope;
	struct event *event = NULL;
	cJSON *json = json_parse(data, len, error_r);

	if (json == NULL)
		return NULL;
	if (read_envelope(json, topic, &envelope) == 0) {
		event = build_event(&envelope);
		event->topic = topic;
		event->id = id;
		event->frame = build_frame(topic, id, data, len);
		event->frame->key = coalescing_key(topic, envelope.redis_key);
	} else {
		*error_r = "eventType is missing";
	}
	cJSON_Delete(json);
	return event;
}

struct event *event_ref(struct event *event)
{
	event->refs++;
	return event;
}

void event_unref(struct event **event)
{
	struct event *old = *event;
	*event = NULL;
	if (old == NULL || --old->refs > 0)
		return;
	frame_unref(&old->frame);
	free(old);
}
