/* /api/redis/sessions/{sessionId}: a session as all components share it. Its data have a version,
   and are changed only by who knows the last one (ETag, If-Match: RFC 9110, 13.1.1). */
#include "fields.h"
#include "guards.h"
#include "mem.h"
#include "replies.h"
#include "routes.h"
#include "service.h"
#include "sessions.h"
#include "store_data.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct job {
	struct service *service;
	struct http_request *request;
	void (*next)(struct job *job); /* when the session is there and may be touched */
	struct store_session session;
	int64_t version;
	char *text; /* owned: data, or an event */
	size_t limit;
};

static void finish(struct job *job)
{
	free(job->text);
	free(job);
}

static void reply_none(struct http_request *request)
{
	http_reply_error(request, 404, "session_not_found", "There is no such session");
}

/* ---- the session ---- */

static void on_session(bool ok, const struct store_session *session, void *context)
{
	struct job *job = context;
	const struct principal *who = http_principal(job->request);

	if (!ok) {
		reply_unavailable(job->request);
	} else if (session == NULL) {
		reply_none(job->request);
	} else if (strcmp(session->who.session_id, who->session_id) != 0 &&
		   strcmp(session->who.user_id, who->user_id) != 0 &&
		   !may_give_role(who, session->who.role)) {
		http_reply_error(job->request, 403, "role_not_allowed",
				 "Only users of a role below the own one");
	} else {
		job->session = *session;
		job->next(job);
		return;
	}
	finish(job);
}

static void begin(struct job *job, void (*next)(struct job *job))
{
	const char *id = http_param(job->request, "sessionId");

	job->next = next;
	if (id_is_safe(id, 39)) {
		store_get_session(job->service->store, id, on_session, job);
	} else {
		reply_none(job->request);
		finish(job);
	}
}

static struct job *job_new(struct service *service, struct http_request *request)
{
	struct job *job = mem_new(struct job);

	job->service = service;
	job->request = request;
	return job;
}

static void reply_version(struct http_request *request, int64_t version)
{
	char tag[32];

	snprintf(tag, sizeof(tag), "\"%" PRId64 "\"", version);
	http_reply_header(request, "ETag", tag);
}

/* ---- reading ---- */

static void on_data(bool ok, int64_t version, const char *data, void *context)
{
	struct job *job = context;
	struct buffer body = {0};
	struct json_writer json = json_writer_init(&body);

	if (!ok) {
		reply_unavailable(job->request);
		finish(job);
		return;
	}
	json_begin_object(&json);
	json_key(&json, "session");
	session_write(&job->session, http_principal(job->request)->session_id, &json);
	json_field_int(&json, "version", version);
	json_field_raw(&json, "data", data != NULL ? data : "{}");
	json_end_object(&json);
	reply_version(job->request, version);
	http_reply_json(job->request, 200, &body);
	finish(job);
}

static void read_data(struct job *job)
{
	store_get_data(job->service->store, job->session.who.session_id, on_data, job);
}

void handle_session_get(struct http_request *request, void *context)
{
	begin(job_new(context, request), read_data);
}

/* ---- writing ---- */

static void on_written(enum store_written written, int64_t version, void *context)
{
	struct job *job = context;
	struct buffer body = {0};

	switch (written) {
	case STORE_WRITTEN:
		reply_version(job->request, version);
		buffer_printf(&body, "{\"version\":%" PRId64 "}", version);
		http_reply_json(job->request, 200, &body);
		break;
	case STORE_NO_SESSION:
		reply_none(job->request);
		break;
	case STORE_OTHER_VERSION:
		reply_version(job->request, version);
		http_reply_error(job->request, 412, "version_mismatch",
				 "Somebody else has written it: it is at version %" PRId64,
				 version);
		break;
	case STORE_WRITTEN_UNKNOWN:
		reply_unavailable(job->request);
		break;
	}
	finish(job);
}

static void write_data(struct job *job)
{
	store_put_data(job->service->store, &job->session.who, job->version, job->text,
		       strlen(job->text), on_written, job);
}

/* "*", or one entity tag of ours. False: an error was replied. */
static bool read_if_match(struct http_request *request, int64_t *version_r)
{
	const char *text = http_header(request, "If-Match");
	size_t digits = text != NULL && text[0] == '"' ? strspn(text + 1, "0123456789") : 0;

	*version_r = -1;
	if (text == NULL) {
		http_reply_error(request, 428, "if_match_required",
				 "If-Match must name the ETag of what is replaced, or be *");
		return false;
	}
	if (strcmp(text, "*") == 0)
		return true;
	if (digits == 0 || digits > 15 || strcmp(text + 1 + digits, "\"") != 0) {
		http_reply_error(request, 412, "version_mismatch", "This is no ETag of a session");
		return false;
	}
	*version_r = strtoll(text + 1, NULL, 10);
	return true;
}

/* The member of the body, printed; NULL: an error was replied. */
static char *read_object(struct http_request *request, const char *name, size_t max)
{
	cJSON *item = cJSON_GetObjectItemCaseSensitive(http_json(request), name);
	char *text;

	if (!cJSON_IsObject(item)) {
		field_reply_fault(request, name, "A JSON object");
		return NULL;
	}
	text = cJSON_PrintUnformatted(item);
	if (text != NULL && strlen(text) <= max)
		return text;
	free(text);
	http_reply_error(request, 413, "session_too_large", "At most %zu bytes", max);
	return NULL;
}

