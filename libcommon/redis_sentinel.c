#include "redis_sentinel.h"

#include "buffer.h"
#include "loop.h"
#include "mem.h"
#include "redis_uv.h"
#include "resp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SENTINEL_PORT 26379
#define SEPARATORS    " ,"

struct address {
	char *host; /* owned */
	int port;
};

struct redis_sentinel {
	uv_loop_t *loop;
	const struct redis_settings *settings;
	redis_sentinel_fn *fn;
	void *context;
	struct address *addresses; /* owned */
	size_t count, at;
	size_t asked; /* of this question */
	struct redis_uv *conn;
	struct timer *deadline;
};

static void ask_next(struct redis_sentinel *sentinel);

/* "host", "host:port", "[v6]:port", parted by spaces. */
static void add_address(struct redis_sentinel *sentinel, const char *text, size_t len)
{
	struct address *address;
	char *host = mem_strndup(text, len);
	char *colon = strrchr(host, ':');
	int port = colon != NULL ? atoi(colon + 1) : SENTINEL_PORT;

	if (colon != NULL)
		*colon = '\0';
	if (host[0] == '[' && host[strlen(host) - 1] == ']') {
		host[strlen(host) - 1] = '\0';
		memmove(host, host + 1, strlen(host));
	}
	sentinel->addresses =
		mem_grow(sentinel->addresses, (sentinel->count + 1) * sizeof(*sentinel->addresses));
	address = &sentinel->addresses[sentinel->count++];
	*address = (struct address){host, port};
}

static void stop_asking(struct redis_sentinel *sentinel)
{
	timer_stop(&sentinel->deadline);
	redis_uv_close(&sentinel->conn);
}

static void give_up_on_one(struct redis_sentinel *sentinel, const char *reason)
{
	struct address *address = &sentinel->addresses[sentinel->at];
	char said[256];

	snprintf(said, sizeof(said), "Sentinel %s:%d: %s", address->host, address->port, reason);
	stop_asking(sentinel);
	sentinel->at = (sentinel->at + 1) % sentinel->count;
	if (++sentinel->asked < sentinel->count)
		ask_next(sentinel);
	else
		sentinel->fn(NULL, 0, said, sentinel->context);
}

static void on_connect(void *context)
{
	struct redis_sentinel *sentinel = context;
	struct buffer command = {0};
	const char *words[] = {"SENTINEL", "get-master-addr-by-name",
			       sentinel->settings->master_name};

	resp_command(&command, 3, words, NULL);
	redis_uv_send(sentinel->conn, command.data, command.len);
	buffer_free(&command);
}

static bool is_text(const redisReply *reply)
{
	return reply->type == REDIS_REPLY_STRING;
}

static void on_reply(const redisReply *reply, void *context)
{
	struct redis_sentinel *sentinel = context;

	if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 &&
	    is_text(reply->element[0]) && is_text(reply->element[1])) {
		stop_asking(sentinel);
		sentinel->at = (sentinel->at + 1) % sentinel->count;
		sentinel->fn(reply->element[0]->str, atoi(reply->element[1]->str), NULL,
			     sentinel->context);
	} else if (reply->type == REDIS_REPLY_ERROR) {
		give_up_on_one(sentinel, reply->str);
	} else {
		give_up_on_one(sentinel, "does not know the master");
	}
}

static void on_lost(const char *reason, void *context)
{
	struct redis_sentinel *sentinel = context;

	sentinel->conn = NULL;
	give_up_on_one(sentinel, reason);
}

static void on_deadline(void *context)
{
	give_up_on_one(context, "no answer in time");
}

static void ask_next(struct redis_sentinel *sentinel)
{
	const struct redis_uv_hooks hooks = {on_connect, on_reply, on_lost, sentinel};
	const struct redis_settings *settings = sentinel->settings;
	const struct address *address = &sentinel->addresses[sentinel->at];

	sentinel->conn = redis_uv_connect(sentinel->loop, address->host, address->port,
					  settings->connect_timeout_ms, &hooks);
	sentinel->deadline = timer_start(
		sentinel->loop, settings->connect_timeout_ms + settings->command_timeout_ms, 0,
		on_deadline, sentinel);
}

void redis_sentinel_ask(struct redis_sentinel *sentinel)
{
	sentinel->asked = 0;
	ask_next(sentinel);
}

struct redis_sentinel *redis_sentinel_open(uv_loop_t *loop, const struct redis_settings *settings,
					   redis_sentinel_fn *fn, void *context)
{
	const char *at = settings->sentinels + strspn(settings->sentinels, SEPARATORS);
	struct redis_sentinel *sentinel;

	if (*at == '\0')
		return NULL;
	sentinel = mem_new(struct redis_sentinel);
	sentinel->loop = loop;
	sentinel->settings = settings;
	sentinel->fn = fn;
	sentinel->context = context;
	for (; *at != '\0'; at += strspn(at, SEPARATORS)) {
		size_t len = strcspn(at, SEPARATORS);

		add_address(sentinel, at, len);
		at += len;
	}
	return sentinel;
}

void redis_sentinel_close(struct redis_sentinel **_sentinel)
{
	struct redis_sentinel *sentinel = *_sentinel;

	*_sentinel = NULL;
	if (sentinel == NULL)
		return;
	stop_asking(sentinel);
	for (size_t i = 0; i < sentinel->count; i++)
		free(sentinel->addresses[i].host);
	free(sentinel->addresses);
	free(sentinel);
}
