#include "lines.h"

#include "json.h"
#include "mem.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of every record, written by the daemon; an import reads the first two. */
static const char *const heads[] = {"id",        "version",   "createdAt", "createdBy",
				    "updatedAt", "updatedBy", "deletedAt"};

#define HEADS (sizeof(heads) / sizeof(heads[0]))
#define READ  2

static size_t find_head(const char *name)
{
	size_t i = 0;

	while (i < HEADS && strcmp(heads[i], name) != 0)
		i++;
	return i;
}

static bool is_custom(const struct kind *kind, const char *name)
{
	size_t len = sizeof(LINES_CUSTOM) - 1;

	return kind->id == KIND_CLIENT && strncmp(name, LINES_CUSTOM, len) == 0 &&
	       field_is_name(name + len);
}

/* ---- columns ---- */

cJSON *lines_columns(const struct kind *kind, const cJSON *definitions)
{
	cJSON *columns = cJSON_CreateStringArray(heads, (int)HEADS);
	const cJSON *definition;
	char name[64];

	for (const struct field *field = kind->fields; field->name != NULL; field++)
		if (field->type != FIELD_CUSTOM)
			cJSON_AddItemToArray(columns, cJSON_CreateString(field->name));
	cJSON_ArrayForEach(definition, definitions)
	{
		if (kind->id != KIND_CLIENT)
			break;
		snprintf(name, sizeof(name), LINES_CUSTOM "%.40s", json_get_str(definition, "_id"));
		cJSON_AddItemToArray(columns, cJSON_CreateString(name));
	}
	return columns;
}

const char *lines_check_head(const struct kind *kind, const struct csv *head)
{
	for (size_t i = 0; i < head->count; i++) {
		const char *name = head->fields[i];
		const struct field *field = fields_find(kind->fields, name);

		if (find_head(name) == HEADS && !is_custom(kind, name) &&
		    (field == NULL || field->type == FIELD_CUSTOM))
			return "A column is no field of these records";
		for (size_t j = 0; j < i; j++)
			if (strcmp(head->fields[j], name) == 0)
				return "A column is there twice";
	}
	return NULL;
}

/* ---- reading a cell ---- */

/* The next item of a list, without blanks around it; false at the end. out holds the whole cell. */
static bool next_item(const char **at, char *out)
{
	size_t len = 0, kept = 0;

	*at += strspn(*at, " ;");
	for (; **at != '\0' && **at != ';'; (*at)++) {
		bool is_taken = **at == '\\' && (*at)[1] != '\0';

		if (is_taken)
			(*at)++;
		out[len++] = **at;
		if (is_taken || **at != ' ')
			kept = len;
	}
	out[kept] = '\0';
	return kept > 0;
}

/* "work: 030 12345" */
static cJSON *read_phone(char *item)
{
	char *colon = strrchr(item, ':');
	cJSON *phone;

	if (colon == NULL)
		return cJSON_CreateString(item);
	*colon = '\0';
	phone = cJSON_CreateObject();
	cJSON_AddStringToObject(phone, "number", colon + 1);
	cJSON_AddStringToObject(phone, "label", item);
	return phone;
}

static cJSON *read_items(enum field_type type, const char *cell)
{
	cJSON *list = type == FIELD_FLAGS ? cJSON_CreateObject() : cJSON_CreateArray();
	char *item = mem_alloc(strlen(cell) + 1);

	while (next_item(&cell, item)) {
		if (type == FIELD_FLAGS)
			cJSON_AddBoolToObject(list, item + (item[0] == '!'), item[0] != '!');
		else
			cJSON_AddItemToArray(list, type == FIELD_PHONES ? read_phone(item)
									: cJSON_CreateString(item));
	}
	free(item);
	return list;
}

/* A number, or a text, which the table of fields then refuses. */
static cJSON *read_number(const char *cell)
{
	char *end;
	double number;

	errno = 0;
	number = strtod(cell, &end);
	if (end == cell || *end != '\0' || errno != 0 ||
	    cell[strspn(cell, "+-0123456789.")] != '\0')
		return cJSON_CreateString(cell);
	return cJSON_CreateNumber(number);
}

static cJSON *read_bool(const char *cell)
{
	if (strcmp(cell, "true") != 0 && strcmp(cell, "false") != 0)
		return cJSON_CreateString(cell);
	return cJSON_CreateBool(cell[0] == 't');
}

static cJSON *read_cell(enum field_type type, const char *cell)
{
	switch (type) {
	case FIELD_PHONES:
	case FIELD_EMAILS:
	case FIELD_TAGS:
	case FIELD_FLAGS:
		return read_items(type, cell);
	case FIELD_INT:
	case FIELD_TIME:
		return read_number(cell);
	case FIELD_BOOL:
		return read_bool(cell);
	default:
		return cJSON_CreateString(cell);
	}
}

static enum field_type custom_type(const cJSON *definitions, const char *name)
{
	const cJSON *definition;
	const char *type = NULL;

	cJSON_ArrayForEach(definition, definitions)
	{
		if (strcmp(json_get_str(definition, "_id"), name) == 0)
			type = json_get_str(definition, "type");
	}
	if (type != NULL && (strcmp(type, "number") == 0 || strcmp(type, "date") == 0))
		return FIELD_INT;
	return type != NULL && strcmp(type, "bool") == 0 ? FIELD_BOOL : FIELD_TEXT;
}

/* ---- reading a line ---- */

