#include "server.h"

#include "answers.h"
#include "clock.h"
#include "loop.h"
#include "mem.h"
#include "player.h"
#include "transcript.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BANNER      "Asterisk Call Manager/11.0.0\r\n"
#define INPUT_MAX   65536
#define READ_SIZE   16384
#define SETTLE_STEP 20
#define FINISH_MS   2000

struct server;

struct client {
	struct server *server;
	uv_tcp_t tcp;
	struct client *next;
	struct buffer input;
	struct buffer waiting; /* answers that wait for the end of a message */
	struct answers answers;
	bool events; /* logged in with events on */
	bool closing;
	int64_t finish_ms; /* everything was said: closed when the client closes, or then; 0: no */
	int64_t asked_ms;  /* last action, but for pings */
};

struct server {
	uv_loop_t loop;
	uv_tcp_t listener;
	uv_signal_t signals[2];
	const struct play_options *options;
	struct transcript transcript;
	struct player *player;
	struct client *clients;
	struct client *played; /* the client that is played to */
	struct timer *settle;
	char *secret;
	char input[READ_SIZE];
	int64_t started_ms;
	bool done; /* everything was played */
};

struct line_out {
	uv_write_t write;
	struct buffer text;
};

static void on_said(uv_write_t *write, int status)
{
	struct line_out *out = (struct line_out *)write;

	(void)status;
	buffer_free(&out->text);
	free(out);
}

/* Takes over the text. */
static void say(struct client *client, struct buffer *text)
{
	struct line_out *out = mem_new(struct line_out);
	uv_buf_t bytes = uv_buf_init(text->data, (unsigned)text->len);

	out->text = *text;
	*text = (struct buffer){0};
	if (uv_write(&out->write, (uv_stream_t *)&client->tcp, &bytes, 1, on_said) != 0)
		on_said(&out->write, -1);
}

static void on_closed(uv_handle_t *handle)
{
	struct client *client = handle->data;

	buffer_free(&client->input);
	buffer_free(&client->waiting);
	free(client);
}

static void close_client(struct client *client)
{
	struct server *server = client->server;
	struct client **at = &server->clients;

	if (client->closing)
		return;
	client->closing = true;
	while (*at != client)
		at = &(*at)->next;
	*at = client->next;
	uv_close((uv_handle_t *)&client->tcp, on_closed);
	if (server->played == client) {
		server->played = NULL;
		player_client_gone(server->player);
	}
}

static void on_shut(uv_shutdown_t *shutdown, int status)
{
	(void)status;
	free(shutdown);
}

/* Everything that was written still arrives: a socket that is closed while something that came is
   not read would be reset. */
static void finish_client(struct client *client)
{
	uv_shutdown_t *shutdown;

	if (client->finish_ms > 0)
		return;
	client->finish_ms = clock_mono_ms() + FINISH_MS;
	client->events = false;
	shutdown = mem_new(uv_shutdown_t);
	if (uv_shutdown(shutdown, (uv_stream_t *)&client->tcp, on_shut) != 0)
		free(shutdown);
}

static void close_finished(struct server *server)
{
	int64_t now = clock_mono_ms();

	for (struct client *client = server->clients, *next; client != NULL; client = next) {
		next = client->next;
		if (client->finish_ms > 0 && client->finish_ms <= now)
			close_client(client);
	}
}

static void flush_waiting(struct client *client)
{
	if (client->waiting.len > 0 &&
	    (client->server->played != client || player_may_talk(client->server->player)))
		say(client, &client->waiting);
}

static void on_pause(void *context)
{
	struct server *server = context;

	if (server->played != NULL)
		flush_waiting(server->played);
}

static void report(const struct server *server)
{
	int64_t ms = clock_mono_ms() - server->started_ms;
	size_t loops = server->options->loops;

	printf("played %zu events, %zu bytes in %" PRId64 " ms\n",
	       transcript_events(&server->transcript) * loops,
	       transcript_bytes(&server->transcript) * loops, ms);
	fflush(stdout);
}

/* The last client that goes takes the loop with it. */
static void leave(struct server *server)
{
	uv_close((uv_handle_t *)&server->listener, NULL);
	for (struct client *client = server->clients; client != NULL; client = client->next)
		finish_client(client);
}

static void on_session_end(bool all_played, void *context)
{
	struct server *server = context;
	struct client *client = server->played;

	server->played = NULL;
	if (all_played) {
		report(server);
		server->done = true;
	}
	if (all_played && !server->options->stay)
		leave(server);
	else if (!all_played && client != NULL && !client->closing)
		finish_client(client);
}

/* Plays to the client that is logged in, has events on, and has asked nothing for a while. */
static void on_settle(void *context)
{
	struct server *server = context;
	int64_t quiet_since = clock_mono_ms() - server->options->settle_ms;

	close_finished(server);
	if (server->done || player_is_playing(server->player))
		return;
	for (struct client *client = server->clients; client != NULL; client = client->next) {
		if (!client->events || client->closing || client->asked_ms > quiet_since)
			continue;
		if (server->started_ms == 0)
			server->started_ms = clock_mono_ms();
		server->played = client;
		player_start(server->player, (uv_stream_t *)&client->tcp);
		return;
	}
}

