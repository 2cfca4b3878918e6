#include "ami_link_internal.h"

#include "clock.h"
#include "log.h"
#include "mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RETRY_BASE_MS 100
#define RETRY_MAX_MS  5000
#define RETRY_SLOW_MS 30000 /* a wrong secret does not get right by asking often */
#define TICK_MS       500

const char *ami_link_state_name(enum ami_link_state state)
{
	static const char *const names[] = {"waiting", "connecting", "login", "up"};

	return names[state];
}

void ami_link_set_state(struct ami_link *link, enum ami_link_state state)
{
	link->state = state;
	link->since_ms = clock_wall_ms();
	link->since_mono_ms = clock_mono_ms();
}

/* ---- the end of a connection ---- */

static void add_stats(struct ami_parser_stats *sum, const struct ami_parser_stats *more)
{
	sum->bytes += more->bytes;
	sum->events += more->events;
	sum->responses += more->responses;
	sum->torn += more->torn;
	sum->oversize += more->oversize;
	sum->odd_lines += more->odd_lines;
}

static void retire_parser(struct ami_link *link)
{
	if (link->parser == NULL)
		return;
	add_stats(&link->parsed, ami_parser_stats(link->parser));
	ami_parser_stop(link->parser);
	if (link->feeding)
		link->spent = link->parser;
	else
		ami_parser_free(&link->parser);
	link->parser = NULL;
}

/* One line for each new reason, not for each attempt. */
static void log_loss(struct ami_link *link, const char *reason, bool slowly)
{
	bool known = strcmp(link->error, reason) == 0;

	snprintf(link->error, sizeof(link->error), "%s", reason);
	if (slowly && !known)
		log_error("AMI login refused", log_str("pbx", link->config.pbx),
			  log_str("connection", link->config.name),
			  log_str("host", link->config.host),
			  log_str("user", link->config.username), log_str("reason", reason));
	else if (!known)
		log_warn("AMI connection lost", log_str("pbx", link->config.pbx),
			 log_str("connection", link->config.name),
			 log_str("host", link->config.host), log_str("reason", reason));
}

void ami_link_drop(struct ami_link *link, const char *reason, bool slowly)
{
	bool was_up = link->state == AMI_LINK_UP;
	char why[sizeof(link->error)];

	if (link->socket == NULL)
		return;
	snprintf(why, sizeof(why), "%s", reason);
	ami_socket_close(&link->socket);
	retire_parser(link);
	if (was_up)
		link->error[0] = '\0'; /* this loss is news, whatever the one before was */
	log_loss(link, why, slowly);
	ami_link_set_state(link, AMI_LINK_WAITING);
	timer_again(link->retry, slowly ? RETRY_SLOW_MS
					: backoff_ms(link->attempt++, RETRY_BASE_MS, RETRY_MAX_MS));
	ami_requests_lose(link->requests);
	if (was_up && link->hooks.on_down != NULL)
		link->hooks.on_down(why, link->hooks.context);
}

void ami_link_reset(struct ami_link *link, const char *reason)
{
	ami_link_drop(link, reason, false);
}

/* ---- messages ---- */

static void on_message(const struct ami_message *message, void *context)
{
	struct ami_link *link = context;

	if (ami_requests_take(link->requests, message))
		return;
	if (link->state == AMI_LINK_LOGIN)
		ami_login_message(link, message);
	else if (link->hooks.on_message != NULL)
		link->hooks.on_message(message, link->hooks.context);
}

void ami_link_feed(struct ami_link *link, const char *data, size_t len)
{
	if (link->parser == NULL)
		link->parser = ami_parser_new(on_message, link);
	link->feeding = true;
	ami_parser_feed(link->parser, data, len);
	link->feeding = false;
	ami_parser_free(&link->spent);
}

static void on_bytes(const char *data, size_t len, void *context)
{
	struct ami_link *link = context;

	link->heard_mono_ms = clock_mono_ms();
	link->heard_ms = clock_wall_ms();
	if (link->parser == NULL)
		ami_login_banner(link, data, len);
	else
		ami_link_feed(link, data, len);
}

/* ---- sending ---- */

void ami_link_make_id(struct ami_link *link, char *out)
{
	snprintf(out, AMI_ID_MAX + 1, "%s-%llu", link->id_prefix,
		 (unsigned long long)++link->id_count);
}

int ami_link_transmit(struct ami_link *link, const char *id, const struct buffer *text,
		      ami_answer_fn *fn, void *context)
{
	if (link->socket == NULL || ami_socket_write(link->socket, text->data, text->len) < 0)
		return -1;
	ami_requests_add(link->requests, id, fn, context);
	return 0;
}

int ami_link_send(struct ami_link *link, const char *id, const struct buffer *text,
		  ami_answer_fn *fn, void *context)
{
	return link->state == AMI_LINK_UP ? ami_link_transmit(link, id, text, fn, context) : -1;
}

int ami_link_ask(struct ami_link *link, const char *action, ami_answer_fn *fn, void *context)
{
	char id[AMI_ID_MAX + 1];

	ami_link_make_id(link, id);
	ami_action_begin(&link->action, action, id);
	if (ami_action_end(&link->action) < 0)
		return -1;
	return ami_link_send(link, id, &link->action.text, fn, context);
}

