/* Answers that several handlers give. */
#ifndef AUTH_SVC_REPLIES_H
#define AUTH_SVC_REPLIES_H

#include "agents.h"

#include "http_server.h"

/* 429 with Retry-After, rounded up to whole seconds. */
void reply_wait(struct http_request *request, const char *code, int64_t wait_ms);
/* 503: what a handler needs is away. */
void reply_unavailable(struct http_request *request);
/* What users.h answered, other than USERS_OK. */
void reply_users_fault(struct http_request *request, enum users_result result);
/* What agents.h answered, other than AGENTS_OK. */
void reply_agents_fault(struct http_request *request, enum agents_result result);
/* A page whose cursor is the id of a row; cursor is then "0" for the start. False: 400 was replied.
 */
bool read_row_page(struct http_request *request, struct http_page *page_r);
/* A page of users, of which one more than limit may have been found. */
void reply_user_page(struct http_request *request, const struct user *list, size_t count,
		     size_t limit);
/* The AMI part of a login. */
void write_ami(struct json_writer *json, const char *username, const char *extension,
	       uint64_t permissions, const char *ami_session_id);
/* "permissions": what the role gives, by name. */
void write_permissions(struct json_writer *json, uint64_t permissions);

#endif
