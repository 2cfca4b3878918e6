/* What the files of the HTTP server share: http_server.c (the object), http_loop.c (libmicrohttpd
   on the loop), http_receive.c (bytes to request), http_steps.c (request to handler), http_reply.c
   and http_stream.c (handler to bytes), http_request.c (lifetime and getters), http_metrics.c. */
#ifndef COMMON_HTTP_INTERNAL_H
#define COMMON_HTTP_INTERNAL_H

#include "http_headers.h"
#include "http_route.h"
#include "http_server.h"
#include "http_uri.h"
#include "ids.h"
#include "loop.h"

#include <microhttpd.h>
#include <netinet/in.h>
#include <stdint.h>
#include <sys/queue.h>

/* An idle connection stays open longer than nginx keeps it (keepalive_timeout 60 s). */
#define HTTP_IDLE_MS 75000
/* A whole reply must be taken within this. */
#define HTTP_SEND_MS 30000
/* Past this much of a body that is too large the connection is cut instead of read on. */
#define HTTP_DISCARD_MAX (64u * 1024 * 1024)
/* Memory that the bodies of all requests may take together. */
#define HTTP_BODIES_MAX (64u * 1024 * 1024)

struct http_class {
	uint64_t http_requests_total;
};

enum {
	HTTP_CLASSES = 4
}; /* 2xx 3xx 4xx 5xx */

struct http_route_time {
	struct metric_histogram http_request_seconds;
};

struct http_route_metrics {
	struct http_class classes[HTTP_CLASSES];
	struct http_route_time time;
};

#define METRIC(kind, name, help) METRIC_FIELD_##kind(name)
struct http_server_metrics {
#include "http_metrics.inc"
};
#undef METRIC

/* One table given to http_server_add_routes(). */
struct http_table {
	const struct http_route *routes; /* borrowed */
	void *context;
	struct http_route_metrics *metrics; /* owned: one for each route */
	struct http_table *next;
};

struct http_step {
	http_handler_fn *fn; /* NULL: not set */
	void *context;
};

/* One TCP connection; owned by libmicrohttpd's notifications of its start and end. */
struct http_connection {
	LIST_ENTRY(http_connection) entry;
	struct http_server *server;
	struct http_request *request; /* NULL between requests */
	int fd;
	int64_t deadline_ms; /* clock_mono_ms(): for whatever it is doing now */
	char address[INET6_ADDRSTRLEN];
};

struct http_server {
	uv_loop_t *loop;
	const struct http_settings *settings;
	struct metrics *registry;
	struct MHD_Daemon *mhd;
	uv_poll_t poll; /* of libmicrohttpd's epoll descriptor */
	uv_prepare_t prepare;
	uv_idle_t idle; /* active: the loop does not sleep in this turn */
	int closing_handles;
	struct timer *wake;  /* when libmicrohttpd asks to be run again */
	struct timer *sweep; /* looks for passed deadlines; only while connections are open */
	bool wanted;         /* libmicrohttpd has something to do */
	bool draining;
	int listen_fd;         /* -1 once nothing is accepted any more */
	uint64_t started;      /* handlers */
	uint64_t ended;        /* connections that have ended */
	size_t body_bytes;     /* kept by all requests */
	int64_t limit_told_ms; /* when it was last said that descriptors are used up */
	LIST_HEAD(http_connection_list, http_connection) connections;
	LIST_HEAD(http_request_list, http_request) requests; /* all that are not released */
	char id_prefix[ID_RANDOM_LEN + 1]; /* of request ids: random, then a count */
	unsigned long long ids;
	struct http_table *tables;
	struct http_step authenticate, idempotency;
	struct http_server_metrics values;
	struct http_route_metrics unmatched;
};

enum http_stage {
	HTTP_STAGE_AUTHENTICATE,
	HTTP_STAGE_PERMISSION,
	HTTP_STAGE_GUARD,
	HTTP_STAGE_IDEMPOTENCY,
	HTTP_STAGE_HANDLER
};

/* Two hold it: libmicrohttpd until the reply is sent or the client gone (connection != NULL), and
   whoever works on it until the one reply (held). It is released when neither does. */
