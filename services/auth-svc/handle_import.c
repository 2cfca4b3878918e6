/* POST /api/users/agents/import: agents from CSV, each in a transaction of its own; with
   ?dryRun=true everything is looked at and nothing is made. Each line gets its own outcome. */
#include "agent_fields.h"
#include "agent_news.h"
#include "clock.h"
#include "csv.h"
#include "extensions.h"
#include "mem.h"
#include "replies.h"
#include "routes.h"
#include "service.h"
#include "settings.h"
#include "utf8.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LINES_MAX 500
/* Lines that are not begun by then are left for another request: this one has a deadline. */
#define BUDGET_MS 3000

struct line {
	size_t number;
	const char *code, *message; /* NULL: made, or could be */
	const char *field;          /* NULL: none in particular */
	bool reached;
	char queues[AGENT_QUEUES_SIZE]; /* the wish points into it */
	struct agent_wish wish;
	char password[PASSWORD_MADE_LEN + 1];
};

struct import {
	struct service *service;
	struct http_request *request;
	bool dry_run;
	int64_t until_ms; /* monotonic */
	enum agent_field columns[CSV_FIELDS_MAX];
	size_t column_count;
	struct line *lines; /* owned, wiped */
	size_t count, at;
};

static void next_line(struct import *import);

static void finish(struct import *import)
{
	sodium_memzero(import->lines, import->count * sizeof(*import->lines));
	free(import->lines);
	free(import);
}

/* ---- the answer ---- */

static void write_line(const struct import *import, const struct line *line,
		       struct json_writer *json)
{
	json_begin_object(json);
	json_field_int(json, "line", (int64_t)line->number);
	json_field_str(json, "extension", line->wish.user.extension);
	json_field_str(json, "username", line->wish.user.username);
	json_field_str(json, "outcome",
		       line->code != NULL ? "refused"
		       : !line->reached   ? "not_reached"
		       : import->dry_run  ? "valid"
					  : "created");
	if (line->code != NULL) {
		json_key(json, "error");
		json_begin_object(json);
		json_field_str(json, "code", line->code);
		json_field_str(json, "message", line->message);
		if (line->field != NULL)
			json_field_str(json, "field", line->field);
		json_end_object(json);
	} else if (line->reached && !import->dry_run) {
		write_sip(json, line->wish.user.extension, line->wish.secret);
		json_field_str(json, "password", line->password);
	}
	json_end_object(json);
}

static void reply(struct import *import)
{
	struct buffer body = {0};
	struct json_writer json = json_writer_init(&body);
	int64_t good = 0, refused = 0;

	json_begin_object(&json);
	json_field_bool(&json, "dryRun", import->dry_run);
	json_key(&json, "lines");
	json_begin_array(&json);
	for (size_t i = 0; i < import->count; i++) {
		const struct line *line = &import->lines[i];

		write_line(import, line, &json);
		good += line->code == NULL && line->reached;
		refused += line->code != NULL;
	}
	json_end_array(&json);
	json_field_int(&json, import->dry_run ? "valid" : "created", good);
	json_field_int(&json, "refused", refused);
	json_field_int(&json, "notReached", (int64_t)import->count - good - refused);
	json_end_object(&json);
	http_reply_header(import->request, "Cache-Control", "no-store");
	http_reply_json(import->request, 200, &body);
	finish(import);
}

/* ---- one line after the other ---- */

static void refuse(struct line *line, const char *code, const char *field, const char *message)
{
	line->code = code;
	line->field = field;
	line->message = message;
}

/* True when the line is through, for good or bad. */
static bool is_refused(struct line *line, enum agents_result result)
{
	const char *message;
	const char *code = agents_fault(result, &message);

	if (result == AGENTS_OK)
		return false;
	refuse(line, code, NULL, message);
	return true;
}

static void on_added(enum agents_result result, const struct agent *list, size_t count,
		     void *context)
{
	struct import *import = context;
	struct line *line = &import->lines[import->at++];

	(void)count;
	if (!is_refused(line, result)) {
		line->reached = true;
		agent_made(import->service, import->request, &list[0]);
	}
	next_line(import);
}

static void on_checked(enum agents_result result, const struct agent *list, size_t count,
		       void *context)
{
	struct import *import = context;
	struct line *line = &import->lines[import->at];
	const struct principal *who = http_principal(import->request);
	struct users_actor actor = {who->user_id, who->username,
				    http_client_address(import->request)};

	(void)list;
	(void)count;
	if (is_refused(line, result) || import->dry_run) {
		line->reached = true;
		import->at++;
		next_line(import);
		return;
	}
	password_make(line->password, line->wish.user.password_hash);
	agents_make_secret(line->wish.secret);
	agents_add(import->service->agents, &line->wish, &actor, on_added, import);
}

static void next_line(struct import *import)
{
	while (import->at < import->count && import->lines[import->at].code != NULL)
		import->at++;
	if (import->at < import->count && clock_mono_ms() < import->until_ms)
		agents_check(import->service->agents, &import->lines[import->at].wish, on_checked,
			     import);
	else
		reply(import);
}

/* ---- reading ---- */

static void split_queues(struct line *line, const char *text)
{
	size_t count = 0;
	char *rest = NULL;

	if (strlen(text) >= sizeof(line->queues)) {
		refuse(line, "invalid_field", "queues", "They are too long");
		return;
	}
	strcpy(line->queues, text);
	for (char *name = strtok_r(line->queues, ";", &rest); name != NULL;
	     name = strtok_r(NULL, ";", &rest)) {
		name += strspn(name, " ");
		if (count == AGENT_QUEUES_MAX || strlen(name) > AGENT_QUEUE_LENGTH ||
		    name[0] == '\0' || !field_is_name(name)) {
			refuse(line, "invalid_field", "queues",
			       "At most 16 names, parted by semicolons");
			return;
		}
		line->wish.queues[count++] = name;
	}
}

