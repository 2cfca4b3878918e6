#include "event.h"

#include "json.h"
#include "mem.h"
#include "rooms.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define QUEUE_KEY     "queue:"
#define EXTENSION_MAX 32 /* longer ones nobody can follow */

/* What the envelope says; every string is borrowed from it, but for the queue's room. */
struct envelope {
	const char *type;
	const char *redis_key; /* NULL: none */
	const char *revoked_session;
	const char *rooms[EVENT_ROOMS_MAX];
	unsigned room_count;
	char queue[ROOM_NAME_MAX + 1];
};

static void add_room(struct envelope *envelope, const char *room, size_t len_max)
{
	if (room == NULL || room[0] == '\0' || strlen(room) > len_max ||
	    envelope->room_count == EVENT_ROOMS_MAX)
		return;
	for (unsigned i = 0; i < envelope->room_count; i++) {
		if (strcmp(envelope->rooms[i], room) == 0)
			return;
	}
	envelope->rooms[envelope->room_count++] = room;
}

/* An event is about a queue when that is its key, or when its data name one. */
static void add_queue(struct envelope *envelope, const cJSON *json)
{
	const cJSON *data = cJSON_GetObjectItemCaseSensitive(json, "data");
	const char *key = envelope->redis_key, *name = json_get_str(data, "queue");

	if (key != NULL && strncmp(key, QUEUE_KEY, strlen(QUEUE_KEY)) == 0)
		name = key + strlen(QUEUE_KEY);
	if (name == NULL || strlen(name) + strlen(ROOM_QUEUE) > ROOM_NAME_MAX)
		return;
	stpcpy(stpcpy(envelope->queue, ROOM_QUEUE), name);
	add_room(envelope, envelope->queue, ROOM_NAME_MAX);
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
	const cJSON *extension;

	*envelope_r = (struct envelope){0};
	envelope_r->type = json_get_str(json, "eventType");
	if (envelope_r->type == NULL)
		return -1;
	envelope_r->redis_key = json_get_str(json, "redisKey");
	if (topic == TOPIC_SESSION)
		envelope_r->revoked_session =
			revoked_session(json, envelope_r->type, envelope_r->redis_key);
	add_queue(envelope_r, json);
	add_room(envelope_r, json_get_str(json, "extension"), EXTENSION_MAX);
	cJSON_ArrayForEach(extension, cJSON_GetObjectItemCaseSensitive(json, "extensions"))
		add_room(envelope_r, cJSON_GetStringValue(extension), EXTENSION_MAX);
	return 0;
}

/* Events about one Redis key replace each other: each tells the state after it. The hash is keyed,
   so that nobody can choose names that collide. */
static uint64_t coalescing_key(enum topic topic, const char *redis_key)
{
	static unsigned char secret[crypto_shorthash_KEYBYTES];
	static bool made;
	uint64_t key;

	if (redis_key == NULL || topic == TOPIC_SESSION || topic == TOPIC_AMI || topic == TOPIC_CRM)
		return 0;
	if (!made) {
		randombytes_buf(secret, sizeof(secret));
		made = true;
	}
	crypto_shorthash((unsigned char *)&key, (const unsigned char *)redis_key, strlen(redis_key),
			 secret);
	return (key & ~(uint64_t)7) | topic;
}

static const char *keep(char **end, const char *text)
{
	char *kept = *end;
	*end = stpcpy(kept, text) + 1;
	return kept;
}

static struct event *build_event(const struct envelope *envelope)
{
	size_t size = sizeof(struct event) + strlen(envelope->type) + 1;
	if (envelope->revoked_session != NULL)
		size += strlen(envelope->revoked_session) + 1;
	for (unsigned i = 0; i < envelope->room_count; i++)
		size += strlen(envelope->rooms[i]) + 1;

	struct event *event = mem_alloc(size);
	char *end = event->text;
	event->refs = 1;
	event->type = keep(&end, envelope->type);
	if (envelope->revoked_session != NULL)
		event->revoked_session = keep(&end, envelope->revoked_session);
	for (unsigned i = 0; i < envelope->room_count; i++)
		event->rooms[i] = keep(&end, envelope->rooms[i]);
	event->room_count = envelope->room_count;
	return event;
}

/* The frame in JSON is the first, and holds the envelope for the others. */
static void build_frame(struct event *event, const char *data, size_t len, uint64_t key)
{
	struct frame *frame;

	event->data = data;
	event->len = len;
	frame = event->frames[EVENT_JSON] = event_frame_alone(event, EVENT_JSON, NULL);
	frame->key = key;
	event->data = frame->data + frame->len - 1 - len;
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
		build_frame(event, data, len, coalescing_key(topic, envelope.redis_key));
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
	event_drop_frames(old);
	frame_unref(&old->frames[EVENT_JSON]);
	free(old);
}
