#include "call_view.h"

#include "json.h"
#include "mem.h"
#include "store.h"

#include <stdlib.h>
#include <string.h>

#define FIELDS_MAX 40

struct call_view {
	char *values[FIELDS_MAX]; /* as store_call_fields; NULL or "" where there is none */
	cJSON *channels, *extensions;
};

struct call_view *call_view_new(const redisReply *reply)
{
	struct call_view *view;
	const char *error;

	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != store_call_field_count ||
	    reply->element[0]->type != REDIS_REPLY_STRING)
		return NULL;
	view = mem_new(struct call_view);
	for (size_t i = 0; i < reply->elements; i++)
		if (reply->element[i]->type == REDIS_REPLY_STRING)
			view->values[i] =
				mem_strndup(reply->element[i]->str, reply->element[i]->len);
	view->channels = json_parse(call_view_text(view, "channels"),
				    strlen(call_view_text(view, "channels")), &error);
	view->extensions = json_parse(call_view_text(view, "extensions"),
				      strlen(call_view_text(view, "extensions")), &error);
	return view;
}

void call_view_free(void *_view)
{
	struct call_view *view = _view;

	for (size_t i = 0; i < FIELDS_MAX; i++)
		free(view->values[i]);
	cJSON_Delete(view->channels);
	cJSON_Delete(view->extensions);
	free(view);
}

const char *call_view_text(const struct call_view *view, const char *field)
{
	for (size_t i = 0; store_call_fields[i].name != NULL; i++)
		if (strcmp(store_call_fields[i].name, field) == 0)
			return view->values[i] != NULL ? view->values[i] : "";
	return "";
}

bool call_view_has_extension(const struct call_view *view, const char *extension)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, view->extensions) if (cJSON_IsString(item) &&
						       strcmp(item->valuestring, extension) ==
							       0) return true;
	return false;
}

static const char *member(const cJSON *object, const char *name)
{
	const char *text = json_get_str(object, name);

	return text != NULL ? text : "";
}

size_t call_view_legs(const struct call_view *view, struct call_leg *legs_r, size_t max)
{
	const cJSON *item;
	size_t count = 0;

	cJSON_ArrayForEach(item, view->channels)
	{
		if (count == max)
			break;
		legs_r[count++] = (struct call_leg){
			.uniqueid = member(item, "uniqueid"),
			.channel = member(item, "channel"),
			.extension = member(item, "extension"),
			.number = member(item, "number"),
			.peer = member(item, "peer"),
			.hold = member(item, "hold"),
			.up = strcmp(member(item, "state"), "up") == 0,
			.local = json_get_bool(item, "local", false),
		};
	}
	return count;
}

static void write_value(struct json_writer *writer, const struct store_field *field,
			const char *text, size_t len)
{
	if (len == 0)
		return;
	json_key(writer, field->name);
	if (field->kind == STORE_TEXT)
		json_strn(writer, text, len);
	else
		json_raw(writer, text, len);
}

static void finish(struct json_writer *writer, const char *more)
{
	if (more != NULL && more[0] != '\0')
		json_raw(writer, more, strlen(more));
	json_end_object(writer);
}

void call_view_write(const struct call_view *view, const char *more, struct buffer *out)
{
	struct json_writer writer = json_writer_init(out);

	json_begin_object(&writer);
	for (size_t i = 0; store_call_fields[i].name != NULL; i++)
		if (view->values[i] != NULL)
			write_value(&writer, &store_call_fields[i], view->values[i],
				    strlen(view->values[i]));
	finish(&writer, more);
}

void call_reply_write(const redisReply *reply, size_t count, const char *more, struct buffer *out)
{
	struct json_writer writer = json_writer_init(out);

	json_begin_object(&writer);
	for (size_t i = 0; i < count && i < reply->elements; i++)
		if (reply->element[i]->type == REDIS_REPLY_STRING)
			write_value(&writer, &store_call_fields[i], reply->element[i]->str,
				    reply->element[i]->len);
	finish(&writer, more);
}

const struct call_view *call_view_of(const struct http_request *request)
{
	return http_user(request);
}
