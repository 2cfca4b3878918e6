#include "http_headers.h"

#include "mem.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Fields that have one meaning only when they stand once. */
static const char *const singles[] = {
	"Host",          "Content-Length",  "Transfer-Encoding", "Content-Type",
	"Authorization", "Idempotency-Key", "X-Request-ID",      "X-Real-IP",
};

struct measure {
	size_t count, bytes;
};

static enum MHD_Result on_measure(void *context, enum MHD_ValueKind kind, const char *name,
				  const char *value)
{
	struct measure *measure = context;

	(void)kind;
	measure->count++;
	measure->bytes += strlen(name) + 1 + (value != NULL ? strlen(value) : 0) + 1;
	return MHD_YES;
}

struct copy {
	struct http_headers *headers;
	char *to;
};

static const char *copy_text(struct copy *copy, const char *text)
{
	size_t size = text != NULL ? strlen(text) + 1 : 1;
	char *start = copy->to;

	memcpy(start, text != NULL ? text : "", size);
	copy->to += size;
	return start;
}

static enum MHD_Result on_copy(void *context, enum MHD_ValueKind kind, const char *name,
			       const char *value)
{
	struct copy *copy = context;
	struct http_pair *pair = &copy->headers->pairs[copy->headers->count++];

	(void)kind;
	pair->name = copy_text(copy, name);
	pair->value = copy_text(copy, value);
	return MHD_YES;
}

void http_headers_copy(struct http_headers *headers, struct MHD_Connection *mhd)
{
	struct measure measure = {0};
	struct copy copy = {headers, NULL};
	char *block;

	MHD_get_connection_values(mhd, MHD_HEADER_KIND, on_measure, &measure);
	block = mem_alloc(measure.count * sizeof(struct http_pair) + measure.bytes);
	headers->pairs = (struct http_pair *)(void *)block;
	headers->count = 0;
	copy.to = block + measure.count * sizeof(struct http_pair);
	MHD_get_connection_values(mhd, MHD_HEADER_KIND, on_copy, &copy);
}

void http_headers_free(struct http_headers *headers)
{
	free(headers->pairs);
	*headers = (struct http_headers){0};
}

const char *http_headers_get(const struct http_headers *headers, const char *name)
{
	for (size_t i = 0; i < headers->count; i++)
		if (strcasecmp(headers->pairs[i].name, name) == 0)
			return headers->pairs[i].value;
	return NULL;
}

static bool is_token(const char *name)
{
	size_t len = strspn(name, "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
				  "ABCDEFGHIJKLMNOPQRSTUVWXYZ");

	return len > 0 && name[len] == '\0';
}

static bool has_control(const char *value)
{
	for (; *value != '\0'; value++) {
		unsigned char byte = (unsigned char)*value;

		if ((byte < 0x20 && byte != '\t') || byte == 0x7f)
			return true;
	}
	return false;
}

static const char *syntax_fault(const struct http_headers *headers)
{
	if (headers->count > HTTP_HEADERS_MAX)
		return "too many header fields";
	for (size_t i = 0; i < headers->count; i++) {
		if (!is_token(headers->pairs[i].name))
			return "a header field has a bad name";
		if (has_control(headers->pairs[i].value))
			return "a header field holds a control byte";
	}
	return NULL;
}

static size_t count_of(const struct http_headers *headers, const char *name)
{
	size_t count = 0;

	for (size_t i = 0; i < headers->count; i++)
		count += strcasecmp(headers->pairs[i].name, name) == 0;
	return count;
}

static const char *framing_fault(const struct http_headers *headers, bool is_1_1)
{
	const char *host = http_headers_get(headers, "Host");
	const char *length = http_headers_get(headers, "Content-Length");
	const char *coding = http_headers_get(headers, "Transfer-Encoding");

	if (is_1_1 && (host == NULL || host[0] == '\0'))
		return "the Host field is missing";
	if (length != NULL && coding != NULL)
		return "both Content-Length and Transfer-Encoding are given";
	if (length != NULL && (length[0] == '\0' || length[strspn(length, "0123456789")] != '\0'))
		return "Content-Length is not a number";
	if (coding != NULL && (!is_1_1 || strcasecmp(coding, "chunked") != 0))
		return "this Transfer-Encoding is not known";
	return NULL;
}

const char *http_headers_fault(const struct http_headers *headers, const char *version)
{
	bool is_1_1 = strcmp(version, "HTTP/1.1") == 0;
	const char *fault = syntax_fault(headers);

	if (fault != NULL)
		return fault;
	if (!is_1_1 && strcmp(version, "HTTP/1.0") != 0)
		return "this version of HTTP is not spoken here";
	for (size_t i = 0; i < sizeof(singles) / sizeof(singles[0]); i++)
		if (count_of(headers, singles[i]) > 1)
			return "a header field that must stand once is repeated";
	return framing_fault(headers, is_1_1);
}

uint64_t http_headers_body_length(const struct http_headers *headers)
{
	const char *length = http_headers_get(headers, "Content-Length");

	return length != NULL ? strtoull(length, NULL, 10) : 0;
}
