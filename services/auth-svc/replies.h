/* Answers that several handlers give. */
#ifndef AUTH_SVC_REPLIES_H
#define AUTH_SVC_REPLIES_H

#include "users.h"

#include "http_server.h"

/* 429 with Retry-After, rounded up to whole seconds. */
void reply_wait(struct http_request *request, const char *code, int64_t wait_ms);
/* 503: what a handler needs is away. */
void reply_unavailable(struct http_request *request);
/* What users.h answered, other than USERS_OK. */
void reply_users_fault(struct http_request *request, enum users_result result);
/* "permissions": what the role gives, by name. */
void write_permissions(struct json_writer *json, uint64_t permissions);

#endif
