/* The head of an HTTP/1.1 request, strict: no folded lines, no field twice that counts once, a body
   only with a length. */
#ifndef WS_FANOUT_REQUEST_H
#define WS_FANOUT_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#define REQUEST_MAX 8192 /* bytes of the head */

enum request_method {
	REQUEST_GET,
	REQUEST_POST,
	REQUEST_OPTIONS,
	REQUEST_OTHER
};

/* Not NUL-terminated; lies in the head that was read. */
struct request_text {
	const char *at;
	size_t len;
};

struct request {
	enum request_method method;
	char path[64];
	struct request_text query; /* behind the question mark, as it came */
	char host[256];
	char origin[256]; /* "" when not from a browser */
	char real_ip[46]; /* X-Real-IP: to be believed only from our own proxy */
	struct request_text authorization, last_event_id;
	size_t body_len;

	/* Of a WebSocket handshake. */
	bool upgrade, version_13;
	char key[25];
	struct request_text extensions; /* the first Sec-WebSocket-Extensions */
	bool protocol;                  /* mayday.v1 is among the subprotocols offered */
	bool other_protocols;
};

struct request_refusal {
	unsigned status;
	const char *code, *message; /* of the error body */
};

/* Length of the request's head with its blank line, 0 when it is not complete yet. */
size_t request_head_len(const char *bytes, size_t len);
/* Reads a complete head, which must outlive the request. NULL, or why it is refused (static). */
const struct request_refusal *request_parse(const char *head, size_t len,
					    struct request *request_r);
/* The value of a name in the query, percent-decoded. False: absent, not valid, or it does not fit.
 */
bool request_query(const struct request *request, const char *name, char *out, size_t size);
bool request_text_is(struct request_text text, const char *word);
/* Cuts the text at the first separator and trims the part; what is behind stays in *rest. */
struct request_text request_text_cut(struct request_text *rest, char separator);
/* allowed: origins parted by blanks, "*" for any, "" for none but the server's own host. */
bool request_origin_allowed(const struct request *request, const char *allowed);

#endif