static void take_action(struct client *client, const char *block, size_t len)
{
	enum answer_effect effect;

	client->answers.session =
		client->server->done ? NULL : player_session(client->server->player);
	effect = answer_action(&client->answers, block, len, &client->waiting);
	if (effect == ANSWER_LOGIN)
		client->events = true;
	if (effect != ANSWER_PING)
		client->asked_ms = clock_mono_ms();
	flush_waiting(client);
	if (effect == ANSWER_CLOSE)
		finish_client(client);
}

static void take_input(struct client *client)
{
	const char *stop;

	while (!client->closing && client->finish_ms == 0 && client->input.len > 0 &&
	       (stop = memmem(client->input.data, client->input.len, "\r\n\r\n", 4)) != NULL) {
		size_t len = (size_t)(stop - client->input.data);

		take_action(client, client->input.data, len);
		buffer_consume(&client->input, len + 4);
	}
	if (client->input.len > INPUT_MAX)
		close_client(client);
}

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *out)
{
	struct client *client = handle->data;

	(void)size;
	*out = uv_buf_init(client->server->input, READ_SIZE);
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *bytes)
{
	struct client *client = stream->data;

	if (got < 0)
		close_client(client);
	if (got <= 0 || client->finish_ms > 0)
		return;
	buffer_append(&client->input, bytes->base, (size_t)got);
	take_input(client);
}

static void on_connection(uv_stream_t *listener, int status)
{
	struct server *server = listener->data;
	struct client *client;
	struct buffer banner = {0};

	if (status != 0)
		return;
	client = mem_new(struct client);
	client->server = server;
	client->answers.secret = server->secret;
	client->answers.systemname = server->options->systemname;
	uv_tcp_init(&server->loop, &client->tcp);
	client->tcp.data = client;
	client->next = server->clients;
	server->clients = client;
	if (uv_accept(listener, (uv_stream_t *)&client->tcp) != 0) {
		close_client(client);
		return;
	}
	uv_tcp_nodelay(&client->tcp, 1);
	uv_read_start((uv_stream_t *)&client->tcp, on_alloc, on_read);
	buffer_append_str(&banner, BANNER);
	say(client, &banner);
}

static void on_signal(uv_signal_t *handle, int number)
{
	(void)number;
	uv_stop(handle->loop);
}

static int listen_at(struct server *server)
{
	struct sockaddr_in address;
	int error = uv_ip4_addr(server->options->host, server->options->port, &address);

	uv_tcp_init(&server->loop, &server->listener);
	server->listener.data = server;
	if (error == 0)
		error = uv_tcp_bind(&server->listener, (struct sockaddr *)&address, 0);
	if (error == 0)
		error = uv_listen((uv_stream_t *)&server->listener, 16, on_connection);
	if (error != 0)
		fprintf(stderr, "ami-replay: cannot listen on %s:%d: %s\n", server->options->host,
			server->options->port, uv_strerror(error));
	return error == 0 ? 0 : -1;
}

static int load_files(struct server *server)
{
	server->transcript.stamps = server->options->stamps;
	server->transcript.uncut = server->options->uncut;
	server->transcript.base_ms = server->options->base_ms;
	for (size_t i = 0; i < server->options->file_count; i++)
		if (!transcript_is_later(server->options->files[i]) &&
		    transcript_load(&server->transcript, server->options->files[i]) < 0)
			return -1;
	return 0;
}

static void run(struct server *server)
{
	struct player_hooks hooks = {on_pause, on_session_end, server};

	signal(SIGPIPE, SIG_IGN);
	for (int i = 0; i < 2; i++) {
		uv_signal_init(&server->loop, &server->signals[i]);
		uv_signal_start(&server->signals[i], on_signal, i == 0 ? SIGINT : SIGTERM);
		uv_unref((uv_handle_t *)&server->signals[i]);
	}
	server->player = player_new(&server->loop, &server->transcript, server->options, &hooks);
	server->settle = timer_start(&server->loop, SETTLE_STEP, SETTLE_STEP, on_settle, server);
	fprintf(stderr, "ami-replay: listening on %s:%d\n", server->options->host,
		server->options->port);
	uv_run(&server->loop, UV_RUN_DEFAULT);
	timer_stop(&server->settle);
	while (server->clients != NULL)
		close_client(server->clients);
	player_free(&server->player);
	for (int i = 0; i < 2; i++)
		uv_close((uv_handle_t *)&server->signals[i], NULL);
}

int server_play(const struct play_options *options)
{
	struct server *server = mem_new(struct server);
	int status = 1;

	server->options = options;
	uv_loop_init(&server->loop);
	if (options->secret != NULL)
		server->secret = options_read_secret(options->secret);
	if ((options->secret == NULL || server->secret != NULL) && load_files(server) == 0 &&
	    listen_at(server) == 0) {
		run(server);
		status = 0;
	}
	if (server->listener.type == UV_TCP && !uv_is_closing((uv_handle_t *)&server->listener))
		uv_close((uv_handle_t *)&server->listener, NULL);
	uv_run(&server->loop, UV_RUN_DEFAULT);
	uv_loop_close(&server->loop);
	transcript_free(&server->transcript);
	free(server->secret);
	free(server);
	return status;
}