static void add_custom(const struct line_form *form, cJSON *body, const char *name,
		       const char *cell)
{
	cJSON *custom = cJSON_GetObjectItemCaseSensitive(body, "custom");

	if (custom == NULL)
		custom = cJSON_AddObjectToObject(body, "custom");
	cJSON_AddItemToObject(custom, name, read_cell(custom_type(form->definitions, name), cell));
}

static bool add_cell(const struct line_form *form, cJSON *body, const char *name, const char *cell,
		     struct fault *fault)
{
	const struct field *field = fields_find(form->kind->fields, name);
	bool is_number = field != NULL && field->type == FIELD_PHONES && cell[0] == '+';

	if (cell[0] == '\0' || (find_head(name) >= READ && find_head(name) < HEADS) ||
	    (field != NULL && (field->flags & FIELD_READ_ONLY) != 0))
		return true;
	if (csv_is_formula(cell) && !is_number)
		return fault_set(fault, "formula", name,
				 "It would be a formula in a spreadsheet: write an apostrophe "
				 "before a text that begins so");
	cell = csv_unguard(cell);
	if (is_custom(form->kind, name))
		add_custom(form, body, name + sizeof(LINES_CUSTOM) - 1, cell);
	else
		cJSON_AddItemToObject(body, name,
				      field != NULL                  ? read_cell(field->type, cell)
				      : strcmp(name, "version") == 0 ? read_number(cell)
								     : cJSON_CreateString(cell));
	return true;
}

cJSON *lines_read_csv(const struct line_form *form, const struct csv *record, struct fault *fault_r)
{
	cJSON *body;
	const cJSON *name;
	size_t i = 0;

	if (record->count != (size_t)cJSON_GetArraySize(form->columns)) {
		fault_set(fault_r, "wrong_column_count", "",
			  "It has not as many fields as the first line");
		return NULL;
	}
	body = cJSON_CreateObject();
	cJSON_ArrayForEach(name, form->columns)
	{
		if (!add_cell(form, body, name->valuestring, record->fields[i++], fault_r)) {
			cJSON_Delete(body);
			return NULL;
		}
	}
	return body;
}

cJSON *lines_read_json(const struct line_form *form, const char *text, size_t len,
		       struct fault *fault_r)
{
	const char *error;
	cJSON *body = json_parse(text, len, &error);

	if (!cJSON_IsObject(body)) {
		cJSON_Delete(body);
		fault_set(fault_r, "malformed_line", "", "This is no JSON object");
		return NULL;
	}
	for (size_t i = READ; i < HEADS; i++)
		cJSON_DeleteItemFromObjectCaseSensitive(body, heads[i]);
	for (const struct field *field = form->kind->fields; field->name != NULL; field++)
		if ((field->flags & FIELD_READ_ONLY) != 0)
			cJSON_DeleteItemFromObjectCaseSensitive(body, field->name);
	return body;
}

/* ---- writing ---- */

static void put_item(struct buffer *cell, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == ';' || *text == '\\')
			buffer_append_char(cell, '\\');
		buffer_append_char(cell, *text);
	}
}

static void put_part(struct buffer *cell, const cJSON *item)
{
	const char *label = json_get_str(item, "label");

	if (cell->len > 0)
		buffer_append_char(cell, ';');
	if (cJSON_IsString(item)) {
		put_item(cell, item->valuestring);
	} else if (cJSON_IsBool(item)) {
		buffer_printf(cell, "%s%s", cJSON_IsTrue(item) ? "" : "!", item->string);
	} else if (cJSON_IsObject(item)) {
		if (label != NULL) {
			put_item(cell, label);
			buffer_append_str(cell, ": ");
		}
		put_item(cell, json_get_str(item, "number"));
	}
}

static void put_cell(struct buffer *out, const cJSON *value)
{
	struct buffer cell = {0};
	const cJSON *item;
	char *plain;

	if (cJSON_IsNumber(value) || cJSON_IsBool(value)) {
		plain = cJSON_PrintUnformatted(value);
		csv_put(out, plain);
		free(plain);
	} else if (cJSON_IsString(value)) {
		csv_put(out, value->valuestring);
	} else if (value != NULL && value->child != NULL) {
		cJSON_ArrayForEach(item, value)
		{
			put_part(&cell, item);
		}
		csv_put(out, buffer_str(&cell));
		buffer_free(&cell);
	}
}

void lines_write_head(const struct line_form *form, struct buffer *out)
{
	const cJSON *name;

	cJSON_ArrayForEach(name, form->columns)
	{
		buffer_printf(out, "%s%s", name != form->columns->child ? "," : "",
			      name->valuestring);
	}
	if (form->columns != NULL)
		buffer_append_str(out, "\r\n");
}

static void put_csv(const struct line_form *form, const cJSON *doc, struct buffer *out)
{
	const cJSON *custom = cJSON_GetObjectItemCaseSensitive(doc, "custom"), *name;

	cJSON_ArrayForEach(name, form->columns)
	{
		const char *text = name->valuestring;

		if (name != form->columns->child)
			buffer_append_char(out, ',');
		put_cell(out, is_custom(form->kind, text)
				      ? cJSON_GetObjectItemCaseSensitive(
						custom, text + sizeof(LINES_CUSTOM) - 1)
				      : cJSON_GetObjectItemCaseSensitive(doc, text));
	}
	buffer_append_str(out, "\r\n");
}

void lines_write(const struct line_form *form, const cJSON *doc, struct buffer *out)
{
	char *text;

	if (form->columns != NULL) {
		put_csv(form, doc, out);
		return;
	}
	text = cJSON_PrintUnformatted(doc);
	buffer_append_str(out, text);
	buffer_append_char(out, '\n');
	free(text);
}
