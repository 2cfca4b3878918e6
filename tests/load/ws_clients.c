/* Many WebSocket clients of ws-fanout in one process: connects, authenticates, counts events, and
   says how late they came.

	WS_TOKEN=... ws_clients --address 127.0.0.1:8105 --clients 1000 [--seconds 10] [--events N]
				[--field sentUs] [--stalled 100] [--spread 1] [--socketio]
				[--reconnect MS]

   The token comes from WS_TOKEN or, with WS_TOKENS_FILE, one per line in turns. Once all are
   welcome it prints a line "ready"; then it counts until the time is over, each client has had N
   events, or SIGTERM; at last one line of JSON. The delay of an event is taken from the number
   (microseconds since 1970) in the field that is named, wherever it stands in the event. --stalled:
   so many of the clients stop reading once they are welcome. --spread: connect from so many
   loopback addresses, for more clients than one has ports. --socketio: as clients of Socket.IO.
   --reconnect: who is dropped comes back with its cursor, each at a moment of its own within so
   many ms. The number in "n" of an event must be one more than that of the one before: what was
   missed or came twice is counted. */
#include "buffer.h"
#include "clock.h"
#include "mem.h"
#include "ws_frame.h"
#include "ws_options.h"
#include "ws_tally.h"

#include <stdbool.h>
#include <time.h>
#include <uv.h>

#define CONNECTING_MAX 128
#define CURSOR_MAX     48

struct client {
	uv_tcp_t tcp;
	struct buffer rest; /* of a frame that has not come whole */
	uint64_t events;
	int64_t next;            /* the number that the next event must bear; 0: any */
	char cursor[CURSOR_MAX]; /* of the last event */
	bool upgraded, welcome, gone, back;
};

static struct {
	uv_loop_t *loop;
	struct sockaddr_in address;
	struct client *clients;
	long started, connecting, welcome, gone, satisfied;
	struct tally tally;
	long away, returned; /* now; in all */
	int64_t begun_ms, ready_ms, dropped_ms, back_ms;
	char read_buffer[262144];
	char needle[80];
	uv_timer_t deadline;
	uv_signal_t terminate, user;
} run;

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* ---- what is in an event ---- */

/* {"type":"event","cursor":"call:1718-0", ... */
static void keep_cursor(struct client *client, const char *payload, size_t len)
{
	static const char before[] = "\"cursor\":\"";
	const char *at = memmem(payload, len < 64 ? len : 64, before, sizeof(before) - 1), *end;

	if (at == NULL)
		return;
	at += sizeof(before) - 1;
	end = memchr(at, '"', (size_t)(payload + len - at));
	if (end != NULL && end - at < CURSOR_MAX) {
		memcpy(client->cursor, at, (size_t)(end - at));
		client->cursor[end - at] = '\0';
	}
}

/* ---- the end ---- */

static void stop(void)
{
	uv_stop(run.loop);
}

static void report(void)
{
	printf("{\"clients\": %ld, \"welcome\": %ld, \"gone\": %ld, \"readyMs\": %" PRId64 ", ",
	       options.clients, run.welcome, run.gone, run.ready_ms - run.begun_ms);
	tally_print(&run.tally);
	printf("\"returned\": %ld, \"backMs\": %" PRId64 "}\n", run.returned,
	       run.back_ms - run.dropped_ms);
	fflush(stdout);
}

static void on_user(uv_signal_t *handle, int number)
{
	(void)handle;
	(void)number;
	report();
	tally_restart(&run.tally);
}

static void on_deadline(uv_timer_t *timer)
{
	(void)timer;
	stop();
}

static void on_terminate(uv_signal_t *handle, int number)
{
	(void)handle;
	(void)number;
	stop();
}

/* ---- one client ---- */

static void connect_more(void);

static void connect_one(struct client *client, long number);

static void on_return(uv_timer_t *timer)
{
	struct client *client = timer->data;

	connect_one(client, client - run.clients);
	uv_close((uv_handle_t *)timer, (uv_close_cb)free);
}

/* As a client would that was told to come back at its own time; one that fails tries again. */
static void come_back(struct client *client)
{
	uv_timer_t *timer = mem_new(uv_timer_t);

	client->gone = client->upgraded = client->welcome = false;
	client->back = true;
	uv_timer_init(run.loop, timer);
	timer->data = client;
	uv_timer_start(timer, on_return, (uint64_t)(random() % (options.reconnect + 1)) + 50, 0);
}

