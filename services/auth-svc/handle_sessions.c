/* Lists of sessions and their end: the caller's own, a user's, everyone's. */
#include "fields.h"
#include "log.h"
#include "mem.h"
#include "replies.h"
#include "routes.h"
#include "service.h"
#include "sessions.h"

#include <stdlib.h>
#include <string.h>

struct job {
	struct service *service;
	struct http_request *request;
	char user_id[40]; /* whose sessions */
	char username[65];
	char session_id[40]; /* the one that ends */
};

static struct job *job_new(struct service *service, struct http_request *request,
			   const char *user_id)
{
	struct job *job = mem_new(struct job);

	job->service = service;
	job->request = request;
	strcpy(job->user_id, user_id);
	return job;
}

/* ---- lists ---- */

static void on_list(bool ok, const struct store_session *list, size_t count, const char *next,
		    void *context)
{
	struct http_request *request = context;
	struct buffer body = {0};

	if (!ok) {
		reply_unavailable(request);
		return;
	}
	sessions_write(list, count, next, http_principal(request)->session_id, &body);
	http_reply_json(request, 200, &body);
}

void handle_own_sessions(struct http_request *request, void *context)
{
	struct service *service = context;

	store_list_user_sessions(service->store, http_principal(request)->user_id, on_list,
				 request);
}

void handle_all_sessions(struct http_request *request, void *context)
{
	struct service *service = context;
	struct http_page page;

	if (http_page(request, &page))
		store_list_sessions(service->store, page.cursor, page.limit, on_list, request);
}

void handle_user_sessions(struct http_request *request, void *context)
{
	struct service *service = context;
	const struct user *user = http_user(request);

	store_list_user_sessions(service->store, user->id, on_list, request);
}

/* ---- the end of one ---- */

static void on_ended(bool ok, void *context)
{
	struct job *job = context;

	if (ok) {
		job->service->metrics.auth_sessions_revoked_total++;
		audit_act(job->service->audit, job->request, "session:revoked", job->username,
			  job->session_id, false);
		http_reply_json(job->request, 204, NULL);
	} else {
		reply_unavailable(job->request);
	}
	free(job);
}

static void on_found(bool ok, const struct store_session *session, void *context)
{
	struct job *job = context;

	if (!ok) {
		reply_unavailable(job->request);
	} else if (session == NULL || strcmp(session->who.user_id, job->user_id) != 0) {
		http_reply_error(job->request, 404, "session_not_found",
				 "There is no such session");
	} else {
		strcpy(job->username, session->who.username);
		store_revoke_session(job->service->store, &session->who,
				     MSG_SESSION_REVOKED_REASON_REVOKED, on_ended, job);
		return;
	}
	free(job);
}

static void end_one(struct service *service, struct http_request *request, const char *user_id)
{
	const char *id = http_param(request, "sessionId");
	struct job *job = job_new(service, request, user_id);

	if (id_is_safe(id, sizeof(job->session_id) - 1)) {
		strcpy(job->session_id, id);
		store_get_session(service->store, id, on_found, job);
	} else {
		on_found(true, NULL, job);
	}
}

void handle_own_session_end(struct http_request *request, void *context)
{
	end_one(context, request, http_principal(request)->user_id);
}

void handle_user_session_end(struct http_request *request, void *context)
{
	const struct user *user = http_user(request);

	end_one(context, request, user->id);
}

/* ---- the end of all ---- */

static void on_all_ended(bool ok, size_t count, void *context)
{
	struct job *job = context;

	if (ok) {
		job->service->metrics.auth_sessions_revoked_total += count;
		audit_act(job->service->audit, job->request, "session:all_revoked", job->username,
			  NULL, false);
		http_reply_json(job->request, 204, NULL);
	} else {
		reply_unavailable(job->request);
	}
	free(job);
}

void handle_logout_all(struct http_request *request, void *context)
{
	struct service *service = context;
	const struct principal *who = http_principal(request);
	struct job *job = job_new(service, request, who->user_id);

	strcpy(job->username, who->username);
	sessions_end(service->store, who->user_id, NULL, MSG_SESSION_REVOKED_REASON_LOGOUT,
		     on_all_ended, job);
}

void handle_user_sessions_end(struct http_request *request, void *context)
{
	struct service *service = context;
	const struct user *user = http_user(request);
	struct job *job = job_new(service, request, user->id);

	strcpy(job->username, user->username);
	sessions_end(service->store, user->id, NULL, MSG_SESSION_REVOKED_REASON_REVOKED,
		     on_all_ended, job);
}
