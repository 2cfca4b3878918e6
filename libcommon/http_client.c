#include "http_client.h"

#include "buffer.h"
#include "mem.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct http_client {
	uv_loop_t *loop;
	uv_timer_t timer; /* libcurl's one time-out */
	CURLM *multi;
	struct http_exchange *first;
	bool closed;
};

struct http_exchange {
	struct http_client *client;
	struct http_exchange *prev, *next;
	CURL *easy;
	struct curl_slist *headers;
	struct buffer answer;
	size_t answer_max;
	char error[CURL_ERROR_SIZE];
	http_client_fn *fn;
	void *context;
};

/* A socket of libcurl's, watched for it. */
struct watch {
	uv_poll_t poll; /* first; its data points here */
	struct http_client *client;
	curl_socket_t socket;
};

/* ---- exchanges ---- */

static void unlink_exchange(struct http_exchange *exchange)
{
	if (exchange->prev != NULL)
		exchange->prev->next = exchange->next;
	else
		exchange->client->first = exchange->next;
	if (exchange->next != NULL)
		exchange->next->prev = exchange->prev;
}

static void exchange_free(struct http_exchange *exchange)
{
	unlink_exchange(exchange);
	curl_multi_remove_handle(exchange->client->multi, exchange->easy);
	curl_easy_cleanup(exchange->easy);
	curl_slist_free_all(exchange->headers);
	buffer_free(&exchange->answer);
	free(exchange);
}

static void finish(struct http_exchange *exchange, CURLcode result)
{
	struct http_exchange done = *exchange;
	long status = 0;

	if (result == CURLE_OK)
		curl_easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &status);
	if (result != CURLE_OK && done.error[0] == '\0')
		strncpy(done.error, curl_easy_strerror(result), sizeof(done.error) - 1);
	exchange->answer = (struct buffer){0}; /* done has it */
	exchange_free(exchange);
	done.fn((unsigned)status, status == 0 ? done.error : NULL, buffer_str(&done.answer),
		done.answer.len, done.context);
	buffer_free(&done.answer);
}

/* Whoever is told may free the client. */
static void take_results(struct http_client *client)
{
	CURLMsg *message;
	int left;

	while (!client->closed && (message = curl_multi_info_read(client->multi, &left)) != NULL) {
		struct http_exchange *exchange = NULL;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&exchange);
		finish(exchange, message->data.result);
	}
}

/* ---- sockets and time ---- */

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct watch *watch = poll->data;
	int flags = 0, running;

	if (status < 0)
		flags = CURL_CSELECT_ERR;
	if (events & UV_READABLE)
		flags |= CURL_CSELECT_IN;
	if (events & UV_WRITABLE)
		flags |= CURL_CSELECT_OUT;
	curl_multi_socket_action(watch->client->multi, watch->socket, flags, &running);
	take_results(watch->client);
}

static void on_watch_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static struct watch *watch_new(struct http_client *client, curl_socket_t socket)
{
	struct watch *watch = mem_new(struct watch);

	watch->client = client;
	watch->socket = socket;
	uv_poll_init_socket(client->loop, &watch->poll, socket);
	watch->poll.data = watch;
	curl_multi_assign(client->multi, socket, watch);
	return watch;
}

static int on_socket(CURL *easy, curl_socket_t socket, int what, void *_client, void *_watch)
{
	struct http_client *client = _client;
	struct watch *watch = _watch;
	int events = 0;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (watch != NULL)
			uv_close((uv_handle_t *)&watch->poll, on_watch_closed);
		curl_multi_assign(client->multi, socket, NULL);
		return 0;
	}
	if (watch == NULL)
		watch = watch_new(client, socket);
	if (what != CURL_POLL_OUT)
		events |= UV_READABLE;
	if (what != CURL_POLL_IN)
		events |= UV_WRITABLE;
	return uv_poll_start(&watch->poll, events, on_poll);
}

static void on_time(uv_timer_t *timer)
{
	struct http_client *client = timer->data;
	int running;

	curl_multi_socket_action(client->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	take_results(client);
}

/* libcurl must not be called from here: 0 ms comes with the next turn of the loop. */
static int on_timer(CURLM *multi, long timeout_ms, void *_client)
{
	struct http_client *client = _client;

	(void)multi;
	if (timeout_ms < 0)
		return uv_timer_stop(&client->timer);
	return uv_timer_start(&client->timer, on_time, (uint64_t)timeout_ms, 0);
}

/* ---- requests ---- */

static size_t on_answer(char *bytes, size_t size, size_t count, void *context)
{
	struct http_exchange *exchange = context;
	size_t room = exchange->answer_max - exchange->answer.len, len = size * count;

	buffer_append(&exchange->answer, bytes, len < room ? len : room);
	return len;
}

static void add_headers(struct http_exchange *exchange, const char *const *headers)
{
	while (headers != NULL && *headers != NULL)
		exchange->headers = curl_slist_append(exchange->headers, *headers++);
	/* Not to wait for "100 Continue" before a body. */
	exchange->headers = curl_slist_append(exchange->headers, "Expect:");
}

static CURLcode configure(struct http_exchange *exchange, const struct http_client_request *request)
{
	CURL *easy = exchange->easy;
	CURLcode status = curl_easy_setopt(easy, CURLOPT_URL, request->url);

	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, exchange->headers);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange->error);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, exchange);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_answer);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	if (request->body != NULL) {
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)request->len);
		curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, request->body);
	}
	return status;
}

struct http_exchange *http_client_send(struct http_client *client,
				       const struct http_client_request *request,
				       http_client_fn *fn, void *context)
{
	struct http_exchange *exchange = mem_new(struct http_exchange);

	exchange->client = client;
	exchange->fn = fn;
	exchange->context = context;
	exchange->answer_max = request->answer_max;
	exchange->easy = curl_easy_init();
	if (exchange->easy == NULL)
		abort(); /* no memory: as mem.h */
	add_headers(exchange, request->headers);
	exchange->next = client->first;
	if (client->first != NULL)
		client->first->prev = exchange;
	client->first = exchange;
	if (configure(exchange, request) != CURLE_OK ||
	    curl_multi_add_handle(client->multi, exchange->easy) != CURLM_OK) {
		exchange_free(exchange);
		return NULL;
	}
	return exchange;
}

void http_client_cancel(struct http_exchange **exchange)
{
	struct http_exchange *old = *exchange;

	*exchange = NULL;
	if (old != NULL)
		exchange_free(old);
}

/* ---- life ---- */

struct http_client *http_client_new(uv_loop_t *loop)
{
	struct http_client *client = mem_new(struct http_client);

	curl_global_init(CURL_GLOBAL_DEFAULT);
	client->loop = loop;
	client->multi = curl_multi_init();
	uv_timer_init(loop, &client->timer);
	client->timer.data = client;
	curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client);
	curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client);
	return client;
}

static void on_timer_closed(uv_handle_t *handle)
{
	free(handle->data);
	curl_global_cleanup();
}

void http_client_free(struct http_client **client)
{
	struct http_client *old = *client;

	*client = NULL;
	if (old == NULL)
		return;
	old->closed = true;
	for (struct http_exchange *each = old->first, *next; each != NULL; each = next) {
		next = each->next;
		exchange_free(each);
	}
	curl_multi_cleanup(old->multi);
	uv_close((uv_handle_t *)&old->timer, on_timer_closed);
}
