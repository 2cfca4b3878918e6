/* /api/users: making, listing and reading users. */
#include "fields.h"
#include "guards.h"
#include "log.h"
#include "mem.h"
#include "password_rules.h"
#include "replies.h"
#include "routes.h"
#include "service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct user_job {
	struct service *service;
	struct http_request *request;
	struct user user; /* the one to make */
	size_t limit;     /* of a page */
};

enum {
	FIELD_USERNAME,
	FIELD_PASSWORD,
	FIELD_ROLE,
	FIELD_EXTENSION,
	FIELD_DISPLAY_NAME,
	FIELD_EMAIL,
	FIELD_TEAM,
	FIELD_COUNT
};

static const struct field fields[] = {
	[FIELD_USERNAME] = {"username", FIELD_REQUIRED, 1, 64, field_is_username,
			    "A text of 1 to 64 characters a-z 0-9 . _ -"},
	[FIELD_PASSWORD] = {"password", FIELD_REQUIRED, PASSWORD_MIN, PASSWORD_MAX, field_is_plain,
			    "A text of 12 to 256 bytes"},
	[FIELD_ROLE] = {"role", FIELD_REQUIRED, 1, 32, field_is_role, "The name of a role"},
	[FIELD_EXTENSION] = {"extension", 0, 1, 32, field_is_extension, "A text of 1 to 32 digits"},
	[FIELD_DISPLAY_NAME] = {"displayName", 0, 1, 100, field_is_display_name,
				"A text of 1 to 100 bytes, without quotes and brackets"},
	[FIELD_EMAIL] = {"email", 0, 3, 254, field_is_email, "An e-mail address"},
	[FIELD_TEAM] = {"teamId", 0, 1, 18, field_is_row_id, "The id of a team"},
	[FIELD_COUNT] = {0},
};

static struct user_job *job_new(struct service *service, struct http_request *request)
{
	struct user_job *job = mem_new(struct user_job);

	job->service = service;
	job->request = request;
	return job;
}

/* ---- one user ---- */

static void reply_user(struct http_request *request, unsigned status, const struct user *user)
{
	struct buffer body = {0};
	struct json_writer json = json_writer_init(&body);

	user_write(user, &json);
	http_reply_json(request, status, &body);
}

void handle_user_get(struct http_request *request, void *context)
{
	(void)context;
	reply_user(request, 200, http_user(request));
}

/* ---- a page of users ---- */

static void on_listed(enum users_result result, const struct user *list, size_t count,
		      void *context)
{
	struct user_job *job = context;

	if (result == USERS_OK || result == USERS_NONE)
		reply_user_page(job->request, list, count, job->limit);
	else
		reply_users_fault(job->request, result);
	free(job);
}

void handle_user_list(struct http_request *request, void *context)
{
	struct service *service = context;
	struct http_page page;
	struct user_job *job;

	if (!service_is_ready(service, request) || !read_row_page(request, &page))
		return;
	job = job_new(service, request);
	job->limit = page.limit;
	users_list(service->users, page.cursor, page.limit + 1, on_listed, job);
}

/* ---- a new user ---- */

static void on_added(enum users_result result, const struct user *list, size_t count, void *context)
{
	struct user_job *job = context;
	char *location;

	(void)count;
	if (result != USERS_OK) {
		reply_users_fault(job->request, result);
		free(job);
		return;
	}
	job->service->metrics.auth_users_created_total++;
	audit_act(job->service->audit, job->request, "user:created", list[0].username,
		  role_name(list[0].role), true);
	log_info("a user was made", log_str("username", list[0].username),
		 log_str("role", role_name(list[0].role)),
		 log_str("by", http_principal(job->request)->username),
		 log_str("request_id", http_request_id(job->request)));
	teams_publish(job->service->teams);
	location = mem_printf("/api/users/%s", list[0].id);
	http_reply_header(job->request, "Location", location);
	free(location);
	reply_user(job->request, 201, &list[0]);
	free(job);
}

static void on_hashed(enum password_result result, const char *hash, void *context)
{
	struct user_job *job = context;
	const struct principal *who = http_principal(job->request);
	struct users_actor actor = {who->user_id, who->username, http_client_address(job->request)};

	if (result == PASSWORD_RIGHT) {
		strcpy(job->user.password_hash, hash);
		users_add(job->service->users, &job->user, &actor, on_added, job);
		return;
	}
	if (result == PASSWORD_BUSY)
		reply_wait(job->request, "too_many_logins",
			   password_wait_ms(job->service->password));
	else
		reply_unavailable(job->request);
	free(job);
}

static void fill_user(struct user *user, const char *const *values)
{
	strcpy(user->username, values[FIELD_USERNAME]);
	(void)role_parse(values[FIELD_ROLE], &user->role);
	user->enabled = true;
	if (values[FIELD_EXTENSION] != NULL)
		strcpy(user->extension, values[FIELD_EXTENSION]);
	if (values[FIELD_DISPLAY_NAME] != NULL)
		strcpy(user->display_name, values[FIELD_DISPLAY_NAME]);
	if (values[FIELD_EMAIL] != NULL)
		strcpy(user->email, values[FIELD_EMAIL]);
	if (values[FIELD_TEAM] != NULL)
		strcpy(user->team_id, values[FIELD_TEAM]);
}

void handle_user_create(struct http_request *request, void *context)
{
	struct service *service = context;
	const char *values[FIELD_COUNT];
	const char *fault;
	struct user_job *job;

	if (!service_is_ready(service, request) || !fields_read(request, fields, values))
		return;
	fault = password_fault(values[FIELD_PASSWORD], values[FIELD_USERNAME]);
	if (fault != NULL) {
		field_reply_fault(request, "password", fault);
		return;
	}
	job = job_new(service, request);
	fill_user(&job->user, values);
	if (!may_give_role(http_principal(request), job->user.role)) {
		http_reply_error(request, 403, "role_not_allowed",
				 "Only roles below the own one can be given");
	} else if (password_hash(service->password, http_client_address(request),
				 values[FIELD_PASSWORD], on_hashed, job) < 0) {
		reply_wait(request, "too_many_logins", password_wait_ms(service->password));
	} else {
		return;
	}
	free(job);
}
