/* /api/users/agents: listing, reading, making. */
#include "agent_fields.h"
#include "agent_news.h"
#include "guards.h"
#include "log.h"
#include "mem.h"
#include "password_rules.h"
#include "replies.h"
#include "routes.h"
#include "service.h"
#include "settings.h"

#include "extensions.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

struct job {
	struct service *service;
	struct http_request *request;
	size_t limit; /* of a page */
	struct agent_wish wish;
	char made[PASSWORD_MADE_LEN +
		  1]; /* the password that was made; "" for one that was given */
};

static struct job *job_new(struct service *service, struct http_request *request)
{
	struct job *job = mem_new(struct job);

	job->service = service;
	job->request = request;
	return job;
}

static void finish(struct job *job)
{
	sodium_memzero(job, sizeof(*job));
	free(job);
}

/* ---- reading ---- */

static void on_agent(enum agents_result result, const struct agent *list, size_t count,
		     void *context)
{
	struct http_request *request = context;
	struct buffer body = {0};
	struct json_writer json = json_writer_init(&body);

	if (result != AGENTS_OK) {
		reply_agents_fault(request, result);
		return;
	}
	(void)count;
	agent_write(&list[0], &json);
	http_reply_json(request, 200, &body);
}

void handle_agent_get(struct http_request *request, void *context)
{
	struct service *service = context;
	const struct user *user = http_user(request);

	agents_find(service->agents, user->id, on_agent, request);
}

static void write_page(const struct agent *list, size_t count, size_t limit, struct buffer *out)
{
	size_t shown = count < limit ? count : limit;
	struct json_writer json = json_writer_init(out);

	json_begin_object(&json);
	json_key(&json, "agents");
	json_begin_array(&json);
	for (size_t i = 0; i < shown; i++)
		agent_write(&list[i], &json);
	json_end_array(&json);
	json_field_str(&json, "nextCursor", count > limit ? list[shown - 1].user.id : NULL);
	json_end_object(&json);
}

static void on_listed(enum agents_result result, const struct agent *list, size_t count,
		      void *context)
{
	struct job *job = context;
	struct buffer body = {0};

	if (result == AGENTS_OK || result == AGENTS_NONE) {
		write_page(list, count, job->limit, &body);
		http_reply_json(job->request, 200, &body);
	} else {
		reply_agents_fault(job->request, result);
	}
	finish(job);
}

void handle_agent_list(struct http_request *request, void *context)
{
	struct service *service = context;
	const struct principal *who = http_principal(request);
	struct http_page page;
	struct job *job;

	if (!service_is_ready(service, request) || !read_row_page(request, &page))
		return;
	job = job_new(service, request);
	job->limit = page.limit;
	agents_list(service->agents, strcmp(who->teams, "*") == 0 ? NULL : who->user_id,
		    page.cursor, page.limit + 1, on_listed, job);
}

/* ---- making ---- */

static void reply_made(struct job *job, const struct agent *agent)
{
	struct buffer body = {0};
	struct json_writer json = json_writer_init(&body);
	char *location = mem_printf("/api/users/agents/%s", agent->user.id);

	json_begin_object(&json);
	json_key(&json, "agent");
	agent_write(agent, &json);
	write_sip(&json, agent->user.extension, job->wish.secret);
	if (job->made[0] != '\0')
		json_field_str(&json, "password", job->made);
	json_end_object(&json);
	http_reply_header(job->request, "Location", location);
	http_reply_header(job->request, "Cache-Control", "no-store");
	http_reply_json(job->request, 201, &body);
	free(location);
}

static void on_added(enum agents_result result, const struct agent *list, size_t count,
		     void *context)
{
	struct job *job = context;

	(void)count;
	if (result != AGENTS_OK) {
		reply_agents_fault(job->request, result);
	} else {
		agent_made(job->service, job->request, &list[0]);
		reply_made(job, &list[0]);
	}
	finish(job);
}

static void add(struct job *job)
{
	const struct principal *who = http_principal(job->request);
	struct users_actor actor = {who->user_id, who->username, http_client_address(job->request)};

	agents_make_secret(job->wish.secret);
	agents_add(job->service->agents, &job->wish, &actor, on_added, job);
}

static void on_hashed(enum password_result result, const char *hash, void *context)
{
	struct job *job = context;

	if (result == PASSWORD_RIGHT) {
		strcpy(job->wish.user.password_hash, hash);
		add(job);
		return;
	}
	if (result == PASSWORD_BUSY)
		reply_wait(job->request, "too_many_logins",
			   password_wait_ms(job->service->password));
	else
		reply_unavailable(job->request);
	finish(job);
}

static void on_checked(enum agents_result result, const struct agent *list, size_t count,
		       void *context)
{
	struct job *job = context;
	const char *password = json_get_str(http_json(job->request), "password");

	(void)list;
	(void)count;
	if (result != AGENTS_OK) {
		reply_agents_fault(job->request, result);
	} else if (password == NULL) {
		password_make(job->made, job->wish.user.password_hash);
		add(job);
		return;
	} else if (password_hash(job->service->password, http_client_address(job->request),
				 password, on_hashed, job) < 0) {
		reply_wait(job->request, "too_many_logins",
			   password_wait_ms(job->service->password));
	} else {
		return;
	}
	finish(job);
}

void handle_agent_create(struct http_request *request, void *context)
{
	struct service *service = context;
	const char *values[AGENT_FIELDS];
	const char *fault = NULL;
	struct job *job;

	if (!service_is_ready(service, request) || !fields_read(request, agent_fields, values))
		return;
	if (values[AGENT_PASSWORD] != NULL)
		fault = password_fault(values[AGENT_PASSWORD], values[AGENT_USERNAME]);
	if (fault != NULL) {
		field_reply_fault(request, "password", fault);
		return;
	}
	if (!extensions_allow(settings.auth.extensions, values[AGENT_EXTENSION])) {
		field_reply_fault(request, "extension", "It is not in a range for agents");
		return;
	}
	job = job_new(service, request);
	job->wish.user.role = ROLE_AGENT;
	job->wish.user.enabled = true;
	agent_fill(&job->wish.user, values);
	if (agent_read_queues(request, &job->wish))
		agents_check(service->agents, &job->wish, on_checked, job);
	else
		finish(job);
}
