/* HTTP requests to others, by libcurl's multi interface on the loop: nothing blocks, each has a
   deadline, answers are bounded, redirects are not followed. Names are looked up by libcurl's own
   resolver thread. */
#ifndef COMMON_HTTP_CLIENT_H
#define COMMON_HTTP_CLIENT_H

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct http_client;
struct http_exchange;

struct http_client_request {
	const char *method;         /* "POST" */
	const char *url;            /* http or https */
	const char *const *headers; /* "Name: value", ended by NULL; may be NULL */
	const char *body;           /* NULL: none */
	size_t len;
	int64_t timeout_ms;
	size_t answer_max; /* bytes of the answer that are kept; the rest is cut off */
};

/* status is 0 when there was no answer: error says why (borrowed). */
typedef void http_client_fn(unsigned status, const char *error, const char *body, size_t len,
			    void *context);

struct http_client *http_client_new(uv_loop_t *loop);
/* Exchanges under way are dropped: nobody is called. The loop releases the rest. */
void http_client_free(struct http_client **client);
/* Everything is copied. fn is called once, from the loop, unless the exchange is cancelled. NULL:
   the request is not one that can be sent, and nobody is called. */
struct http_exchange *http_client_send(struct http_client *client,
				       const struct http_client_request *request,
				       http_client_fn *fn, void *context);
/* Nobody is called any more. */
void http_client_cancel(struct http_exchange **exchange);

#endif
