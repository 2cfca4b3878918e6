#include "fields.h"

#include "ids.h"
#include "json.h"

#include <stdlib.h>
#include <string.h>

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS  "0123456789"
#define ID_MAX  160
#define TAG_MAX 40

#define INVALID "invalid_field"

bool fault_set(struct fault *fault, const char *code, const char *field, const char *message)
{
	fault->code = code;
	fault->message = message;
	strncpy(fault->field, field, sizeof(fault->field) - 1);
	fault->field[sizeof(fault->field) - 1] = '\0';
	return false;
}

bool field_is_name(const char *text)
{
	return strspn(text, LETTERS) > 0 && text[strspn(text, LETTERS DIGITS "_")] == '\0';
}

bool field_is_plain(const char *text, bool lines)
{
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if ((c < 0x20 && !(lines && strchr("\n\r\t", *text) != NULL)) || c == 0x7f)
			return false;
	}
	return true;
}

/* Enough to tell a slip of the pen: something@host.domain. */
bool field_is_email(const char *text)
{
	const char *at = strchr(text, '@'), *dot;

	if (at == NULL || at == text || strchr(at + 1, '@') != NULL || strlen(text) > 254)
		return false;
	dot = strrchr(at, '.');
	return dot != NULL && dot > at + 1 && dot[1] != '\0' &&
	       strpbrk(text, " \t\"<>,;:()[]\\\r\n") == NULL;
}

static bool is_choice(const char *choices, const char *text)
{
	size_t len = strlen(text);

	if (len == 0 || strchr(text, ' ') != NULL)
		return false;
	for (const char *at = choices; (at = strstr(at, text)) != NULL; at += len)
		if ((at == choices || at[-1] == ' ') && (at[len] == ' ' || at[len] == '\0'))
			return true;
	return false;
}

/* ---- one value ---- */

static bool read_text(const struct field *field, const cJSON *item, struct fault *fault)
{
	const char *text = cJSON_GetStringValue(item);
	int64_t len;

	if (text == NULL)
		return fault_set(fault, INVALID, field->name, "It must be a text");
	len = (int64_t)strlen(text);
	if (len < field->min || len > field->max)
		return fault_set(fault, INVALID, field->name, "It is too short or too long");
	if (!field_is_plain(text, field->type == FIELD_PROSE))
		return fault_set(fault, INVALID, field->name, "It holds control characters");
	return true;
}

static bool read_word(const struct field *field, const cJSON *item, struct fault *fault)
{
	const char *text = cJSON_GetStringValue(item);

	if (text == NULL)
		return fault_set(fault, INVALID, field->name, "It must be a text");
	if (field->type == FIELD_CHOICE && !is_choice(field->choices, text))
		return fault_set(fault, INVALID, field->name, "It is none of the words allowed");
	if (field->type == FIELD_ID && !id_is_safe(text, ID_MAX))
		return fault_set(fault, INVALID, field->name, "It is no id");
	if (field->type == FIELD_NAME && (!field_is_name(text) || strlen(text) > 40))
		return fault_set(fault, INVALID, field->name,
				 "It must be letters, digits and _, a letter first, at most 40");
	return true;
}

static bool read_number(const struct field *field, const cJSON *item, struct fault *fault)
{
	if (!json_is_int(item) || item->valuedouble < (double)field->min ||
	    item->valuedouble > (double)field->max)
		return fault_set(fault, INVALID, field->name,
				 "It must be a whole number within its bounds");
	return true;
}

/* ---- lists ---- */

static bool is_in(const cJSON *list, const char *key, const char *text)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, list)
	{
		const char *value =
			key != NULL ? json_get_str(item, key) : cJSON_GetStringValue(item);

		if (value != NULL && strcmp(value, text) == 0)
			return true;
	}
	return false;
}

static bool read_phone(const struct phone_rules *rules, const cJSON *item, cJSON *list,
		       struct fault *fault)
{
	const char *text =
		cJSON_IsObject(item) ? json_get_str(item, "number") : cJSON_GetStringValue(item);
	const cJSON *label = cJSON_GetObjectItemCaseSensitive(item, "label");
	char number[PHONE_MAX], national[PHONE_MAX + 3];
	cJSON *phone;

