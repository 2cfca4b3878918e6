#include "handshake.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <string.h>
#include <strings.h>

#define HEADERS_MAX 64

static const struct handshake_refusal bad_request = {400, "bad_request",
						     "this is not a valid HTTP/1.1 request"};
static const struct handshake_refusal not_websocket = {400, "bad_handshake",
						       "this is not a valid WebSocket handshake"};
static const struct handshake_refusal bad_protocol = {
	400, "unsupported_protocol", "the only subprotocol here is " HANDSHAKE_PROTOCOL};
static const struct handshake_refusal bad_path = {404, "not_found",
						  "WebSockets live at " HANDSHAKE_PATH};
static const struct handshake_refusal bad_method = {405, "method_not_allowed",
						    "a WebSocket begins with GET"};
static const struct handshake_refusal bad_version = {426, "upgrade_required",
						     "WebSocket version 13 is needed"};
const struct handshake_refusal handshake_too_large = {431, "headers_too_large",
						      "the request's head is too large"};
const struct handshake_refusal handshake_bad_origin = {403, "origin_not_allowed",
						       "this origin may not connect"};
const struct handshake_refusal handshake_full = {503, "too_many_connections",
						 "no more connections for the moment"};
const struct handshake_refusal handshake_draining = {503, "going_away", "the service is stopping"};
const struct handshake_refusal handshake_too_slow = {408, "request_timeout",
						     "the handshake took too long"};

size_t handshake_head_len(const char *bytes, size_t len)
{
	const char *end = memmem(bytes, len, "\r\n\r\n", 4);
	return end != NULL ? (size_t)(end - bytes) + 4 : 0;
}

struct text {
	const char *at;
	size_t len;
};

/* A line without its CR LF; moves rest behind it. False: no line, or a bare CR, LF or other
   control byte in it. */
static bool next_line(struct text *rest, struct text *line_r)
{
	const char *end = memmem(rest->at, rest->len, "\r\n", 2);
	if (end == NULL)
		return false;
	*line_r = (struct text){rest->at, (size_t)(end - rest->at)};
	rest->at = end + 2;
	rest->len -= line_r->len + 2;
	for (size_t i = 0; i < line_r->len; i++) {
		unsigned char byte = (unsigned char)line_r->at[i];
		if ((byte < ' ' && byte != '\t') || byte == 0x7f)
			return false;
	}
	return true;
}

static bool text_is(struct text text, const char *word)
{
	return text.len == strlen(word) && strncasecmp(text.at, word, text.len) == 0;
}

/* Methods, paths and versions mind their case, header fields do not. */
static bool text_equals(struct text text, const char *word)
{
	return text.len == strlen(word) && memcmp(text.at, word, text.len) == 0;
}

static struct text trim(struct text text)
{
	while (text.len > 0 && (text.at[0] == ' ' || text.at[0] == '\t')) {
		text.at++;
		text.len--;
	}
	while (text.len > 0 && (text.at[text.len - 1] == ' ' || text.at[text.len - 1] == '\t'))
		text.len--;
	return text;
}

/* Cuts the text at the first separator; what is behind it stays in *rest. */
static struct text cut(struct text *rest, char separator)
{
	const char *end = memchr(rest->at, separator, rest->len);
	struct text part = {rest->at, end != NULL ? (size_t)(end - rest->at) : rest->len};
	size_t used = part.len + (end != NULL);
	rest->at += used;
	rest->len -= used;
	return part;
}

static bool list_has(struct text list, const char *word)
{
	while (list.len > 0) {
		if (text_is(trim(cut(&list, ',')), word))
			return true;
	}
	return false;
}

/* What the headers say beyond what goes into struct handshake. */
struct marks {
	bool upgrade, connection, version_seen, version_13, host;
};

/* False: too long, or the field was there before. */
static bool store_once(char *out, size_t size, struct text value)
{
	if (out[0] != '\0' || value.len >= size)
		return false;
	memcpy(out, value.at, value.len);
	out[value.len] = '\0';
	return true;
}

static void read_protocols(struct text value, struct handshake *handshake)
{
	if (list_has(value, HANDSHAKE_PROTOCOL))
		handshake->protocol = true;
	else
		handshake->other_protocols = true;
}

static bool read_version(struct text value, struct marks *marks)
{
	if (marks->version_seen)
		return false;
	marks->version_seen = true;
	marks->version_13 = text_is(value, "13");
	return true;
}

static bool read_header(struct text name, struct text value, struct handshake *handshake,
			struct marks *marks)
{
	if (text_is(name, "host"))
		return value.len > 0 && store_once(handshake->host, sizeof(handshake->host), value);
	if (text_is(name, "origin"))
		return store_once(handshake->origin, sizeof(handshake->origin), value);
	if (text_is(name, "sec-websocket-key"))
		return store_once(handshake->key, sizeof(handshake->key), value);
	if (text_is(name, "sec-websocket-version"))
		return read_version(value, marks);
	if (text_is(name, "content-length"))
		return text_is(value, "0");
	if (text_is(name, "transfer-encoding"))
		return false;
	if (text_is(name, "upgrade"))
		marks->upgrade = marks->upgrade || list_has(value, "websocket");
	else if (text_is(name, "connection"))
		marks->connection = marks->connection || list_has(value, "upgrade");
	else if (text_is(name, "sec-websocket-protocol"))
		read_protocols(value, handshake);
	else if (text_is(name, "x-real-ip"))
		return store_once(handshake->real_ip, sizeof(handshake->real_ip), value);
	return true;
}

