/* A call as a request sees it: the hash in Redis, read once by the guard. */
#ifndef LIFECYCLE_CALL_VIEW_H
#define LIFECYCLE_CALL_VIEW_H

#include "http_server.h"
#include "redis_link.h"

struct call_view;

/* A channel of it; strings are "" where there is none, and belong to the view. */
struct call_leg {
	const char *uniqueid, *channel, *extension, *number, *peer;
	const char *hold; /* "suite" when we put it there */
	bool up, local;
};

/* reply: of store_call_get(). NULL when there is no such call. */
struct call_view *call_view_new(const redisReply *reply);
void call_view_free(void *view);
const char *call_view_text(const struct call_view *view, const char *field);
bool call_view_has_extension(const struct call_view *view, const char *extension);
size_t call_view_legs(const struct call_view *view, struct call_leg *legs_r, size_t max);
/* One JSON object of all that is known of it, the members given as text (asOf, ...) at its end. */
void call_view_write(const struct call_view *view, const char *more, struct buffer *out);
/* Of the request, after guard_call(). */
const struct call_view *call_view_of(const struct http_request *request);

/* The same object straight from a reply with the first count fields. */
void call_reply_write(const redisReply *reply, size_t count, const char *more, struct buffer *out);

#endif