void handle_session_put(struct http_request *request, void *context)
{
	static const struct field fields[] = {
		{"data", FIELD_REQUIRED | FIELD_ANY, 0, 0, NULL, "A JSON object"},
		{0},
	};
	const char *value;
	int64_t version;
	struct job *job;
	char *text;

	if (!fields_read(request, fields, &value) || !read_if_match(request, &version))
		return;
	text = read_object(request, "data", STORE_DATA_MAX);
	if (text == NULL)
		return;
	job = job_new(context, request);
	job->version = version;
	job->text = text;
	begin(job, write_data);
}

/* ---- the end ---- */

static void on_ended(bool ok, void *context)
{
	struct job *job = context;

	if (ok) {
		job->service->metrics.auth_sessions_revoked_total++;
		audit_act(job->service->audit, job->request, "session:revoked",
			  job->session.who.username, job->session.who.session_id, false);
		http_reply_json(job->request, 204, NULL);
	} else {
		reply_unavailable(job->request);
	}
	finish(job);
}

static void end_session(struct job *job)
{
	store_revoke_session(job->service->store, &job->session.who,
			     MSG_SESSION_REVOKED_REASON_REVOKED, on_ended, job);
}

void handle_session_delete(struct http_request *request, void *context)
{
	begin(job_new(context, request), end_session);
}

/* ---- events ---- */

static void on_events(bool ok, const struct store_session_event *list, size_t count, void *context)
{
	struct job *job = context;
	size_t shown = count < job->limit ? count : job->limit;
	struct buffer body = {0};
	struct json_writer json = json_writer_init(&body);

	if (!ok) {
		reply_unavailable(job->request);
		finish(job);
		return;
	}
	json_begin_object(&json);
	json_key(&json, "events");
	json_begin_array(&json);
	for (size_t i = 0; i < shown; i++) {
		json_begin_object(&json);
		json_field_str(&json, "id", list[i].id);
		json_field_int(&json, "at", strtoll(list[i].id, NULL, 10));
		json_key(&json, "event");
		json_raw(&json, list[i].text, list[i].len);
		json_end_object(&json);
	}
	json_end_array(&json);
	json_field_str(&json, "nextCursor", count > job->limit ? list[shown - 1].id : NULL);
	json_end_object(&json);
	http_reply_json(job->request, 200, &body);
	finish(job);
}

static bool is_entry_id(const char *text)
{
	size_t ms = strspn(text, "0123456789");
	size_t seq = text[ms] == '-' ? strspn(text + ms + 1, "0123456789") : 0;

	return ms > 0 && ms <= 15 && seq > 0 && seq <= 15 && text[ms + 1 + seq] == '\0';
}

static void read_events(struct job *job)
{
	const char *cursor = http_query(job->request, "cursor");

	store_get_session_events(job->service->store, job->session.who.session_id, cursor,
				 job->limit + 1, on_events, job);
}

void handle_session_events(struct http_request *request, void *context)
{
	struct http_page page;
	struct job *job;

	if (!http_page(request, &page))
		return;
	if (page.cursor != NULL && !is_entry_id(page.cursor)) {
		http_reply_error(request, 400, "invalid_cursor", "This is no cursor of this list");
		return;
	}
	job = job_new(context, request);
	job->limit = page.limit;
	begin(job, read_events);
}

static void on_added(enum store_written written, const char *id, void *context)
{
	struct job *job = context;
	struct buffer body = {0};

	if (written == STORE_WRITTEN) {
		buffer_printf(&body, "{\"id\":\"%s\"}", id);
		http_reply_json(job->request, 201, &body);
	} else if (written == STORE_NO_SESSION) {
		reply_none(job->request);
	} else {
		reply_unavailable(job->request);
	}
	finish(job);
}

static void add_event(struct job *job)
{
	store_add_session_event(job->service->store, job->session.who.session_id, job->text,
				strlen(job->text), on_added, job);
}

static bool is_type(const char *text)
{
	return text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_:-")] == '\0';
}

void handle_session_event_add(struct http_request *request, void *context)
{
	static const struct field fields[] = {
		{"type", FIELD_REQUIRED, 1, 40, is_type, "A text of 1 to 40 of a-z 0-9 _ : -"},
		{"data", FIELD_ANY, 0, 0, NULL, "A JSON object"},
		{0},
	};
	struct buffer event = {0};
	struct json_writer json = json_writer_init(&event);
	const char *values[2];
	char *data = NULL;
	struct job *job;

	if (!fields_read(request, fields, values))
		return;
	if (values[1] != NULL) {
		data = read_object(request, "data", STORE_EVENT_MAX);
		if (data == NULL)
			return;
	}
	json_begin_object(&json);
	json_field_str(&json, "type", values[0]);
	json_field_raw(&json, "data", data != NULL ? data : "{}");
	json_end_object(&json);
	free(data);
	job = job_new(context, request);
	job->text = buffer_take(&event, NULL);
	begin(job, add_event);
}
