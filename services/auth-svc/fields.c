#include "fields.h"

#include "json.h"

#include <string.h>

#define LOWER_AND_DIGITS "abcdefghijklmnopqrstuvwxyz0123456789"

bool field_is_username(const char *text)
{
	return text[strspn(text, LOWER_AND_DIGITS "._-")] == '\0' &&
	       strspn(text, LOWER_AND_DIGITS) > 0;
}

bool field_is_extension(const char *text)
{
	return text[0] != '\0' && text[strspn(text, "0123456789")] == '\0';
}

bool field_is_role(const char *text)
{
	enum role role;

	return role_parse(text, &role);
}

bool field_is_plain(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return false;
	return true;
}

/* The name comes from outside: it is shown as JSON text, cut. */
static void reply_fault(struct http_request *request, const char *code, const char *name,
			const char *fault)
{
	struct buffer details = {0};
	struct json_writer json = json_writer_init(&details);

	json_begin_object(&json);
	json_key(&json, "field");
	json_strn(&json, name, strnlen(name, 64));
	json_end_object(&json);
	http_reply_error_details(request, 400, code, buffer_str(&details), "%s", fault);
	buffer_free(&details);
}

void field_reply_fault(struct http_request *request, const char *name, const char *fault)
{
	reply_fault(request, "invalid_field", name, fault);
}

static const struct field *find_field(const struct field *fields, const char *name, size_t *index_r)
{
	for (*index_r = 0; fields[*index_r].name != NULL; (*index_r)++)
		if (strcmp(fields[*index_r].name, name) == 0)
			return &fields[*index_r];
	return NULL;
}

bool field_is_display_name(const char *text)
{
	return field_is_plain(text) && strpbrk(text, "\"\\<>") == NULL;
}

bool field_is_email(const char *text)
{
	static const char local[] =
		LOWER_AND_DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZ.!#$%&'*+/=?^_`{|}~-";
	static const char domain[] = LOWER_AND_DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZ.-";
	size_t len = strspn(text, local);
	const char *host = text + len + 1;

	if (len < 1 || len > 64 || text[len] != '@' || host[0] == '.' || host[0] == '-')
		return false;
	return host[strspn(host, domain)] == '\0' && strstr(host, "..") == NULL &&
	       strchr(host, '.') != NULL && host[strlen(host) - 1] != '.';
}

bool field_is_row_id(const char *text)
{
	size_t len = strspn(text, "0123456789");

	return len >= 1 && len <= 18 && text[len] == '\0';
}

bool field_is_name(const char *text)
{
	return field_is_plain(text) && strpbrk(text, "\"\\<>,;:|{}") == NULL && text[0] != ' ';
}

/* NULL when it does not fit. */
static const char *value_of(const struct field *field, const cJSON *item)
{
	size_t len;

	if ((field->flags & FIELD_ANY) != 0 ||
	    ((field->flags & FIELD_NULLABLE) != 0 && cJSON_IsNull(item)))
		return "";
	if ((field->flags & FIELD_FLAG) != 0)
		return !cJSON_IsBool(item) ? NULL : cJSON_IsTrue(item) ? "true" : "false";
	if (!cJSON_IsString(item))
		return NULL;
	len = strlen(item->valuestring);
	return len >= field->min && len <= field->max && field->is_valid(item->valuestring)
		       ? item->valuestring
		       : NULL;
}

static bool read_member(struct http_request *request, const struct field *fields, const cJSON *item,
			const char **values_r)
{
	size_t index;
	const struct field *field = find_field(fields, item->string, &index);

	if (field == NULL) {
		reply_fault(request, "unknown_field", item->string, "There is no such field");
	} else if (values_r[index] != NULL) {
		reply_fault(request, "invalid_field", field->name, "The field is there twice");
	} else {
		values_r[index] = value_of(field, item);
		if (values_r[index] != NULL)
			return true;
		reply_fault(request, "invalid_field", field->name, field->meaning);
	}
	return false;
}

bool fields_read(struct http_request *request, const struct field *fields, const char **values_r)
{
	const cJSON *item;

	for (size_t i = 0; fields[i].name != NULL; i++)
		values_r[i] = NULL;
	cJSON_ArrayForEach(item, http_json(request))
	{
		if (!read_member(request, fields, item, values_r))
			return false;
	}
	for (size_t i = 0; fields[i].name != NULL; i++) {
		if ((fields[i].flags & FIELD_REQUIRED) != 0 && values_r[i] == NULL) {
			reply_fault(request, "missing_field", fields[i].name, fields[i].meaning);
			return false;
		}
	}
	return true;
}
