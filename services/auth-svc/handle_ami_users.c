/* AMI users: who may touch calls, at which extension. A login makes an AMI session by itself; here
   it is ended and made again within the same login, and users are bound to extensions. */
#include "fields.h"
#include "guards.h"
#include "ids.h"
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
	char extension[33];
	char ami_session_id[ID_RANDOM_LEN + 1];
	struct user user;
};

static struct job *job_new(struct service *service, struct http_request *request)
{
	struct job *job = mem_new(struct job);

	job->service = service;
	job->request = request;
	return job;
}

/* ---- login and logout ---- */

static void reply_ami(struct job *job, const char *ami_session_id)
{
	const struct principal *who = http_principal(job->request);
	struct buffer body = {0};
	struct json_writer json = json_writer_init(&body);

	json_begin_object(&json);
	json_key(&json, "ami");
	write_ami(&json, who->username, job->extension, who->permissions, ami_session_id);
	json_end_object(&json);
	http_reply_json(job->request, 200, &body);
}

static void on_opened(bool ok, void *context)
{
	struct job *job = context;

	if (ok) {
		audit_act(job->service->audit, job->request, "ami:logged_in",
			  http_principal(job->request)->username, job->extension, false);
		reply_ami(job, job->ami_session_id);
	} else {
		reply_unavailable(job->request);
	}
	free(job);
}

static void open_session(struct job *job)
{
	const struct principal *who = http_principal(job->request);

	if (who->ami_session_id[0] != '\0' && strcmp(who->extension, job->extension) == 0) {
		reply_ami(job, who->ami_session_id);
		free(job);
		return;
	}
	id_random(job->ami_session_id);
	store_set_ami_session(job->service->store, who, job->ami_session_id, job->extension,
			      on_opened, job);
}

static void on_user(enum users_result result, const struct user *list, size_t count, void *context)
{
	struct job *job = context;

	(void)count;
	if (result != USERS_OK) {
		reply_users_fault(job->request, result);
	} else if (!user_may_log_in_at(&list[0], job->extension)) {
		http_reply_error(job->request, 403, "extension_not_allowed",
				 "This user cannot log in at that extension");
	} else {
		if (job->extension[0] == '\0')
			strcpy(job->extension, list[0].extension);
		open_session(job);
		return;
	}
	free(job);
}

static const struct field login_fields[] = {
	{"extension", 0, 1, 32, field_is_extension, "A text of 1 to 32 digits"},
	{0},
};

void handle_ami_login(struct http_request *request, void *context)
{
	struct service *service = context;
	const char *extension;
	struct job *job;

	if (!service_is_ready(service, request) || !fields_read(request, login_fields, &extension))
		return;
	job = job_new(service, request);
	if (extension != NULL)
		strcpy(job->extension, extension);
	users_find_by_id(service->users, http_principal(request)->user_id, on_user, job);
}

static void on_closed(bool ok, void *context)
{
	struct job *job = context;

	if (ok) {
		audit_act(job->service->audit, job->request, "ami:logged_out",
			  http_principal(job->request)->username, job->extension, false);
		http_reply_json(job->request, 204, NULL);
	} else {
		reply_unavailable(job->request);
	}
	free(job);
}

void handle_ami_logout(struct http_request *request, void *context)
{
	struct service *service = context;
	const struct principal *who = http_principal(request);
	struct job *job = job_new(service, request);

	strcpy(job->extension, who->extension);
	store_set_ami_session(service->store, who, "", who->extension, on_closed, job);
}

/* ---- registration ---- */

static const struct field register_fields[] = {
	{"username", FIELD_REQUIRED, 1, 64, field_is_username,
	 "A text of 1 to 64 characters a-z 0-9 . _ -"},
	{"extension", FIELD_REQUIRED, 1, 32, field_is_extension, "A text of 1 to 32 digits"},
	{0},
};

static void reply_registered(struct job *job, unsigned status)
{
	const struct user *user = &job->user;
	struct buffer body = {0};
	struct json_writer json = json_writer_init(&body);

	json_begin_object(&json);
	json_field_str(&json, "userId", user->id);
	json_field_str(&json, "username", user->username);
	json_field_str(&json, "extension", user->extension);
	write_permissions(&json, role_permissions(user->role));
	json_end_object(&json);
	http_reply_json(job->request, status, &body);
	free(job);
}

static void on_ended(bool ok, size_t count, void *context)
{
	struct job *job = context;

	(void)count;
	if (ok) {
		reply_registered(job, 201);
	} else {
		reply_unavailable(job->request);
		free(job);
	}
}

static void on_changed(enum users_result result, const struct user *list, size_t count,
		       void *context)
{
	struct job *job = context;

	(void)count;
	if (result != USERS_OK) {
		reply_users_fault(job->request, result);
		free(job);
		return;
	}
	job->user = list[0];
	teams_publish(job->service->teams);
	audit_act(job->service->audit, job->request, "ami:registered", list[0].username,
		  list[0].extension, true);
	sessions_end(job->service->store, list[0].id, NULL, MSG_SESSION_REVOKED_REASON_USER_CHANGED,
		     on_ended, job);
}

static void on_found(enum users_result result, const struct user *list, size_t count, void *context)
{
	struct job *job = context;
	const struct principal *who = http_principal(job->request);
	struct users_actor actor = {who->user_id, who->username, http_client_address(job->request)};

	(void)count;
	if (result != USERS_OK) {
		reply_users_fault(job->request, result);
		free(job);
	} else if (!may_give_role(who, list[0].role)) {
		http_reply_error(job->request, 403, "role_not_allowed",
				 "Only users of a role below the own one");
		free(job);
	} else if (strcmp(list[0].extension, job->extension) == 0) {
		job->user = list[0];
		reply_registered(job, 200);
	} else {
		job->user = list[0];
		strcpy(job->user.extension, job->extension);
		users_change(job->service->users, &job->user, &actor, "ami:registered",
			     job->extension, on_changed, job);
	}
}

void handle_ami_register(struct http_request *request, void *context)
{
	struct service *service = context;
	const char *values[2];
	struct job *job;

	if (!service_is_ready(service, request) || !fields_read(request, register_fields, values))
		return;
	job = job_new(service, request);
	strcpy(job->extension, values[1]);
	users_find_by_name(service->users, values[0], on_found, job);
}
