#include "body.h"

#include "ids.h"
#include "json.h"
#include "mem.h"

#include <stdlib.h>
#include <string.h>

#define WORD "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"

static bool only(const char *text, const char *allowed, size_t max)
{
	size_t len = strspn(text, allowed);

	return len >= 1 && len <= max && text[len] == '\0';
}

bool body_is_number(const char *text)
{
	return id_is_number(text);
}

bool body_is_outside(const char *text)
{
	if (*text == '+')
		text++;
	return strlen(text) >= 3 && only(text, "0123456789", 20);
}

bool body_is_word(const char *text)
{
	return only(text, WORD, 40);
}

bool body_is_exten(const char *text)
{
	return only(text, WORD "*#+", 32);
}

bool body_is_call(const char *text)
{
	return id_is_safe(text, 150);
}

static bool refuse(struct http_request *request, const char *field, const char *meaning)
{
	struct buffer details = {0};
	struct json_writer json = json_writer_init(&details);

	json_begin_object(&json);
	json_field_str(&json, "field", field);
	json_end_object(&json);
	http_reply_error_details(request, 400, "invalid_field", buffer_str(&details), "%s",
				 meaning);
	buffer_free(&details);
	return false;
}

static bool all_known(struct http_request *request, const struct body_field *fields)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, http_json(request))
	{
		const struct body_field *field = fields;

		while (field->name != NULL && strcmp(field->name, item->string) != 0)
			field++;
		if (field->name == NULL)
			return refuse(request, item->string, "There is no such field");
	}
	return true;
}

static bool read_value(const cJSON *item, const struct body_field *field, struct body_value *value)
{
	value->given = true;
	switch (field->kind) {
	case BODY_TEXT:
		if (!cJSON_IsString(item) || !field->is_valid(item->valuestring))
			return false;
		value->text = item->valuestring;
		return true;
	case BODY_NUMBER:
		if (!json_is_int(item))
			return false;
		value->number = (int64_t)item->valuedouble;
		return value->number >= field->min && value->number <= field->max;
	case BODY_FLAG:
		value->number = cJSON_IsTrue(item);
		return cJSON_IsBool(item);
	}
	return false;
}

bool body_read(struct http_request *request, const struct body_field *fields,
	       struct body_value *values_r)
{
	if (!all_known(request, fields))
		return false;
	for (size_t i = 0; fields[i].name != NULL; i++) {
		const cJSON *item =
			cJSON_GetObjectItemCaseSensitive(http_json(request), fields[i].name);

		values_r[i] = (struct body_value){.text = ""};
		if (item == NULL && !fields[i].required)
			continue;
		if (item == NULL || !read_value(item, &fields[i], &values_r[i]))
			return refuse(request, fields[i].name, fields[i].meaning);
	}
	return true;
}