static void on_gone(uv_handle_t *handle)
{
	struct client *client = handle->data;

	buffer_free(&client->rest);
	if (options.reconnect >= 0 && (client->welcome || client->back))
		come_back(client);
}

static void drop(struct client *client)
{
	if (client->gone)
		return;
	client->gone = true;
	run.gone++;
	if (client->welcome && run.away++ == 0)
		run.dropped_ms = clock_mono_ms();
	if (!client->welcome) {
		run.connecting--;
		connect_more();
	}
	uv_close((uv_handle_t *)&client->tcp, on_gone);
	if (run.gone == options.clients && options.reconnect < 0)
		stop();
}

static void on_sent(uv_write_t *write, int status)
{
	struct client *client = write->handle->data;

	free(write->data);
	free(write);
	if (status < 0)
		drop(client);
}

/* Takes over the bytes. */
static void send_bytes(struct client *client, struct buffer *bytes)
{
	uv_write_t *write = mem_new(uv_write_t);
	size_t len;
	char *data = buffer_take(bytes, &len);
	uv_buf_t buf = uv_buf_init(data, (unsigned)len);

	write->data = data;
	if (uv_write(write, (uv_stream_t *)&client->tcp, &buf, 1, on_sent) == 0)
		return;
	free(data);
	free(write);
	drop(client);
}

static void send_frame(struct client *client, int opcode, const char *payload, size_t len)
{
	struct buffer out = {0};

	ws_frame_write(&out, opcode, payload, len);
	send_bytes(client, &out);
}

static void send_auth(struct client *client)
{
	char text[8192];
	size_t number = (size_t)(client - run.clients);
	const char *token = tokens.list[number % tokens.count];
	int len;

	if (options.socketio)
		len = snprintf(text, sizeof(text), "40{\"token\":\"%s\"}", token);
	else if (client->cursor[0] != '\0')
		len = snprintf(text, sizeof(text),
			       "{\"type\":\"auth\",\"token\":\"%s\",\"since\":[\"%s\"]}", token,
			       client->cursor);
	else
		len = snprintf(text, sizeof(text), "{\"type\":\"auth\",\"token\":\"%s\"}", token);
	send_frame(client, 1, text, (size_t)len);
}

static void on_welcome(struct client *client)
{
	client->welcome = true;
	run.connecting--;
	if (client->back) {
		run.returned++;
		run.gone--;
		if (--run.away == 0)
			run.back_ms = clock_mono_ms();
		return;
	}
	run.welcome++;
	if (client - run.clients < options.stalled)
		uv_read_stop((uv_stream_t *)&client->tcp);
	if (run.welcome == options.clients) {
		run.ready_ms = clock_mono_ms();
		puts("ready");
		fflush(stdout);
		uv_timer_start(&run.deadline, on_deadline, (uint64_t)options.seconds * 1000, 0);
	}
	connect_more();
}

static void on_event(struct client *client, const char *payload, size_t len, int64_t at_us)
{
	tally_event(&run.tally, payload, len, run.needle, at_us, &client->next);
	keep_cursor(client, payload, len);
	if (++client->events == (uint64_t)options.events &&
	    ++run.satisfied == options.clients - options.stalled)
		stop();
}

static bool begins(const char *payload, size_t len, const char *with)
{
	return len >= strlen(with) && memcmp(payload, with, strlen(with)) == 0;
}

/* Open, connected, event, ping. */
static void on_socketio(struct client *client, const char *payload, size_t len, int64_t at_us)
{
	if (begins(payload, len, "0{"))
		send_auth(client);
	else if (begins(payload, len, "40{"))
		on_welcome(client);
	else if (begins(payload, len, "42[\"call:"))
		on_event(client, payload, len, at_us);
	else if (begins(payload, len, "2"))
		send_frame(client, 1, "3", 1);
}

static void on_frame(struct client *client, int opcode, const char *payload, size_t len,
		     int64_t at_us)
{
	if (opcode == 9)
		send_frame(client, 10, payload, len);
	else if (opcode == 8)
		drop(client);
	else if (opcode == 1 && options.socketio)
		on_socketio(client, payload, len, at_us);
	else if (opcode == 1 && begins(payload, len, "{\"type\":\"event\""))
		on_event(client, payload, len, at_us);
	else if (opcode == 1 && begins(payload, len, "{\"type\":\"welcome\""))
		on_welcome(client);
}