static bool is_token(struct text text)
{
	static const char allowed[] = "!#$%&'*+-.^_`|~0123456789"
				      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	for (size_t i = 0; i < text.len; i++) {
		if (text.at[i] == '\0' || strchr(allowed, text.at[i]) == NULL)
			return false;
	}
	return text.len > 0;
}

/* A folded line begins with a blank, so that its name is no token. */
static bool read_headers(struct text rest, struct handshake *handshake, struct marks *marks)
{
	struct text line;
	for (int count = 0; count <= HEADERS_MAX; count++) {
		if (!next_line(&rest, &line))
			return false;
		if (line.len == 0)
			return true;
		if (memchr(line.at, ':', line.len) == NULL)
			return false;
		struct text name = cut(&line, ':');
		if (!is_token(name) || !read_header(name, trim(line), handshake, marks))
			return false;
	}
	return false;
}

static const struct handshake_refusal *read_request_line(struct text *rest,
							 struct handshake *handshake)
{
	struct text line;
	if (!next_line(rest, &line))
		return &bad_request;
	struct text method = cut(&line, ' ');
	struct text target = cut(&line, ' ');
	if (!is_token(method) || target.len == 0 || target.at[0] != '/' ||
	    !text_equals(line, "HTTP/1.1"))
		return &bad_request;
	if (!text_equals(method, "GET"))
		return &bad_method;
	struct text path = cut(&target, '?');
	if (!text_equals(path, HANDSHAKE_PATH))
		return &bad_path;
	return store_once(handshake->path, sizeof(handshake->path), path) ? NULL : &bad_path;
}

/* base64 of 16 bytes. */
static bool key_is_valid(const char *key)
{
	unsigned char bytes[18];
	return strlen(key) == 24 && strcmp(key + 22, "==") == 0 &&
	       EVP_DecodeBlock(bytes, (const unsigned char *)key, 24) == 18;
}

const struct handshake_refusal *handshake_parse(const char *head, size_t len,
						struct handshake *handshake_r)
{
	struct text rest = {head, len};
	struct marks marks = {0};

	memset(handshake_r, 0, sizeof(*handshake_r));
	const struct handshake_refusal *refusal = read_request_line(&rest, handshake_r);
	if (refusal != NULL)
		return refusal;
	if (!read_headers(rest, handshake_r, &marks) || handshake_r->host[0] == '\0')
		return &bad_request;
	if (!marks.upgrade || !marks.connection)
		return &not_websocket;
	if (!marks.version_13)
		return &bad_version;
	if (!key_is_valid(handshake_r->key))
		return &not_websocket;
	if (handshake_r->other_protocols && !handshake_r->protocol)
		return &bad_protocol;
	return NULL;
}

/* "https://crm.example.com:8443" -> "crm.example.com:8443" */
static const char *origin_host(const char *origin)
{
	const char *slashes = strstr(origin, "://");
	return slashes != NULL ? slashes + 3 : "";
}

bool handshake_origin_allowed(const struct handshake *handshake, const char *allowed)
{
	struct text list = {allowed, strlen(allowed)};

	if (handshake->origin[0] == '\0' ||
	    strcasecmp(origin_host(handshake->origin), handshake->host) == 0)
		return true;
	while (list.len > 0) {
		struct text one = cut(&list, ' ');
		if (text_is(one, "*") || text_is(one, handshake->origin))
			return true;
	}
	return false;
}

void handshake_accept(const struct handshake *handshake, struct buffer *out)
{
	static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	unsigned char text[24 + sizeof(guid)], hash[SHA_DIGEST_LENGTH], accept[32];

	memcpy(text, handshake->key, 24);
	memcpy(text + 24, guid, sizeof(guid));
	SHA1(text, sizeof(text) - 1, hash);
	EVP_EncodeBlock(accept, hash, sizeof(hash));
	buffer_printf(out,
		      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
		      "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n%s\r\n",
		      (const char *)accept,
		      handshake->protocol ? "Sec-WebSocket-Protocol: " HANDSHAKE_PROTOCOL "\r\n"
					  : "");
}

static const char *status_text(unsigned status)
{
	switch (status) {
	case 400:
		return "Bad Request";
	case 403:
		return "Forbidden";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 408:
		return "Request Timeout";
	case 426:
		return "Upgrade Required";
	case 431:
		return "Request Header Fields Too Large";
	default:
		return "Service Unavailable";
	}
}

static const char *status_header(unsigned status)
{
	switch (status) {
	case 405:
		return "Allow: GET\r\n";
	case 426:
		return "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";
	case 503:
		return "Retry-After: 1\r\n";
	default:
		return "";
	}
}

void handshake_refuse(const struct handshake_refusal *refusal, struct buffer *out)
{
	struct buffer body = {0};
	buffer_printf(&body, "{\"error\":{\"code\":\"%s\",\"message\":\"%s\"}}", refusal->code,
		      refusal->message);
	buffer_printf(out,
		      "HTTP/1.1 %u %s\r\nContent-Type: application/json\r\n%s"
		      "Connection: close\r\nContent-Length: %zu\r\n\r\n%s",
		      refusal->status, status_text(refusal->status), status_header(refusal->status),
		      body.len, body.data);
	buffer_free(&body);
}