struct http_request {
	LIST_ENTRY(http_request) entry;
	struct http_server *server; /* NULL once the server is closed */
	struct http_connection *connection;
	struct MHD_Connection *mhd; /* only while connection is set */
	bool held;
	bool begun;     /* the headers have been read */
	bool suspended; /* libmicrohttpd waits for MHD_resume_connection() */
	bool answered;  /* a reply was decided; a later one does nothing */
	bool at_once;   /* the reply must not wait for the body */
	enum http_stage stage;
	int64_t started_us;

	char method[16];
	char id[65];
	char client[INET6_ADDRSTRLEN];
	char *target; /* owned, as it was sent */
	struct http_uri uri;
	struct http_headers headers;
	struct buffer body;
	uint64_t body_seen; /* bytes that came, kept or not */
	cJSON *json;

	const struct http_route *route; /* NULL: none fits */
	const struct http_table *table;
	struct http_route_metrics *metrics;
	struct http_pair params[HTTP_SEGMENTS_MAX];
	size_t param_count;
	struct principal principal;
	void *user;
	void (*user_free)(void *user);

	struct buffer reply_headers; /* name NUL value NUL ... */
	void (*on_reply)(struct http_request *request, unsigned status, const char *body,
			 size_t len, void *context);
	void *on_reply_context;
	unsigned status;
	struct MHD_Response *response; /* owned; waits for libmicrohttpd to take it */
};

/* http_listen.c: "address:port" or "[address]:port"; 0 when it is one of these */
struct sockaddr_storage;
int http_listen_parse(const char *listen, struct sockaddr_storage *address);
/* A listening socket, or -1 with *error_r (static). */
int http_listen(const char *listen, const char **error_r);
/* The text of an address, IPv4 in IPv6 as IPv4. */
void http_address_text(const struct sockaddr *address, char out[static INET6_ADDRSTRLEN]);
/* On loopback or in a private network: our own nginx. */
bool http_address_is_private(const char *address);

/* http_loop.c */
int http_loop_start(struct http_server *server, const char **error_r);
void http_loop_wake(struct http_server *server);
void http_loop_stop_listening(struct http_server *server);
/* Every connection is cut; their requests have been let go of when this returns. The server's
   memory goes when the loop has closed its handles. */
void http_loop_stop(struct http_server *server);

/* http_connection.c */
void http_connection_notify(void *server, struct MHD_Connection *mhd, void **socket_context,
			    enum MHD_ConnectionNotificationCode code);
void http_connection_deadline(struct http_connection *connection, int64_t in_ms);

/* http_receive.c: libmicrohttpd's callbacks for a request. */
void *http_on_target(void *server, const char *target, struct MHD_Connection *mhd);
enum MHD_Result http_on_request(void *server, struct MHD_Connection *mhd, const char *url,
				const char *method, const char *version, const char *upload,
				size_t *upload_size, void **request);
void http_on_completed(void *server, struct MHD_Connection *mhd, void **request,
		       enum MHD_RequestTerminationCode code);

/* http_request.c */
struct http_request *http_request_new(struct http_connection *connection,
				      struct MHD_Connection *mhd, const char *target);
void http_request_drop_body(struct http_request *request);
/* Releases the request when nobody holds it any more. */
void http_request_release(struct http_request *request);

/* http_server.c: finds the route. False: 404, 405 or OPTIONS was replied. */
bool http_server_find(struct http_server *server, struct http_request *request);

/* http_steps.c: from the whole request to its handler. */
void http_steps_start(struct http_request *request);

/* http_reply.c */
/* The server's own reply to a request whose handler is late; that one still has to reply. */
void http_reply_late(struct http_request *request);
/* The reply is decided: response, which it takes over, goes to libmicrohttpd. */
void http_reply_with(struct http_request *request, unsigned status, const char *content_type,
		     struct MHD_Response *response);
/* A step came back too late: its handler will not run, so nobody else will reply. */
void http_reply_abandon(struct http_request *request);

/* http_metrics.c */
void http_metrics_add_server(struct http_server *server);
void http_metrics_add_table(struct http_server *server, struct http_table *table);
void http_metrics_remove(struct http_server *server);
/* The access log's line, and the counts. */
void http_metrics_answered(const struct http_request *request);

#endif
