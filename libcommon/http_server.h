/* HTTP/1.1 on libmicrohttpd under the loop: a table of routes, one JSON error shape, deadlines.

   A request goes: route -> size and syntax -> authenticate -> permission -> AMI session -> guard
   (ownership) -> Idempotency-Key -> handler. Each step may answer at once or later; every request
   gets exactly one reply, and one that nobody answers by its deadline gets 504. */
#ifndef COMMON_HTTP_SERVER_H
#define COMMON_HTTP_SERVER_H

#include "buffer.h"
#include "http_settings.h"
#include "metrics.h"
#include "principal.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

struct http_server;
struct http_request;

typedef void http_handler_fn(struct http_request *request, void *context);

enum http_route_flags {
	HTTP_PUBLIC = 1,      /* no token */
	HTTP_AMI_SESSION = 2, /* touches calls: the caller's AMI session must be alive */
	HTTP_IDEMPOTENT = 4,  /* honours Idempotency-Key */
	HTTP_JSON_BODY = 8,   /* the body must be one JSON object */
};

struct http_route {
	const char *method; /* "GET"; NULL ends the table. HEAD follows GET by itself. */
	const char *path;   /* "/api/ami/calls/{callId}/hold" */
	http_handler_fn *handler;
	enum permission permission; /* PERMISSION_NONE: any live session */
	http_handler_fn *guard;     /* ownership; NULL: none. Calls http_proceed() or replies. */
	unsigned flags;
};

/* ---- the server ---- */

struct http_server_settings {
	const struct http_settings *http; /* outlives the server */
	const char *service;              /* borrowed */
};

/* Listens at once. NULL with *error_r (static) when it cannot. */
struct http_server *http_server_open(uv_loop_t *loop, const struct http_server_settings *set,
				     struct metrics *metrics, const char **error_r);
/* Asked for every route that is not public: fills http_principal() and calls http_proceed(), or
   replies 401 / 403 / 503. Until it is set such routes answer 503. */
void http_server_set_authenticate(struct http_server *server, http_handler_fn *fn, void *context);
/* Asked for routes with HTTP_IDEMPOTENT when the request has an Idempotency-Key. */
void http_server_set_idempotency(struct http_server *server, http_handler_fn *fn, void *context);
/* routes must outlive the server; may be called several times. context goes to handlers and guards.
 */
void http_server_add_routes(struct http_server *server, const struct http_route *routes,
			    void *context);
/* One line per route: method, path, permission ("public" for public ones), flags, parted by tabs.
 */
void http_server_routes(const struct http_server *server, struct buffer *out);
/* New requests get 503; http_server_idle() turns true when none is under way. */
void http_server_drain(struct http_server *server);
bool http_server_idle(const struct http_server *server);
/* Requests still under way are cut; their handlers' later replies do nothing. */
void http_server_close(struct http_server **server);

/* ---- a request: valid until its reply, however long the handler waits for something else.
	After the deadline or a gone client a reply does nothing but release the request. ---- */

const char *http_method(const struct http_request *request);
const char *http_path(const struct http_request *request);
/* The pattern of the route, for logs and metrics. */
const char *http_route_path(const struct http_request *request);
const char *http_request_id(const struct http_request *request);
/* Value of {name} in the route's path, percent-decoded; never NULL for a name that is there. */
const char *http_param(const struct http_request *request, const char *name);
/* Query value or NULL; header value or NULL. Borrowed. */
const char *http_query(const struct http_request *request, const char *name);
const char *http_header(const struct http_request *request, const char *name);
/* Address of the client: the peer, or X-Real-IP when the peer is on loopback or in a private
 * network (our nginx). */
const char *http_client_address(const struct http_request *request);
const char *http_body(const struct http_request *request, size_t *len_r);
/* The body of a route with HTTP_JSON_BODY: an object. Borrowed. */
const cJSON *http_json(const struct http_request *request);
struct principal *http_principal(struct http_request *request);
/* For a guard to hand something to its handler; released with the request by free_fn. */
void http_set_user(struct http_request *request, void *user, void (*free_fn)(void *));
void *http_user(const struct http_request *request);
/* The next step: called by authenticate, guard and idempotency. */
void http_proceed(struct http_request *request);
const struct http_route *http_route(const struct http_request *request);

/* ---- replies: each of these ends the request ---- */

/* Adds a header to the coming reply. Both are copied. */
void http_reply_header(struct http_request *request, const char *name, const char *value);
/* Takes over the bytes in body (it is empty afterwards). NULL body: no content. */
void http_reply_json(struct http_request *request, unsigned status, struct buffer *body);
void http_reply_text(struct http_request *request, unsigned status, const char *content_type,
		     struct buffer *body);
/* A reply of unknown length, sent as it is made: chunked, and never more of it in memory than one
   answer to want. want is called when the client has taken what there was; it, or somebody later,
   calls http_stream_add() or http_stream_end(). gone is called exactly once, when it is over or the
   client went away; the stream is not to be used after that. */
struct http_stream;
void http_reply_stream(struct http_request *request, unsigned status, const char *content_type,
		       void (*want)(struct http_stream *stream, void *context),
		       void (*gone)(void *context), void *context);
/* Takes over the bytes (the buffer is empty afterwards). */
void http_stream_add(struct http_stream *stream, struct buffer *bytes);
/* complete: else the connection is cut, so that the client knows that something is missing. */
void http_stream_end(struct http_stream *stream, bool complete);
/* {"error": {"code", "message"}}; code is snake_case. 503 gets Retry-After: 1, 401
 * WWW-Authenticate. */
void http_reply_error(struct http_request *request, unsigned status, const char *code,
		      const char *format, ...) __attribute__((format(printf, 4, 5)));
/* The same with "details": a JSON object as text. */
void http_reply_error_details(struct http_request *request, unsigned status, const char *code,
			      const char *details, const char *format, ...)
	__attribute__((format(printf, 5, 6)));
/* For idempotency: fn is called exactly once, when the request is replied to, also by a handler
   whose reply comes too late to be sent. status is 0 when the server has been closed meanwhile:
   then fn only releases its context. 504 when the handler was never reached in time. */
void http_on_reply(struct http_request *request,
		   void (*fn)(struct http_request *request, unsigned status, const char *body,
			      size_t len, void *context),
		   void *context);

/* ---- paging: ?limit= (1..200, default 50) and ?cursor= (opaque, safe characters, at most 200)
 * ---- */

struct http_page {
	size_t limit;
	const char *cursor; /* NULL: from the start */
};

/* False: 400 was replied. */
bool http_page(struct http_request *request, struct http_page *page_r);

#endif
