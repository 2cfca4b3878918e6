/* Recordings that are over: what is known of one, and its sound, which nginx sends. */
#include "audit.h"
#include "json.h"
#include "mem.h"
#include "reach.h"
#include "recording_path.h"
#include "routes.h"
#include "service.h"
#include "store.h"

#include <stdlib.h>
#include <string.h>

/* nginx: an internal location over the folder of recordings. */
#define ACCEL_PREFIX "/_recordings/"

struct found {
	char *values[STORE_RECORDING_FIELDS_MAX]; /* as store_recording_fields; NULL: absent */
};

static void found_free(void *_found)
{
	struct found *found = _found;

	for (size_t i = 0; i < STORE_RECORDING_FIELDS_MAX; i++)
		free(found->values[i]);
	free(found);
}

static const char *value_of(const struct found *found, const char *name)
{
	for (size_t i = 0; store_recording_fields[i].name != NULL; i++)
		if (strcmp(store_recording_fields[i].name, name) == 0)
			return found->values[i] != NULL ? found->values[i] : "";
	return "";
}

/* Calls that the own extension was part of, or one of the own teams. */
static bool may_hear(const struct principal *who, const struct found *found)
{
	return reach_sees_one_of(who, PERMISSION_ALL_CALLS, value_of(found, "extensions"));
}

static void on_recording(const redisReply *reply, void *context)
{
	struct http_request *request = context;
	struct found *found;

	if (reply == NULL || reply->type != REDIS_REPLY_ARRAY) {
		http_reply_error(request, 503, "unavailable", "Redis is away");
		return;
	}
	if (reply->element[0]->type != REDIS_REPLY_STRING) {
		http_reply_error(request, 404, "recording_not_found",
				 "there is no such recording, or it is kept no longer");
		return;
	}
	found = mem_new(struct found);
	for (size_t i = 0; i < reply->elements && i < STORE_RECORDING_FIELDS_MAX; i++)
		if (reply->element[i]->type == REDIS_REPLY_STRING)
			found->values[i] =
				mem_strndup(reply->element[i]->str, reply->element[i]->len);
	http_set_user(request, found, found_free);
	if (!may_hear(http_principal(request), found))
		http_reply_error(request, 403, "not_your_call",
				 "neither your extension nor one of your teams was part of this "
				 "call");
	else
		http_proceed(request);
}

void guard_recording(struct http_request *request, void *context)
{
	struct service *service = context;
	const char *id = http_param(request, "recordingId");

	if (!recording_id_is_valid(id))
		http_reply_error(request, 404, "recording_not_found",
				 "no recording has such an id");
	else if (store_recording_get(service->link, id, on_recording, request) < 0)
		http_reply_error(request, 503, "unavailable", "Redis is away");
}

void handle_get_recording(struct http_request *request, void *context)
{
	const struct found *found = http_user(request);
	struct buffer body = {0};
	struct json_writer writer = json_writer_init(&body);

	(void)context;
	json_begin_object(&writer);
	for (size_t i = 0; store_recording_fields[i].name != NULL; i++) {
		const char *value = found->values[i];

		if (value == NULL || value[0] == '\0')
			continue;
		json_key(&writer, store_recording_fields[i].name);
		if (store_recording_fields[i].kind == STORE_TEXT)
			json_str(&writer, value);
		else
			json_raw(&writer, value, strlen(value));
	}
	json_end_object(&writer);
	http_reply_json(request, 200, &body);
}

/* The path is made of the id, never taken from what was stored. */
void handle_hear_recording(struct http_request *request, void *context)
{
	const char *id = http_param(request, "recordingId");
	char path[RECORDING_PATH_MAX];
	char *text;

	if (value_of(http_user(request), "endedAt")[0] == '\0') {
		http_reply_error(request, 409, "still_recording", "the recording is not over yet");
		return;
	}
	text = mem_printf("recording:%s", id);
	if (audit(context, request, "recording:heard", text, NULL)) {
		free(text);
		recording_path(id, path);
		text = mem_printf(ACCEL_PREFIX "%s", path);
		http_reply_header(request, "X-Accel-Redirect", text);
		free(text);
		text = mem_printf("inline; filename=\"%s.wav\"", id);
		http_reply_header(request, "Content-Disposition", text);
		http_reply_header(request, "Cache-Control", "private, no-store");
		http_reply_text(request, 200, "audio/wav", NULL);
	}
	free(text);
}