/* ---- the watchdog ---- */

static void on_pong(enum ami_part part, const struct ami_message *message, void *context)
{
	struct ami_link *link = context;

	(void)message;
	if (part == AMI_PART_LAST)
		link->ping_us = clock_mono_us() - link->pinged_us;
	link->pinged_us = 0;
}

static void ping(struct ami_link *link)
{
	link->pinged_us = clock_mono_us();
	if (ami_link_ask(link, "Ping", on_pong, link) < 0)
		link->pinged_us = 0;
}

/* Any byte shows life. A request may wait while other things come, but not for ever. */
static void watch_up(struct ami_link *link, int64_t now)
{
	int64_t oldest = ami_requests_oldest_ms(link->requests);
	int64_t shown = oldest > link->heard_mono_ms ? oldest : link->heard_mono_ms;

	if (oldest != INT64_MAX &&
	    (now - shown >= link->config.timeout_ms || now - oldest >= 6 * link->config.timeout_ms))
		ami_link_drop(link, "no answer in time", false);
	else if (link->pinged_us == 0 && oldest == INT64_MAX &&
		 now - link->heard_mono_ms >= link->config.ping_ms - TICK_MS / 2)
		ping(link);
}

static void on_tick(void *context)
{
	struct ami_link *link = context;
	int64_t now = clock_mono_ms();

	switch (link->state) {
	case AMI_LINK_WAITING:
		break;
	case AMI_LINK_CONNECTING:
		if (now - link->since_mono_ms >= link->config.timeout_ms)
			ami_link_drop(link, "cannot connect in time", false);
		break;
	case AMI_LINK_LOGIN:
		ami_login_tick(link);
		break;
	case AMI_LINK_UP:
		watch_up(link, now);
		break;
	}
}

/* ---- the beginning of a connection ---- */

void ami_link_come_up(struct ami_link *link)
{
	link->reconnects += link->was_up;
	link->was_up = true;
	link->attempt = 0;
	link->pinged_us = 0;
	link->error[0] = '\0';
	ami_link_set_state(link, AMI_LINK_UP);
	log_info("AMI connection up", log_str("pbx", link->config.pbx),
		 log_str("connection", link->config.name), log_str("version", link->version));
	if (link->hooks.on_up != NULL)
		link->hooks.on_up(link->hooks.context);
}

static void on_connected(void *context)
{
	struct ami_link *link = context;

	ami_link_set_state(link, AMI_LINK_LOGIN);
	ami_login_begin(link);
}

static void on_failed(const char *reason, void *context)
{
	ami_link_drop(context, reason, false);
}

static void on_retry(void *context)
{
	struct ami_link *link = context;
	const struct ami_socket_hooks hooks = {on_connected, on_bytes, on_failed, link};

	if (link->state != AMI_LINK_WAITING)
		return;
	ami_link_set_state(link, AMI_LINK_CONNECTING);
	link->socket = ami_socket_open(link->loop, link->config.host, link->config.port,
				       link->attempt, &hooks);
	if (link->socket == NULL) {
		ami_link_set_state(link, AMI_LINK_WAITING);
		timer_again(link->retry, RETRY_MAX_MS);
	}
}

struct ami_link *ami_link_open(uv_loop_t *loop, const struct ami_link_config *config,
			       const struct ami_link_hooks *hooks)
{
	struct ami_link *link = mem_new(struct ami_link);

	link->loop = loop;
	link->config = *config;
	link->hooks = *hooks;
	link->ping_us = -1;
	link->requests = ami_requests_new();
	id_random(link->id_prefix);
	ami_link_set_state(link, AMI_LINK_WAITING);
	link->retry = timer_start(loop, 0, 0, on_retry, link);
	link->watchdog = timer_start(loop, TICK_MS, TICK_MS, on_tick, link);
	return link;
}

void ami_link_close(struct ami_link **_link)
{
	struct ami_link *link = *_link;

	*_link = NULL;
	if (link == NULL)
		return;
	ami_socket_close(&link->socket);
	timer_stop(&link->retry);
	timer_stop(&link->watchdog);
	ami_requests_lose(link->requests);
	ami_requests_free(&link->requests);
	ami_parser_free(&link->parser);
	ami_action_free(&link->action);
	buffer_free(&link->banner);
	free(link);
}

/* ---- questions ---- */

bool ami_link_is_up(const struct ami_link *link)
{
	return link->state == AMI_LINK_UP;
}

size_t ami_link_pending(const struct ami_link *link)
{
	return ami_requests_count(link->requests);
}

const char *ami_link_version(const struct ami_link *link)
{
	return link->version;
}

const char *ami_link_systemname(const struct ami_link *link)
{
	return link->systemname;
}

void ami_link_status(const struct ami_link *link, struct ami_link_status *status_r)
{
	*status_r = (struct ami_link_status){
		.state = link->state,
		.since_ms = link->since_ms,
		.last_bytes_ms = link->heard_ms,
		.reconnects = link->reconnects,
		.ping_us = link->ping_us,
		.pending = ami_requests_count(link->requests),
		.parsed = link->parsed,
		.last_error = link->error,
	};
	if (link->parser != NULL)
		add_stats(&status_r->parsed, ami_parser_stats(link->parser));
}