static bool fits(const struct field *field, const char *value)
{
	size_t len = strlen(value);

	return len >= field->min && len <= field->max && field->is_valid(value);
}

static void read_values(const struct import *import, const struct csv *csv, struct line *line)
{
	const char *values[AGENT_FIELDS] = {NULL};

	if (csv->count != import->column_count) {
		refuse(line, "wrong_column_count", NULL,
		       "It has not as many fields as the first line");
		return;
	}
	for (size_t i = 0; i < csv->count; i++) {
		enum agent_field column = import->columns[i];
		const struct field *field = &agent_fields[column];

		if (column == AGENT_QUEUES)
			split_queues(line, csv->fields[i]);
		else if (csv->fields[i][0] == '\0' && (field->flags & FIELD_REQUIRED) == 0)
			continue;
		else if (fits(field, csv->fields[i]))
			values[column] = csv->fields[i];
		else
			refuse(line, "invalid_field", field->name, field->meaning);
	}
	line->wish.user.role = ROLE_AGENT;
	line->wish.user.enabled = true;
	agent_fill(&line->wish.user, values);
	if (line->code == NULL &&
	    !extensions_allow(settings.auth.extensions, line->wish.user.extension))
		refuse(line, "invalid_field", "extension", "It is not in a range for agents");
}

static bool same(const char *one, const char *other)
{
	return one[0] != '\0' && strcasecmp(one, other) == 0;
}

static void compare_with_former(struct import *import, struct line *line)
{
	const struct user *user = &line->wish.user;

	for (const struct line *former = import->lines; former < line && line->code == NULL;
	     former++) {
		const struct user *other = &former->wish.user;

		if (same(user->extension, other->extension))
			refuse(line, "extension_taken", "extension", "A line before has it");
		else if (same(user->username, other->username))
			refuse(line, "username_taken", "username", "A line before has it");
		else if (same(user->email, other->email))
			refuse(line, "email_taken", "email", "A line before has it");
	}
}

static const char *read_lines(struct import *import, struct csv *csv)
{
	enum csv_result result;

	while ((result = csv_next(csv)) != CSV_END) {
		struct line *line = &import->lines[import->count];

		if (import->count == LINES_MAX)
			return "It has more than 500 lines";
		import->count++;
		line->number = csv->line;
		if (result == CSV_RECORD)
			read_values(import, csv, line);
		else
			refuse(line, "malformed_line", NULL, "This is not CSV");
		compare_with_former(import, line);
	}
	return import->count > 0 ? NULL : "It has no lines";
}

static bool find_column(const char *name, enum agent_field *column_r)
{
	for (size_t i = 0; agent_fields[i].name != NULL; i++) {
		*column_r = (enum agent_field)i;
		if (i != AGENT_PASSWORD && i != AGENT_ENABLED &&
		    strcmp(agent_fields[i].name, name) == 0)
			return true;
	}
	return false;
}

static const char *read_header(struct import *import, struct csv *csv)
{
	bool seen[AGENT_FIELDS] = {false};

	if (csv_next(csv) != CSV_RECORD)
		return "Its first line must name the columns";
	for (size_t i = 0; i < csv->count; i++) {
		if (!find_column(csv->fields[i], &import->columns[i]) || seen[import->columns[i]])
			return "Its columns must be some of extension username displayName email "
			       "teamId queues, each once";
		seen[import->columns[i]] = true;
	}
	import->column_count = csv->count;
	return seen[AGENT_EXTENSION] && seen[AGENT_USERNAME]
		       ? NULL
		       : "The columns extension and username must be there";
}

static const char *read_body(struct import *import, const char *text, size_t len)
{
	const char *fault;
	struct csv csv;

	if (!utf8_valid(text, len))
		return "It is not UTF-8";
	csv_open(&csv, text, len);
	fault = read_header(import, &csv);
	if (fault == NULL)
		fault = read_lines(import, &csv);
	csv_close(&csv);
	return fault;
}

/* False: 400 was replied. */
static bool read_dry_run(struct http_request *request, bool *dry_run_r)
{
	const char *text = http_query(request, "dryRun");

	*dry_run_r = text != NULL && strcmp(text, "true") == 0;
	if (text == NULL || *dry_run_r || strcmp(text, "false") == 0)
		return true;
	http_reply_error(request, 400, "bad_request", "dryRun must be true or false");
	return false;
}

void handle_agent_import(struct http_request *request, void *context)
{
	struct service *service = context;
	const char *type = http_header(request, "Content-Type");
	const char *body, *fault;
	struct import *import;
	bool dry_run;
	size_t len;

	if (!service_is_ready(service, request) || !read_dry_run(request, &dry_run))
		return;
	if (type == NULL || strncasecmp(type, "text/csv", 8) != 0) {
		http_reply_error(request, 415, "unsupported_media_type",
				 "The body must be text/csv");
		return;
	}
	import = mem_new(struct import);
	import->service = service;
	import->request = request;
	import->dry_run = dry_run;
	import->until_ms = clock_mono_ms() + BUDGET_MS;
	import->lines = mem_array(struct line, LINES_MAX);
	body = http_body(request, &len);
	fault = read_body(import, body != NULL ? body : "", len);
	if (fault == NULL) {
		next_line(import);
	} else {
		http_reply_error(request, 400, "invalid_csv", "%s", fault);
		finish(import);
	}
}
