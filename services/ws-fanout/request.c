#include "request.h"

#include <string.h>
#include <strings.h>

#define HEADERS_MAX 64

static const struct request_refusal bad_request = {400, "bad_request",
						   "this is not a valid HTTP/1.1 request"};

size_t request_head_len(const char *bytes, size_t len)
{
	const char *end = memmem(bytes, len, "\r\n\r\n", 4);
	return end != NULL ? (size_t)(end - bytes) + 4 : 0;
}

/* ---- text ---- */

/* A line without its CR LF; moves rest behind it. False: no line, or a bare CR, LF or other
   control byte in it. */
static bool next_line(struct request_text *rest, struct request_text *line_r)
{
	const char *end = memmem(rest->at, rest->len, "\r\n", 2);
	if (end == NULL)
		return false;
	*line_r = (struct request_text){rest->at, (size_t)(end - rest->at)};
	rest->at = end + 2;
	rest->len -= line_r->len + 2;
	for (size_t i = 0; i < line_r->len; i++) {
		unsigned char byte = (unsigned char)line_r->at[i];
		if ((byte < ' ' && byte != '\t') || byte == 0x7f)
			return false;
	}
	return true;
}

bool request_text_is(struct request_text text, const char *word)
{
	return text.len == strlen(word) && strncasecmp(text.at, word, text.len) == 0;
}

/* Methods, paths and versions mind their case, header fields do not. */
static bool text_equals(struct request_text text, const char *word)
{
	return text.len == strlen(word) && memcmp(text.at, word, text.len) == 0;
}

static struct request_text trim(struct request_text text)
{
	while (text.len > 0 && (text.at[0] == ' ' || text.at[0] == '\t')) {
		text.at++;
		text.len--;
	}
	while (text.len > 0 && (text.at[text.len - 1] == ' ' || text.at[text.len - 1] == '\t'))
		text.len--;
	return text;
}

/* As request_text_cut(), blanks and all. */
static struct request_text cut(struct request_text *rest, char separator)
{
	const char *end = memchr(rest->at, separator, rest->len);
	struct request_text part = {rest->at, end != NULL ? (size_t)(end - rest->at) : rest->len};
	size_t used = part.len + (end != NULL);
	rest->at += used;
	rest->len -= used;
	return part;
}

struct request_text request_text_cut(struct request_text *rest, char separator)
{
	return trim(cut(rest, separator));
}

static bool list_has(struct request_text list, const char *word)
{
	while (list.len > 0) {
		if (request_text_is(request_text_cut(&list, ','), word))
			return true;
	}
	return false;
}

/* ---- header fields ---- */

/* What the fields say beyond what goes into the request. */
struct marks {
	bool upgrade, connection, version_seen, length_seen;
};

/* False: too long, or the field was there before. */
static bool store_once(char *out, size_t size, struct request_text value)
{
	if (out[0] != '\0' || value.len >= size)
		return false;
	memcpy(out, value.at, value.len);
	out[value.len] = '\0';
	return true;
}

static bool point_once(struct request_text *out, struct request_text value)
{
	if (out->at != NULL)
		return false;
	*out = value;
	return true;
}

static void read_protocols(struct request_text value, struct request *request)
{
	if (list_has(value, "mayday.v1"))
		request->protocol = true;
	else
		request->other_protocols = true;
}

static bool read_version(struct request_text value, struct request *request, struct marks *marks)
{
	if (marks->version_seen)
		return false;
	marks->version_seen = true;
	request->version_13 = request_text_is(value, "13");
	return true;
}

/* At most 9 digits. */
static bool read_length(struct request_text value, struct request *request, struct marks *marks)
{
	if (marks->length_seen || value.len == 0 || value.len > 9)
		return false;
	marks->length_seen = true;
	for (size_t i = 0; i < value.len; i++) {
		if (value.at[i] < '0' || value.at[i] > '9')
			return false;
		request->body_len = request->body_len * 10 + (size_t)(value.at[i] - '0');
	}
	return true;
}

/* True: it is one of those that a WebSocket handshake has beside what can't be there twice. */
static bool read_upgrade(struct request_text name, struct request_text value,
			 struct request *request, struct marks *marks)
{
	if (request_text_is(name, "upgrade"))
		marks->upgrade = marks->upgrade || list_has(value, "websocket");
	else if (request_text_is(name, "connection"))
		marks->connection = marks->connection || list_has(value, "upgrade");
	else if (request_text_is(name, "sec-websocket-protocol"))
		read_protocols(value, request);
	else if (request_text_is(name, "sec-websocket-extensions"))
		(void)point_once(&request->extensions, value);
	else
		return false;
	return true;
}

