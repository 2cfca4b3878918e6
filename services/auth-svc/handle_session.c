/* The caller's own session, and the keys that others check it with. */
#include "clock.h"
#include "ids.h"
#include "log.h"
#include "mem.h"
#include "replies.h"
#include "routes.h"
#include "service.h"

#include <stdlib.h>
#include <string.h>

#define TICKET_TTL_MS 30000

void handle_me(struct http_request *request, void *context)
{
	const struct principal *who = http_principal(request);
	struct buffer body = {0};
	struct json_writer json = json_writer_init(&body);

	(void)context;
	json_begin_object(&json);
	json_key(&json, "user");
	json_begin_object(&json);
	json_field_str(&json, "id", who->user_id);
	json_field_str(&json, "username", who->username);
	json_field_str(&json, "role", role_name(who->role));
	if (who->extension[0] != '\0')
		json_field_str(&json, "extension", who->extension);
	json_end_object(&json);
	write_permissions(&json, who->permissions);
	json_key(&json, "session");
	json_begin_object(&json);
	json_field_str(&json, "id", who->session_id);
	json_field_str(&json, "amiSessionId", who->ami_session_id);
	json_field_int(&json, "tokenExpiresAt", who->expires_at_ms);
	json_end_object(&json);
	json_end_object(&json);
	http_reply_json(request, 200, &body);
}

struct session_job {
	struct service *service;
	struct http_request *request;
	char ticket[ID_RANDOM_LEN + 1];
};

static struct session_job *job_new(struct service *service, struct http_request *request)
{
	struct session_job *job = mem_new(struct session_job);

	job->service = service;
	job->request = request;
	return job;
}

static void on_revoked(bool ok, void *context)
{
	struct session_job *job = context;

	if (ok) {
		job->service->metrics.auth_sessions_revoked_total++;
		log_info("logged out", log_str("username", http_principal(job->request)->username),
			 log_str("request_id", http_request_id(job->request)));
		http_reply_json(job->request, 204, NULL);
	} else {
		reply_unavailable(job->request);
	}
	free(job);
}

void handle_logout(struct http_request *request, void *context)
{
	struct service *service = context;

	store_revoke_session(service->store, http_principal(request),
			     MSG_SESSION_REVOKED_REASON_LOGOUT, on_revoked,
			     job_new(service, request));
}

static void on_ticket(bool ok, void *context)
{
	struct session_job *job = context;
	struct buffer body = {0};
	struct json_writer json = json_writer_init(&body);

	if (ok) {
		json_begin_object(&json);
		json_field_str(&json, "ticket", job->ticket);
		json_field_int(&json, "expiresAt", clock_wall_ms() + TICKET_TTL_MS);
		json_end_object(&json);
		http_reply_header(job->request, "Cache-Control", "no-store");
		http_reply_json(job->request, 201, &body);
	} else {
		reply_unavailable(job->request);
	}
	free(job);
}

void handle_ws_ticket(struct http_request *request, void *context)
{
	struct service *service = context;
	struct session_job *job = job_new(service, request);

	id_random(job->ticket);
	store_put_ticket(service->store, job->ticket, http_principal(request)->session_id,
			 TICKET_TTL_MS, on_ticket, job);
}

void handle_jwks(struct http_request *request, void *context)
{
	struct service *service = context;
	struct buffer body = {0};

	buffer_append_str(&body, signer_jwks(service->signer));
	http_reply_header(request, "Cache-Control", "public, max-age=60");
	http_reply_json(request, 200, &body);
}
