#include "csv.h"

#include "mem.h"

#include <stdlib.h>
#include <string.h>

void csv_open(struct csv *csv, const char *text, size_t len)
{
	*csv = (struct csv){.at = text, .end = text + len, .next_line = 1};
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		csv->at += 3;
	csv->text = mem_alloc(len + 1);
}

void csv_close(struct csv *csv)
{
	free(csv->text);
	csv->text = NULL;
}

static bool is_line_end(const struct csv *csv)
{
	return csv->at == csv->end || *csv->at == '\n' ||
	       (*csv->at == '\r' && (csv->at + 1 == csv->end || csv->at[1] == '\n'));
}

static void skip_line_end(struct csv *csv)
{
	if (csv->at < csv->end && *csv->at == '\r')
		csv->at++;
	if (csv->at < csv->end && *csv->at == '\n') {
		csv->at++;
		csv->next_line++;
	}
}

static void skip_line(struct csv *csv)
{
	while (!is_line_end(csv))
		csv->at++;
	skip_line_end(csv);
}

/* After the opening quote. False: it is not closed, or something follows it. */
static bool read_quoted(struct csv *csv, char **out)
{
	for (; csv->at < csv->end; csv->at++) {
		if (*csv->at == '\n')
			csv->next_line++;
		if (*csv->at == '"') {
			csv->at++;
			if (csv->at == csv->end || *csv->at != '"')
				return is_line_end(csv) || *csv->at == ',';
		}
		*(*out)++ = *csv->at;
	}
	return false;
}

/* False: malformed. A NUL is one: the field would end there. */
static bool read_field(struct csv *csv, char **out)
{
	const char *start = *out;
	bool ok = true;

	csv->fields[csv->count++] = *out;
	if (csv->at < csv->end && *csv->at == '"') {
		csv->at++;
		ok = read_quoted(csv, out);
	} else {
		for (; !is_line_end(csv) && *csv->at != ','; csv->at++) {
			ok = ok && *csv->at != '"';
			*(*out)++ = *csv->at;
		}
	}
	ok = ok && memchr(start, '\0', (size_t)(*out - start)) == NULL;
	*(*out)++ = '\0';
	return ok;
}

enum csv_result csv_next(struct csv *csv)
{
	char *out = csv->text;

	while (csv->at < csv->end && is_line_end(csv))
		skip_line_end(csv);
	if (csv->at == csv->end)
		return CSV_END;
	csv->line = csv->next_line;
	csv->count = 0;
	for (;;) {
		if (csv->count == CSV_FIELDS_MAX) {
			skip_line(csv);
			return CSV_TOO_MANY_FIELDS;
		}
		if (!read_field(csv, &out)) {
			skip_line(csv);
			return CSV_MALFORMED;
		}
		if (is_line_end(csv))
			break;
		csv->at++; /* the comma */
	}
	skip_line_end(csv);
	return CSV_RECORD;
}

/* ---- writing ---- */

bool csv_is_formula(const char *text)
{
	if (text[0] == '+' || text[0] == '-')
		return strspn(text + 1, "0123456789") != strlen(text + 1);
	return text[0] != '\0' && strchr("=@\t\r", text[0]) != NULL;
}

const char *csv_unguard(const char *text)
{
	return text[0] == '\'' && csv_is_formula(text + 1) ? text + 1 : text;
}

void csv_put(struct buffer *out, const char *text)
{
	buffer_append_char(out, '"');
	if (csv_is_formula(text))
		buffer_append_char(out, '\'');
	for (; *text != '\0'; text++) {
		if (*text == '"')
			buffer_append_char(out, '"');
		buffer_append_char(out, *text);
	}
	buffer_append_char(out, '"');
}