static bool read_field(struct request_text name, struct request_text value, struct request *request,
		       struct marks *marks)
{
	if (read_upgrade(name, value, request, marks))
		return true;
	if (request_text_is(name, "host"))
		return value.len > 0 && store_once(request->host, sizeof(request->host), value);
	if (request_text_is(name, "origin"))
		return store_once(request->origin, sizeof(request->origin), value);
	if (request_text_is(name, "sec-websocket-key"))
		return store_once(request->key, sizeof(request->key), value);
	if (request_text_is(name, "sec-websocket-version"))
		return read_version(value, request, marks);
	if (request_text_is(name, "content-length"))
		return read_length(value, request, marks);
	if (request_text_is(name, "transfer-encoding"))
		return false;
	if (request_text_is(name, "authorization"))
		return point_once(&request->authorization, value);
	if (request_text_is(name, "last-event-id"))
		return point_once(&request->last_event_id, value);
	if (request_text_is(name, "x-real-ip"))
		return store_once(request->real_ip, sizeof(request->real_ip), value);
	return true;
}

static bool is_token(struct request_text text)
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
static bool read_fields(struct request_text rest, struct request *request, struct marks *marks)
{
	struct request_text line;
	for (int count = 0; count <= HEADERS_MAX; count++) {
		if (!next_line(&rest, &line))
			return false;
		if (line.len == 0)
			return true;
		if (memchr(line.at, ':', line.len) == NULL)
			return false;
		struct request_text name = cut(&line, ':');
		if (!is_token(name) || !read_field(name, trim(line), request, marks))
			return false;
	}
	return false;
}

/* ---- the whole ---- */

static enum request_method method_of(struct request_text method)
{
	if (text_equals(method, "GET"))
		return REQUEST_GET;
	if (text_equals(method, "POST"))
		return REQUEST_POST;
	return text_equals(method, "OPTIONS") ? REQUEST_OPTIONS : REQUEST_OTHER;
}

static bool read_request_line(struct request_text *rest, struct request *request)
{
	struct request_text line;
	if (!next_line(rest, &line))
		return false;
	struct request_text method = cut(&line, ' ');
	struct request_text target = cut(&line, ' ');
	if (!is_token(method) || target.len == 0 || target.at[0] != '/' ||
	    !text_equals(line, "HTTP/1.1"))
		return false;
	request->method = method_of(method);
	struct request_text path = cut(&target, '?');
	request->query = target;
	(void)store_once(request->path, sizeof(request->path), path); /* too long: nobody's */
	return true;
}

const struct request_refusal *request_parse(const char *head, size_t len, struct request *request_r)
{
	struct request_text rest = {head, len};
	struct marks marks = {0};

	memset(request_r, 0, sizeof(*request_r));
	if (!read_request_line(&rest, request_r) || !read_fields(rest, request_r, &marks) ||
	    request_r->host[0] == '\0')
		return &bad_request;
	request_r->upgrade = marks.upgrade && marks.connection;
	return NULL;
}

/* ---- the query ---- */

static int hex_digit(char digit)
{
	const char *digits = "0123456789abcdef", *found;

	if (digit >= 'A' && digit <= 'F')
		digit = (char)(digit - 'A' + 'a');
	found = digit != '\0' ? strchr(digits, digit) : NULL;
	return found != NULL ? (int)(found - digits) : -1;
}

/* False: a bad escape, an escaped control byte, or no room. */
static bool decode(struct request_text text, char *out, size_t size)
{
	size_t len = 0;

	for (size_t i = 0; i < text.len; i++) {
		int byte = text.at[i] == '+' ? ' ' : (unsigned char)text.at[i];

		if (byte == '%') {
			if (text.len - i < 3)
				return false;
			int high = hex_digit(text.at[i + 1]), low = hex_digit(text.at[i + 2]);

			byte = high >= 0 && low >= 0 ? high << 4 | low : -1;
			i += 2;
		}
		if (byte < ' ' || len + 1 >= size)
			return false;
		out[len++] = (char)byte;
	}
	out[len] = '\0';
	return true;
}

bool request_query(const struct request *request, const char *name, char *out, size_t size)
{
	struct request_text rest = request->query;

	while (rest.len > 0) {
		struct request_text value = cut(&rest, '&');
		struct request_text key = cut(&value, '=');

		if (text_equals(key, name))
			return decode(value, out, size);
	}
	return false;
}

/* ---- origins ---- */

/* "https://crm.example.com:8443" -> "crm.example.com:8443" */
static const char *origin_host(const char *origin)
{
	const char *slashes = strstr(origin, "://");
	return slashes != NULL ? slashes + 3 : "";
}

bool request_origin_allowed(const struct request *request, const char *allowed)
{
	struct request_text list = {allowed, strlen(allowed)};

	if (request->origin[0] == '\0' ||
	    strcasecmp(origin_host(request->origin), request->host) == 0)
		return true;
	while (list.len > 0) {
		struct request_text one = cut(&list, ' ');
		if (request_text_is(one, "*") || request_text_is(one, request->origin))
			return true;
	}
	return false;
}
