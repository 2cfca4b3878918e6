/* /api/users: making, listing and reading users. */
#include "fields.h"
#include "log.h"
#include "mem.h"
#include "replies.h"
#include "routes.h"
#include "service.h"

#include <sodium.h>
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
	FIELD_COUNT
};

static const struct field fields[] = {
	[FIELD_USERNAME] = {"username", true, 1, 64, field_is_username,
			    "A text of 1 to 64 characters a-z 0-9 . _ -"},
	[FIELD_PASSWORD] = {"password", true, 12, 256, field_is_plain, "A text of 12 to 256 bytes"},
	[FIELD_ROLE] = {"role", true, 1, 32, field_is_role, "The name of a role"},
	[FIELD_EXTENSION] = {"extension", false, 1, 32, field_is_extension,
			     "A text of 1 to 32 digits"},
	[FIELD_DISPLAY_NAME] = {"displayName", false, 1, 100, field_is_plain,
				"A text of 1 to 100 bytes"},
	[FIELD_COUNT] = {0},
};

/* False: 503 was replied, for the schema may not be there yet. */
static bool is_ready(const struct service *service, struct http_request *request)
{
	if (!bootstrap_is_done(service->bootstrap))
		reply_unavailable(request);
	return bootstrap_is_done(service->bootstrap);
}

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

static void on_found(enum users_result result, const struct user *list, size_t count, void *context)
{
	struct http_request *request = context;

	(void)count;
	if (result == USERS_OK)
		reply_user(request, 200, &list[0]);
	else
		reply_users_fault(request, result);
}

static bool is_user_id(const char *text)
{
	size_t len = strspn(text, "0123456789");

	return len >= 1 && len <= 18 && text[len] == '\0';
}

void handle_user_get(struct http_request *request, void *context)
{
	struct service *service = context;
	const char *id = http_param(request, "id");

	if (!is_ready(service, request))
		return;
	if (is_user_id(id))
		users_find_by_id(service->users, id, on_found, request);
	else
		reply_users_fault(request, USERS_NONE);
}

/* ---- a page of users ---- */

static void write_page(const struct user *list, size_t count, size_t limit,
		       struct json_writer *json)
{
	size_t shown = count < limit ? count : limit;

	json_begin_object(json);
	json_key(json, "users");
	json_begin_array(json);
	for (size_t i = 0; i < shown; i++)
		user_write(&list[i], json);
	json_end_array(json);
	json_field_str(json, "nextCursor", count > limit ? list[shown - 1].id : NULL);
	json_end_object(json);
}

static void on_listed(enum users_result result, const struct user *list, size_t count,
		      void *context)
{
	struct user_job *job = context;
	struct buffer body = {0};
	struct json_writer json = json_writer_init(&body);

	if (result == USERS_OK || result == USERS_NONE) {
		write_page(list, count, job->limit, &json);
		http_reply_json(job->request, 200, &body);
	} else {
		reply_users_fault(job->request, result);
	}
	free(job);
}

void handle_user_list(struct http_request *request, void *context)
{
	struct service *service = context;
	struct http_page page;
	struct user_job *job;

	if (!is_ready(service, request) || !http_page(request, &page))
		return;
	if (page.cursor != NULL && !is_user_id(page.cursor)) {
		http_reply_error(request, 400, "invalid_cursor", "This is no cursor of this list");
		return;
	}
	job = job_new(service, request);
	job->limit = page.limit;
	users_list(service->users, page.cursor != NULL ? page.cursor : "0", page.limit + 1,
		   on_listed, job);
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
	log_info("a user was made", log_str("username", list[0].username),
		 log_str("role", role_name(list[0].role)),
		 log_str("by", http_principal(job->request)->username),
		 log_str("request_id", http_request_id(job->request)));
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

	if (result != PASSWORD_RIGHT) {
		reply_unavailable(job->request);
		free(job);
		return;
	}
	snprintf(job->user.password_hash, sizeof(job->user.password_hash), "%s", hash);
	users_add(job->service->users, &job->user, &actor, on_added, job);
}

static void fill_user(struct user *user, const char *const *values)
{
	strcpy(user->username, values[FIELD_USERNAME]);
	(void)role_parse(values[FIELD_ROLE], &user->role);
	if (values[FIELD_EXTENSION] != NULL)
		strcpy(user->extension, values[FIELD_EXTENSION]);
	if (values[FIELD_DISPLAY_NAME] != NULL)
		strcpy(user->display_name, values[FIELD_DISPLAY_NAME]);
}

void handle_user_create(struct http_request *request, void *context)
{
	struct service *service = context;
	const struct principal *who = http_principal(request);
	const char *values[FIELD_COUNT];
	struct user_job *job;

	if (!is_ready(service, request) || !fields_read(request, fields, values))
		return;
	job = job_new(service, request);
	fill_user(&job->user, values);
	if (job->user.role >= who->role && !principal_may(who, PERMISSION_MANAGE_ADMINS)) {
		http_reply_error(request, 403, "role_not_allowed",
				 "Only roles below the own one can be given");
	} else if (password_hash(service->password, values[FIELD_PASSWORD], on_hashed, job) < 0) {
		reply_wait(request, "too_many_logins", 1000);
	} else {
		return;
	}
	free(job);
}
