#include "handshake.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <string.h>

static const struct request_refusal not_websocket = {400, "bad_handshake",
						     "this is not a valid WebSocket handshake"};
static const struct request_refusal bad_protocol = {
	400, "unsupported_protocol", "the only subprotocol here is " HANDSHAKE_PROTOCOL};
static const struct request_refusal bad_version = {426, "upgrade_required",
						   "WebSocket version 13 is needed"};
const struct request_refusal handshake_bad_path = {404, "not_found", "there is nothing here"};
const struct request_refusal handshake_bad_method = {405, "method_not_allowed",
						     "this can't be done here"};
const struct request_refusal handshake_too_large = {431, "headers_too_large",
						    "the request's head is too large"};
const struct request_refusal handshake_bad_origin = {403, "origin_not_allowed",
						     "this origin may not connect"};
const struct request_refusal handshake_full = {503, "too_many_connections",
					       "no more connections for the moment"};
const struct request_refusal handshake_draining = {503, "going_away", "the service is stopping"};
const struct request_refusal handshake_too_slow = {408, "request_timeout",
						   "the request took too long"};

/* base64 of 16 bytes. */
static bool key_is_valid(const char *key)
{
	unsigned char bytes[18];
	return strlen(key) == 24 && strcmp(key + 22, "==") == 0 &&
	       EVP_DecodeBlock(bytes, (const unsigned char *)key, 24) == 18;
}

const struct request_refusal *handshake_check(const struct request *request)
{
	if (request->method != REQUEST_GET)
		return &handshake_bad_method;
	if (!request->upgrade || request->body_len > 0)
		return &not_websocket;
	if (!request->version_13)
		return &bad_version;
	if (!key_is_valid(request->key))
		return &not_websocket;
	if (request->other_protocols && !request->protocol)
		return &bad_protocol;
	return NULL;
}

void handshake_accept(const struct request *request, bool deflate, struct buffer *out)
{
	static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	unsigned char text[24 + sizeof(guid)], hash[SHA_DIGEST_LENGTH], accept[32];

	memcpy(text, request->key, 24);
	memcpy(text + 24, guid, sizeof(guid));
	SHA1(text, sizeof(text) - 1, hash);
	EVP_EncodeBlock(accept, hash, sizeof(hash));
	buffer_printf(out,
		      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
		      "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n%s%s\r\n",
		      (const char *)accept,
		      request->protocol ? "Sec-WebSocket-Protocol: " HANDSHAKE_PROTOCOL "\r\n" : "",
		      deflate ? "Sec-WebSocket-Extensions: permessage-deflate; "
				"server_no_context_takeover; client_no_context_takeover\r\n"
			      : "");
}

const char *handshake_status_text(unsigned status)
{
	static const struct {
		unsigned status;
		const char *text;
	} texts[] = {{200, "OK"},
		     {204, "No Content"},
		     {400, "Bad Request"},
		     {401, "Unauthorized"},
		     {403, "Forbidden"},
		     {404, "Not Found"},
		     {405, "Method Not Allowed"},
		     {408, "Request Timeout"},
		     {413, "Payload Too Large"},
		     {426, "Upgrade Required"},
		     {429, "Too Many Requests"},
		     {431, "Request Header Fields Too Large"}};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (texts[i].status == status)
			return texts[i].text;
	}
	return "Service Unavailable";
}

static const char *status_header(unsigned status)
{
	switch (status) {
	case 401:
		return "WWW-Authenticate: Bearer\r\n";
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

void handshake_refuse(const struct request_refusal *refusal, struct buffer *out)
{
	struct buffer body = {0};
	buffer_printf(&body, "{\"error\":{\"code\":\"%s\",\"message\":\"%s\"}}", refusal->code,
		      refusal->message);
	buffer_printf(out,
		      "HTTP/1.1 %u %s\r\nContent-Type: application/json\r\n%s"
		      "Connection: close\r\nContent-Length: %zu\r\n\r\n%s",
		      refusal->status, handshake_status_text(refusal->status),
		      status_header(refusal->status), body.len, body.data);
	buffer_free(&body);
}
