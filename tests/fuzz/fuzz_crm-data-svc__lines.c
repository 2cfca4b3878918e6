/* A file that is imported, as CSV or as lines of JSON (the first byte chooses, and the kind): its
   pieces are the whole of it, and a record that is taken is written and read as the same again. */
#include "job_input.h"
#include "json.h"
#include "kinds.h"
#include "lines.h"
#include "mem.h"
#include "utf8.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const struct phone_rules rules = {"49", "0", "00"};

static void read_again(const struct line_form *form, const cJSON *doc)
{
	struct buffer text = {0};
	struct fault fault;
	struct csv csv;
	cJSON *body, *again = cJSON_CreateObject();

	lines_write(form, doc, &text);
	csv_open(&csv, buffer_str(&text), text.len);
	if (csv_next(&csv) != CSV_RECORD)
		abort();
	body = lines_read_csv(form, &csv, &fault);
	if (body == NULL ||
	    fields_apply(form->kind->fields, &rules, body, false, again, &fault) < 0)
		abort();
	if (!cJSON_Compare(doc, again, true))
		abort();
	csv_close(&csv);
	cJSON_Delete(body);
	cJSON_Delete(again);
	buffer_free(&text);
}

/* An empty text or list says nothing in CSV; what only a request may have is not compared. */
static void drop_unsaid(const struct line_form *form, cJSON *doc)
{
	for (const struct field *field = form->kind->fields; field->name != NULL; field++) {
		cJSON *item = cJSON_GetObjectItemCaseSensitive(doc, field->name);

		if (field->type == FIELD_CUSTOM || field->type == FIELD_TAGS ||
		    (field->flags & FIELD_FIXED) != 0 ||
		    (cJSON_IsString(item) && item->valuestring[0] == '\0') ||
		    ((cJSON_IsArray(item) || cJSON_IsObject(item)) && item->child == NULL))
			cJSON_DeleteItemFromObjectCaseSensitive(doc, field->name);
	}
}

static bool has_odd_label(const cJSON *doc)
{
	const cJSON *phone;

	cJSON_ArrayForEach(phone, cJSON_GetObjectItemCaseSensitive(doc, "phones"))
	{
		const char *label = json_get_str(phone, "label");
		size_t len = label != NULL ? strlen(label) : 1;

		if (label != NULL && (len == 0 || label[0] == ' ' || label[len - 1] == ' '))
			return true;
	}
	return false;
}

static void take(const struct line_form *form, cJSON *body)
{
	struct line_form csv = {form->kind, lines_columns(form->kind, NULL), NULL};
	cJSON *doc = cJSON_CreateObject();
	struct fault fault;

	if (fields_apply(form->kind->fields, &rules, body, true, doc, &fault) == 0) {
		drop_unsaid(form, doc);
		if (!has_odd_label(doc))
			read_again(&csv, doc);
	}
	cJSON_Delete((cJSON *)csv.columns);
	cJSON_Delete(doc);
	cJSON_Delete(body);
}

static void read_piece(struct line_form *form, const char *text, size_t len)
{
	struct fault fault;
	cJSON *body;
	struct csv csv;
	enum csv_result result;

	if (form->columns == NULL) {
		body = lines_read_json(form, text, strcspn(text, "\n"), &fault);
		if (body != NULL)
			take(form, body);
		return;
	}
	csv_open(&csv, text, len);
	while ((result = csv_next(&csv)) != CSV_END) {
		body = result == CSV_RECORD ? lines_read_csv(form, &csv, &fault) : NULL;
		if (body != NULL)
			take(form, body);
	}
	csv_close(&csv);
}

static void read_file(struct line_form *form, bool is_csv, const char *text, size_t len)
{
	struct job_input input;
	const char *at = text;

	job_input_open(&input, text, len, is_csv);
	if (is_csv && (csv_next(&input.csv) != CSV_RECORD ||
		       lines_check_head(form->kind, &input.csv) != NULL)) {
		job_input_close(&input);
		return;
	}
	if (is_csv) {
		form->columns = cJSON_CreateStringArray(input.csv.fields, (int)input.csv.count);
		at = input.csv.at;
	}
	while (job_input_next(&input, 2)) {
		char *piece = mem_strndup(input.text, input.len);

		if (input.text != at || input.text + input.len > text + len)
			abort();
		at += input.len;
		read_piece(form, piece, input.len);
		free(piece);
	}
	job_input_close(&input);
	cJSON_Delete((cJSON *)form->columns);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum kind_id portable[] = {KIND_CLIENT, KIND_CONTACT, KIND_NOTE,
						KIND_CALLBACK};
	struct line_form form = {0};
	char *text;

	if (size < 1 || !utf8_valid((const char *)data + 1, size - 1) ||
	    memchr(data + 1, '\0', size - 1) != NULL)
		return 0;
	text = mem_strndup((const char *)data + 1, size - 1);
	form.kind = &kinds[portable[data[0] >> 1 & 3]];
	read_file(&form, (data[0] & 1) != 0, text, size - 1);
	free(text);
	return 0;
}
