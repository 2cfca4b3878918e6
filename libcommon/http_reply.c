/* Replies. The first one is sent; the one of a handler that is late or whose server is closed only
   releases the request. */
#include "http_internal.h"

#include "json.h"
#include "log.h"
#include "mem.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static void add_header(struct MHD_Response *response, const char *name, const char *value)
{
	if (MHD_add_response_header(response, name, value) != MHD_YES)
		log_warn("a reply header was refused", log_str("name", name));
}

static void add_headers(const struct http_request *request, struct MHD_Response *response,
			const char *content_type)
{
	const struct buffer *extra = &request->reply_headers;

	for (size_t at = 0; at < extra->len;) {
		const char *name = extra->data + at;
		const char *value = name + strlen(name) + 1;

		add_header(response, name, value);
		at = (size_t)(value - extra->data) + strlen(value) + 1;
	}
	if (content_type != NULL)
		add_header(response, "Content-Type", content_type);
	add_header(response, "Cache-Control", "no-store");
	add_header(response, "X-Request-ID", request->id);
	if (request->server->draining)
		add_header(response, "Connection", "close");
}

static void answer_with(struct http_request *request, unsigned status, const char *content_type,
			struct MHD_Response *response)
{
	request->answered = true;
	request->status = status;
	request->response = response;
	if (request->response == NULL)
		abort(); /* out of memory, as in mem.h */
	add_headers(request, request->response, content_type);
	http_metrics_answered(request);
	if (request->suspended) {
		request->suspended = false;
		MHD_resume_connection(request->mhd);
		http_loop_wake(request->server);
	}
}

/* Takes over bytes. */
static void answer(struct http_request *request, unsigned status, const char *content_type,
		   char *bytes, size_t len)
{
	answer_with(request, status, content_type,
		    MHD_create_response_from_buffer(len, bytes,
						    bytes != NULL ? MHD_RESPMEM_MUST_FREE
								  : MHD_RESPMEM_PERSISTENT));
}

static void tell_on_reply(struct http_request *request, unsigned status, const char *bytes,
			  size_t len)
{
	void (*fn)(struct http_request *, unsigned, const char *, size_t, void *) =
		request->on_reply;

	request->on_reply = NULL;
	if (fn == NULL)
		return;
	if (request->server == NULL)
		fn(request, 0, "", 0, request->on_reply_context);
	else
		fn(request, status, bytes != NULL ? bytes : "", len, request->on_reply_context);
}

static void finish(struct http_request *request, unsigned status, const char *content_type,
		   struct buffer *body)
{
	size_t len = 0;
	char *bytes = body != NULL ? buffer_take(body, &len) : NULL;

	tell_on_reply(request, status, bytes, len);
	request->held = false;
	if (request->answered || request->connection == NULL)
		free(bytes);
	else
		answer(request, status, content_type, bytes, len);
	http_request_release(request);
}

void http_reply_with(struct http_request *request, unsigned status, const char *content_type,
		     struct MHD_Response *response)
{
	tell_on_reply(request, status, NULL, 0);
	request->held = false;
	if (request->answered || request->connection == NULL)
		MHD_destroy_response(response);
	else
		answer_with(request, status, content_type, response);
	http_request_release(request);
}

static void write_error(struct buffer *out, const char *code, const char *message,
			const char *details)
{
	struct json_writer writer = json_writer_init(out);

	json_begin_object(&writer);
	json_key(&writer, "error");
	json_begin_object(&writer);
	json_field_str(&writer, "code", code);
	json_field_str(&writer, "message", message);
	if (details != NULL)
		json_field_raw(&writer, "details", details);
	json_end_object(&writer);
	json_end_object(&writer);
}

void http_reply_late(struct http_request *request)
{
	struct buffer body = {0};
	char *bytes;
	size_t len;

	buffer_clear(&request->reply_headers); /* they belong to the handler's reply */
	write_error(&body, "timeout", "No answer within the deadline of a request", NULL);
	bytes = buffer_take(&body, &len);
	answer(request, 504, "application/json", bytes, len);
}

void http_reply_abandon(struct http_request *request)
{
	tell_on_reply(request, 504, NULL, 0);
	request->held = false;
	http_request_release(request);
}

void http_reply_header(struct http_request *request, const char *name, const char *value)
{
	buffer_append(&request->reply_headers, name, strlen(name) + 1);
	buffer_append(&request->reply_headers, value, strlen(value) + 1);
}

void http_reply_json(struct http_request *request, unsigned status, struct buffer *body)
{
	finish(request, status, body != NULL ? "application/json" : NULL, body);
}

void http_reply_text(struct http_request *request, unsigned status, const char *content_type,
		     struct buffer *body)
{
	finish(request, status, content_type, body);
}

static void reply_error(struct http_request *request, unsigned status, const char *code,
			const char *details, const char *format, va_list args)
	__attribute__((format(printf, 5, 0)));

static void reply_error(struct http_request *request, unsigned status, const char *code,
			const char *details, const char *format, va_list args)
{
	char *message = mem_vprintf(format, args);
	struct buffer body = {0};

	write_error(&body, code, message, details);
	free(message);
	if (status == 503)
		http_reply_header(request, "Retry-After", "1");
	if (status == 401)
		http_reply_header(request, "WWW-Authenticate", "Bearer");
	finish(request, status, "application/json", &body);
}

void http_reply_error(struct http_request *request, unsigned status, const char *code,
		      const char *format, ...)
{
	va_list args;

	va_start(args, format);
	reply_error(request, status, code, NULL, format, args);
	va_end(args);
}

void http_reply_error_details(struct http_request *request, unsigned status, const char *code,
			      const char *details, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	reply_error(request, status, code, details, format, args);
	va_end(args);
}

void http_on_reply(struct http_request *request,
		   void (*fn)(struct http_request *request, unsigned status, const char *body,
			      size_t len, void *context),
		   void *context)
{
	request->on_reply = fn;
	request->on_reply_context = context;
}