	if (text == NULL || !phone_normalise(rules, text, number))
		return fault_set(fault, "invalid_number", "phones", "It is no telephone number");
	if (label != NULL && (!cJSON_IsString(label) || strlen(label->valuestring) > 40 ||
			      !field_is_plain(label->valuestring, false)))
		return fault_set(fault, INVALID, "phones", "A label is a text of at most 40 bytes");
	if (is_in(list, "number", number))
		return true;
	phone_national(rules, number, national);
	phone = cJSON_CreateObject();
	cJSON_AddStringToObject(phone, "number", number);
	cJSON_AddStringToObject(phone, "national", national);
	if (label != NULL)
		cJSON_AddStringToObject(phone, "label", label->valuestring);
	cJSON_AddItemToArray(list, phone);
	return true;
}

static bool read_email(const cJSON *item, cJSON *list, struct fault *fault)
{
	char email[256];
	const char *text = cJSON_GetStringValue(item);
	size_t i;

	if (text == NULL || !field_is_email(text))
		return fault_set(fault, "invalid_email", "emails", "It is no e-mail address");
	for (i = 0; text[i] != '\0'; i++)
		email[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] + 32 : text[i]);
	email[i] = '\0';
	if (!is_in(list, NULL, email))
		cJSON_AddItemToArray(list, cJSON_CreateString(email));
	return true;
}

static bool read_tag(const struct field *field, const cJSON *item, cJSON *list, struct fault *fault)
{
	const char *text = cJSON_GetStringValue(item);

	if (text == NULL || text[0] == '\0' || strlen(text) > TAG_MAX ||
	    !field_is_plain(text, false))
		return fault_set(fault, INVALID, field->name,
				 "Each is a text of 1 to 40 bytes in one line");
	if (!is_in(list, NULL, text))
		cJSON_AddItemToArray(list, cJSON_CreateString(text));
	return true;
}

static cJSON *read_list(const struct field *field, const struct phone_rules *rules,
			const cJSON *value, struct fault *fault)
{
	cJSON *list;
	const cJSON *item;
	bool ok = true;

	if (!cJSON_IsArray(value) || cJSON_GetArraySize(value) > field->max) {
		fault_set(fault, INVALID, field->name, "It must be a list, and not too long");
		return NULL;
	}
	list = cJSON_CreateArray();
	cJSON_ArrayForEach(item, value)
	{
		if (!ok)
			break;
		if (field->type == FIELD_PHONES)
			ok = read_phone(rules, item, list, fault);
		else if (field->type == FIELD_EMAILS)
			ok = read_email(item, list, fault);
		else
			ok = read_tag(field, item, list, fault);
	}
	if (ok)
		return list;
	cJSON_Delete(list);
	return NULL;
}

/* ---- objects ---- */

static bool flags_are_good(const struct field *field, const cJSON *value, struct fault *fault)
{
	const cJSON *item;

	if (!cJSON_IsObject(value))
		return fault_set(fault, INVALID, field->name, "It must be an object");
	cJSON_ArrayForEach(item, value)
	{
		if (!is_choice(field->choices, item->string) || !cJSON_IsBool(item))
			return fault_set(fault, INVALID, field->name,
					 "It holds true or false for known names only");
	}
	return true;
}

static bool custom_is_good(const struct field *field, const cJSON *value, struct fault *fault)
{
	const cJSON *item;

	if (!cJSON_IsObject(value) || cJSON_GetArraySize(value) > field->max)
		return fault_set(fault, INVALID, field->name,
				 "It must be an object, not too large");
	cJSON_ArrayForEach(item, value)
	{
		if (!field_is_name(item->string) || strlen(item->string) > 40)
			return fault_set(fault, INVALID, field->name,
					 "There is no such custom field");
		if (cJSON_IsObject(item) || cJSON_IsArray(item) ||
		    (cJSON_IsString(item) && (strlen(item->valuestring) > 1000 ||
					      !field_is_plain(item->valuestring, false))))
			return fault_set(fault, INVALID, item->string,
					 "It must be a text, a number, true or false");
	}
	return true;
}

