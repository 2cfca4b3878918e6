#include "message.h"

#include <string.h>

static void *at(const void *message, size_t offset)
{
	return (char *)message + offset;
}

/* ---- reading ---- */

static int read_string(const struct message_field *field, const cJSON *item, void *message)
{
	size_t len;

	if (!cJSON_IsString(item))
		return -1;
	len = strlen(item->valuestring);
	if (len < (size_t)field->min || len > (size_t)field->max)
		return -1;
	*(const char **)at(message, field->offset) = item->valuestring;
	return 0;
}

static int read_int(const struct message_field *field, const cJSON *item, void *message)
{
	int64_t number;

	if (!json_is_int(item))
		return -1;
	number = (int64_t)item->valuedouble;
	if (number < field->min || number > field->max)
		return -1;
	*(int64_t *)at(message, field->offset) = number;
	return 0;
}

static int read_enum(const struct message_field *field, const cJSON *item, void *message)
{
	if (!cJSON_IsString(item))
		return -1;
	for (unsigned i = 0; field->names[i]; i++) {
		if (strcmp(field->names[i], item->valuestring) == 0) {
			memcpy(at(message, field->offset), &i, sizeof(i));
			return 0;
		}
	}
	return -1;
}

static int read_strings(const struct message_field *field, const cJSON *item, void *message)
{
	size_t *count = at(message, field->offset);
	const char **items = at(message, field->items);
	const cJSON *each;

	if (!cJSON_IsArray(item))
		return -1;
	cJSON_ArrayForEach(each, item)
	{
		if (!cJSON_IsString(each) || *count >= (size_t)field->max)
			return -1;
		items[(*count)++] = each->valuestring;
	}
	return *count >= (size_t)field->min ? 0 : -1;
}

static int read_tree(const struct message_field *field, const cJSON *item, void *message)
{
	struct message_json *json = at(message, field->offset);

	if ((field->kind == MESSAGE_OBJECT && !cJSON_IsObject(item)) ||
	    (field->kind == MESSAGE_ARRAY && !cJSON_IsArray(item)))
		return -1;
	json->tree = item;
	return 0;
}

static int read_field(const struct message_field *field, const cJSON *item, void *message)
{
	switch (field->kind) {
	case MESSAGE_STRING:
		return read_string(field, item, message);
	case MESSAGE_INT:
		return read_int(field, item, message);
	case MESSAGE_BOOL:
		*(bool *)at(message, field->offset) = cJSON_IsTrue(item);
		return cJSON_IsBool(item) ? 0 : -1;
	case MESSAGE_ENUM:
		return read_enum(field, item, message);
	case MESSAGE_STRINGS:
		return read_strings(field, item, message);
	case MESSAGE_OBJECT:
	case MESSAGE_ARRAY:
	case MESSAGE_ANY:
		return read_tree(field, item, message);
	case MESSAGE_CONST_STRING:
		return cJSON_IsString(item) && strcmp(item->valuestring, field->text) == 0 ? 0 : -1;
	case MESSAGE_CONST_INT:
		return json_is_int(item) && (int64_t)item->valuedouble == field->min ? 0 : -1;
	}
	return -1;
}

int message_parse(const struct message_field *fields, const cJSON *object, void *message_r,
		  const char **error_r)
{
	*error_r = "not an object";
	if (!cJSON_IsObject(object))
		return -1;
	for (const struct message_field *field = fields; field->key; field++) {
		const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, field->key);

		*error_r = field->fault;
		if (!item && field->required)
			return -1;
		if (!item)
			continue;
		if (read_field(field, item, message_r) < 0)
			return -1;
		if (field->has)
			*(bool *)at(message_r, field->has) = true;
	}
	*error_r = NULL;
	return 0;
}

/* ---- writing ---- */

static bool is_absent(const struct message_field *field, const void *message)
{
	const struct message_json *json;

	if (field->has)
		return !*(const bool *)at(message, field->has);
	if (field->required)
		return false;
	switch (field->kind) {
	case MESSAGE_STRING:
		return !*(const char **)at(message, field->offset);
	case MESSAGE_STRINGS:
		return *(const size_t *)at(message, field->offset) == 0;
	case MESSAGE_OBJECT:
	case MESSAGE_ARRAY:
	case MESSAGE_ANY:
		json = at(message, field->offset);
		return !json->text && !json->tree;
	default:
		return false;
	}
}

static void write_strings(const struct message_field *field, const void *message,
			  struct json_writer *writer)
{
	size_t count = *(const size_t *)at(message, field->offset);
	const char **items = at(message, field->items);

	json_begin_array(writer);
	for (size_t i = 0; i < count; i++)
		json_str(writer, items[i]);
	json_end_array(writer);
}

static void write_json(const struct message_json *json, struct json_writer *writer)
{
	char *printed;

	if (json->text) {
		json_raw(writer, json->text, strlen(json->text));
		return;
	}
	printed = json->tree ? cJSON_PrintUnformatted(json->tree) : NULL;
	if (printed)
		json_raw(writer, printed, strlen(printed));
	else
		json_null(writer);
	cJSON_free(printed);
}

static void write_field(const struct message_field *field, const void *message,
			struct json_writer *writer)
{
	unsigned value;

	json_key(writer, field->key);
	switch (field->kind) {
	case MESSAGE_STRING:
		json_str(writer, *(const char **)at(message, field->offset));
		break;
	case MESSAGE_INT:
		json_int(writer, *(const int64_t *)at(message, field->offset));
		break;
	case MESSAGE_BOOL:
		json_bool(writer, *(const bool *)at(message, field->offset));
		break;
	case MESSAGE_ENUM:
		memcpy(&value, at(message, field->offset), sizeof(value));
		json_str(writer, field->names[value]);
		break;
	case MESSAGE_STRINGS:
		write_strings(field, message, writer);
		break;
	case MESSAGE_OBJECT:
	case MESSAGE_ARRAY:
	case MESSAGE_ANY:
		write_json(at(message, field->offset), writer);
		break;
	case MESSAGE_CONST_STRING:
		json_str(writer, field->text);
		break;
	case MESSAGE_CONST_INT:
		json_int(writer, field->min);
		break;
	}
}

void message_write(const struct message_field *fields, const void *message,
		   struct json_writer *writer)
{
	json_begin_object(writer);
	for (const struct message_field *field = fields; field->key; field++) {
		if (!is_absent(field, message))
			write_field(field, message, writer);
	}
	json_end_object(writer);
}