/* Returns how many bytes were used. */
static size_t take_frames(struct client *client, const char *bytes, size_t len)
{
	int64_t at_us = now_us();
	size_t used = 0, header, whole;

	while (!client->gone && (whole = ws_frame_parse(bytes + used, len - used, &header)) > 0) {
		on_frame(client, bytes[used] & 15, bytes + used + header, whole - header, at_us);
		used += whole;
	}
	return client->gone ? len : used;
}

static size_t take_answer(struct client *client, const char *bytes, size_t len)
{
	const char *end = memmem(bytes, len, "\r\n\r\n", 4);

	if (end == NULL)
		return 0;
	if (len < 12 || memcmp(bytes, "HTTP/1.1 101", 12) != 0) {
		drop(client);
		return len;
	}
	client->upgraded = true;
	if (!options.socketio)
		send_auth(client);
	return (size_t)(end - bytes) + 4;
}

static size_t take(struct client *client, const char *bytes, size_t len)
{
	size_t used = 0;

	if (!client->upgraded)
		used = take_answer(client, bytes, len);
	return client->upgraded ? used + take_frames(client, bytes + used, len - used) : used;
}

static void on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
	struct client *client = stream->data;
	size_t used;

	if (len < 0) {
		drop(client);
		return;
	}
	if (client->rest.len == 0) {
		used = take(client, buf->base, (size_t)len);
		if (used < (size_t)len)
			buffer_append(&client->rest, buf->base + used, (size_t)len - used);
		return;
	}
	buffer_append(&client->rest, buf->base, (size_t)len);
	used = take(client, client->rest.data, client->rest.len);
	buffer_consume(&client->rest, used);
	if (client->rest.len == 0)
		buffer_free(&client->rest);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	(void)handle;
	(void)suggested;
	*buf = uv_buf_init(run.read_buffer, sizeof(run.read_buffer));
}

static void on_connected(uv_connect_t *connect, int status)
{
	struct client *client = connect->handle->data;
	struct buffer request = {0};

	free(connect);
	if (status < 0) {
		if (!client->back)
			fprintf(stderr, "connect: %s\n", uv_strerror(status));
		drop(client);
		return;
	}
	uv_tcp_nodelay(&client->tcp, 1);
	buffer_printf(&request,
		      "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\n"
		      "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
		      "Sec-WebSocket-Version: 13\r\n\r\n",
		      options.socketio ? "/socket.io/?EIO=4&transport=websocket" : "/ws",
		      options.address);
	uv_read_start((uv_stream_t *)&client->tcp, on_alloc, on_read);
	send_bytes(client, &request);
}

static void connect_one(struct client *client, long number)
{
	uv_connect_t *connect = mem_new(uv_connect_t);
	struct sockaddr_in from;
	char source[32];

	uv_tcp_init(run.loop, &client->tcp);
	client->tcp.data = client;
	run.connecting++;
	if (options.spread > 1) {
		snprintf(source, sizeof(source), "127.200.%ld.1", number % options.spread);
		uv_ip4_addr(source, 0, &from);
		uv_tcp_bind(&client->tcp, (const struct sockaddr *)&from, 0);
	}
	if (uv_tcp_connect(connect, &client->tcp, (const struct sockaddr *)&run.address,
			   on_connected) == 0)
		return;
	free(connect);
	drop(client);
}

static void connect_more(void)
{
	while (run.started < options.clients && run.connecting < CONNECTING_MAX) {
		long number = run.started++;

		connect_one(&run.clients[number], number);
	}
}

/* ---- the start ---- */

static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int argc, char *argv[])
{
	if (read_options(argc, argv) < 0 || read_tokens() < 0 || read_address(&run.address) != 0) {
		fprintf(stderr, "usage: WS_TOKEN=... %s --address HOST:PORT --clients N ...\n",
			argv[0]);
		return 2;
	}
	raise_descriptor_limit();
	run.loop = uv_default_loop();
	run.clients = mem_array(struct client, (size_t)options.clients);
	run.tally.wanted = (uint32_t)(options.clients - options.stalled);
	snprintf(run.needle, sizeof(run.needle), "\"%s\":", options.field);
	uv_timer_init(run.loop, &run.deadline);
	uv_signal_init(run.loop, &run.terminate);
	uv_signal_start(&run.terminate, on_terminate, SIGTERM);
	uv_signal_init(run.loop, &run.user);
	uv_signal_start(&run.user, on_user, SIGUSR1);
	run.begun_ms = clock_mono_ms();
	connect_more();
	uv_run(run.loop, UV_RUN_DEFAULT);
	report();
	return run.welcome == options.clients ? 0 : 1;
}