/* ---- a body ---- */

/* The value as it is kept, or NULL with a fault. */
static cJSON *read_value(const struct field *field, const struct phone_rules *rules,
			 const cJSON *item, struct fault *fault)
{
	bool ok;

	switch (field->type) {
	case FIELD_PHONES:
	case FIELD_EMAILS:
	case FIELD_TAGS:
		return read_list(field, rules, item, fault);
	case FIELD_TEXT:
	case FIELD_PROSE:
		ok = read_text(field, item, fault);
		break;
	case FIELD_INT:
	case FIELD_TIME:
		ok = read_number(field, item, fault);
		break;
	case FIELD_BOOL:
		ok = cJSON_IsBool(item) ||
		     fault_set(fault, INVALID, field->name, "It must be true or false");
		break;
	case FIELD_FLAGS:
		ok = flags_are_good(field, item, fault);
		break;
	case FIELD_CUSTOM:
		ok = custom_is_good(field, item, fault);
		break;
	default:
		ok = read_word(field, item, fault);
		break;
	}
	return ok ? cJSON_Duplicate(item, true) : NULL;
}

const struct field *fields_find(const struct field *fields, const char *name)
{
	for (; fields->name != NULL; fields++)
		if (strcmp(fields->name, name) == 0)
			return fields;
	return NULL;
}

static bool apply(const struct field *fields, const struct phone_rules *rules, const cJSON *item,
		  bool creating, cJSON *doc, struct fault *fault)
{
	const struct field *field = fields_find(fields, item->string);
	cJSON *value;

	if (field == NULL)
		return fault_set(fault, "unknown_field", item->string, "There is no such field");
	if ((field->flags & FIELD_READ_ONLY) != 0 ||
	    (!creating && (field->flags & FIELD_FIXED) != 0))
		return fault_set(fault, "fixed_field", field->name, "It cannot be set");
	if (cJSON_IsNull(item)) {
		if ((field->flags & FIELD_REQUIRED) != 0)
			return fault_set(fault, INVALID, field->name, "It cannot be taken away");
		cJSON_DeleteItemFromObjectCaseSensitive(doc, field->name);
		return true;
	}
	value = read_value(field, rules, item, fault);
	if (value == NULL)
		return false;
	cJSON_DeleteItemFromObjectCaseSensitive(doc, field->name);
	cJSON_AddItemToObject(doc, field->name, value);
	return true;
}

static bool is_doubled(const cJSON *item)
{
	for (const cJSON *other = item->next; other != NULL; other = other->next)
		if (strcmp(other->string, item->string) == 0)
			return true;
	return false;
}

int fields_apply(const struct field *fields, const struct phone_rules *rules, const cJSON *body,
		 bool creating, cJSON *doc, struct fault *fault_r)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, body)
	{
		if (is_doubled(item)) {
			fault_set(fault_r, INVALID, item->string, "The field is there twice");
			return -1;
		}
		if (!apply(fields, rules, item, creating, doc, fault_r))
			return -1;
	}
	for (; creating && fields->name != NULL; fields++) {
		if ((fields->flags & FIELD_REQUIRED) != 0 &&
		    cJSON_GetObjectItemCaseSensitive(doc, fields->name) == NULL) {
			fault_set(fault_r, "missing_field", fields->name, "It must be there");
			return -1;
		}
	}
	return 0;
}

cJSON *fields_filter_value(const struct field *field, const char *text)
{
	char *end;
	long long number;

	switch (field->type) {
	case FIELD_BOOL:
		if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
			return NULL;
		return cJSON_CreateBool(text[0] == 't');
	case FIELD_INT:
	case FIELD_TIME:
		number = strtoll(text, &end, 10);
		return end == text || *end != '\0' ? NULL : cJSON_CreateNumber((double)number);
	default:
		return strlen(text) <= 200 ? cJSON_CreateString(text) : NULL;
	}
}
