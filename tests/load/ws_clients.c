/* Many WebSocket clients of ws-fanout in one process: connects, authenticates, counts events, and
   says how late they came.

	WS_TOKEN=... ws_clients --address 127.0.0.1:8105 --clients 1000 [--seconds 10] [--events N]
				[--field sentUs] [--stalled 100] [--spread 1]

   The token comes from WS_TOKEN or, with WS_TOKENS_FILE, one per line in turns. Once all are
   welcome it prints a line "ready"; then it counts until the time is over, each client has had N
   events, or SIGTERM; at last one line of JSON. The delay of an event is taken from the number
   (microseconds since 1970) in the field that is named, wherever it stands in the event. --stalled:
   so many of the clients stop reading once they are welcome. --spread: connect from so many
   loopback addresses, for more clients than one has ports. */
#include "buffer.h"
#include "clock.h"
#include "mem.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <uv.h>

#define CONNECTING_MAX 128
/* 32 steps for each doubling: 3 % wide. */
#define STEPS   32
#define BUCKETS (STEPS * 40)

struct options {
	const char *address;
	long clients, seconds, events, stalled, spread;
	const char *field;
};

static struct options options = {
	.address = "127.0.0.1:8105", .clients = 1, .seconds = 10, .spread = 1, .field = "sentUs"};

struct client {
	uv_tcp_t tcp;
	struct buffer rest; /* of a frame that has not come whole */
	uint64_t events;
	bool upgraded, welcome, gone;
};

static struct {
	uv_loop_t *loop;
	struct sockaddr_in address;
	char **tokens;
	size_t token_count;
	struct client *clients;
	long started, connecting, welcome, gone, satisfied;
	uint64_t events, bytes, delays, buckets[BUCKETS], delay_max_us;
	int64_t begun_ms, ready_ms, first_us, last_us;
	char read_buffer[262144];
	char needle[80];
	uv_timer_t deadline;
	uv_signal_t terminate;
} run;

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* ---- delays ---- */

static unsigned bucket_of(uint64_t us)
{
	if (us < STEPS)
		return (unsigned)us;
	unsigned doubling = 63 - (unsigned)__builtin_clzll(us) - 5;
	unsigned bucket = doubling * STEPS + (unsigned)(us >> doubling);
	return bucket < BUCKETS ? bucket : BUCKETS - 1;
}

static uint64_t bucket_value(unsigned bucket)
{
	if (bucket < 2 * STEPS)
		return bucket;
	unsigned doubling = bucket / STEPS - 1;
	return (uint64_t)(bucket - doubling * STEPS) << doubling;
}

static uint64_t percentile(double share)
{
	uint64_t wanted = (uint64_t)((double)run.delays * share), seen = 0;

	for (unsigned bucket = 0; bucket < BUCKETS; bucket++) {
		seen += run.buckets[bucket];
		if (seen > wanted)
			return bucket_value(bucket);
	}
	return run.delay_max_us;
}

static void take_delay(const char *payload, size_t len, int64_t at_us)
{
	const char *found = memmem(payload, len, run.needle, strlen(run.needle));
	int64_t delay;

	if (found == NULL)
		return;
	delay = at_us - strtoll(found + strlen(run.needle), NULL, 10);
	if (delay < 0)
		delay = 0;
	run.buckets[bucket_of((uint64_t)delay)]++;
	run.delays++;
	if ((uint64_t)delay > run.delay_max_us)
		run.delay_max_us = (uint64_t)delay;
}

/* ---- the end ---- */

static void stop(void)
{
	uv_stop(run.loop);
}

static void report(void)
{
	double seconds = (double)(run.last_us - run.first_us) / 1e6;

	printf("{\"clients\": %ld, \"welcome\": %ld, \"gone\": %ld, \"readyMs\": %" PRId64
	       ", \"events\": %" PRIu64 ", \"bytes\": %" PRIu64 ", \"seconds\": %.3f, "
	       "\"deliveriesPerS\": %.0f, \"delayUs\": {\"count\": %" PRIu64 ", \"p50\": %" PRIu64
	       ", \"p90\": %" PRIu64 ", \"p99\": %" PRIu64 ", \"max\": %" PRIu64 "}}\n",
	       options.clients, run.welcome, run.gone, run.ready_ms - run.begun_ms, run.events,
	       run.bytes, seconds, seconds > 0 ? (double)run.events / seconds : 0, run.delays,
	       percentile(0.5), percentile(0.9), percentile(0.99), run.delay_max_us);
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

static void on_gone(uv_handle_t *handle)
{
	struct client *client = handle->data;

	buffer_free(&client->rest);
}

static void drop(struct client *client)
{
	if (client->gone)
		return;
	client->gone = true;
	run.gone++;
	if (!client->welcome) {
		run.connecting--;
		connect_more();
	}
	uv_close((uv_handle_t *)&client->tcp, on_gone);
	if (run.gone == options.clients)
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

/* Masked with zeros: allowed, and the cheapest. */
static void send_frame(struct client *client, int opcode, const char *payload, size_t len)
{
	struct buffer out = {0};

	buffer_append_char(&out, (char)(0x80 | opcode));
	if (len < 126) {
		buffer_append_char(&out, (char)(0x80 | len));
	} else {
		buffer_append_char(&out, (char)(0x80 | 126));
		buffer_append_char(&out, (char)(len >> 8));
		buffer_append_char(&out, (char)len);
	}
	buffer_append(&out, "\0\0\0\0", 4);
	buffer_append(&out, payload, len);
	send_bytes(client, &out);
}

static void send_auth(struct client *client)
{
	char text[8192];
	size_t number = (size_t)(client - run.clients);
	int len = snprintf(text, sizeof(text), "{\"type\":\"auth\",\"token\":\"%s\"}",
			   run.tokens[number % run.token_count]);

	send_frame(client, 1, text, (size_t)len);
}

static void on_welcome(struct client *client)
{
	client->welcome = true;
	run.welcome++;
	run.connecting--;
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
	if (run.events++ == 0)
		run.first_us = at_us;
	run.last_us = at_us;
	run.bytes += len;
	take_delay(payload, len, at_us);
	if (++client->events == (uint64_t)options.events &&
	    ++run.satisfied == options.clients - options.stalled)
		stop();
}

static void on_frame(struct client *client, int opcode, const char *payload, size_t len,
		     int64_t at_us)
{
	static const char event[] = "{\"type\":\"event\"", welcome[] = "{\"type\":\"welcome\"";

	if (opcode == 1 && len > sizeof(event) && memcmp(payload, event, sizeof(event) - 1) == 0)
		on_event(client, payload, len, at_us);
	else if (opcode == 1 && len > sizeof(welcome) &&
		 memcmp(payload, welcome, sizeof(welcome) - 1) == 0)
		on_welcome(client);
	else if (opcode == 9)
		send_frame(client, 10, payload, len);
	else if (opcode == 8)
		drop(client);
}

/* Bytes of the first frame, its payload and its opcode; 0 while it is not whole. */
static size_t parse_frame(const char *bytes, size_t len, size_t *header_r)
{
	const unsigned char *head = (const unsigned char *)bytes;
	size_t header = 2, payload;

	if (len < 2)
		return 0;
	payload = head[1] & 127;
	if (payload >= 126) {
		size_t width = payload == 126 ? 2 : 8;

		header = 2 + width;
		if (len < header)
			return 0;
		payload = 0;
		for (size_t i = 0; i < width; i++)
			payload = payload << 8 | head[2 + i];
	}
	*header_r = header;
	return len < header + payload ? 0 : header + payload;
}

/* Returns how many bytes were used. */
static size_t take_frames(struct client *client, const char *bytes, size_t len)
{
	int64_t at_us = now_us();
	size_t used = 0, header, whole;

	while (!client->gone && (whole = parse_frame(bytes + used, len - used, &header)) > 0) {
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
		fprintf(stderr, "connect: %s\n", uv_strerror(status));
		drop(client);
		return;
	}
	uv_tcp_nodelay(&client->tcp, 1);
	buffer_printf(&request,
		      "GET /ws HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\n"
		      "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
		      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mayday.v1\r\n\r\n",
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

static void add_token(const char *token)
{
	run.tokens = mem_grow(run.tokens, (run.token_count + 1) * sizeof(*run.tokens));
	run.tokens[run.token_count++] = mem_strdup(token);
}

static int read_tokens(void)
{
	const char *path = getenv("WS_TOKENS_FILE"), *token = getenv("WS_TOKEN");
	char line[8192];
	FILE *file;

	if (token != NULL)
		add_token(token);
	if (path == NULL)
		return token != NULL ? 0 : -1;
	file = fopen(path, "r");
	if (file == NULL)
		return -1;
	while (fgets(line, sizeof(line), file) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] != '\0')
			add_token(line);
	}
	fclose(file);
	return run.token_count > 0 ? 0 : -1;
}

static int read_options(int argc, char *argv[])
{
	static const struct option known[] = {{"address", required_argument, NULL, 'a'},
					      {"clients", required_argument, NULL, 'c'},
					      {"seconds", required_argument, NULL, 's'},
					      {"events", required_argument, NULL, 'e'},
					      {"field", required_argument, NULL, 'f'},
					      {"stalled", required_argument, NULL, 'w'},
					      {"spread", required_argument, NULL, 'p'},
					      {0}};
	long *const numbers[128] = {['c'] = &options.clients,
				    ['s'] = &options.seconds,
				    ['e'] = &options.events,
				    ['w'] = &options.stalled,
				    ['p'] = &options.spread};
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (option == 'a')
			options.address = optarg;
		else if (option == 'f')
			options.field = optarg;
		else if (option < 128 && numbers[option] != NULL)
			*numbers[option] = strtol(optarg, NULL, 10);
		else
			return -1;
	}
	return optind == argc && options.clients > 0 ? 0 : -1;
}

static int read_address(void)
{
	char host[64];
	const char *colon = strrchr(options.address, ':');

	if (colon == NULL || (size_t)(colon - options.address) >= sizeof(host))
		return -1;
	snprintf(host, sizeof(host), "%.*s", (int)(colon - options.address), options.address);
	return uv_ip4_addr(host, (int)strtol(colon + 1, NULL, 10), &run.address);
}

static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int argc, char *argv[])
{
	if (read_options(argc, argv) < 0 || read_tokens() < 0 || read_address() != 0) {
		fprintf(stderr, "usage: WS_TOKEN=... %s --address HOST:PORT --clients N ...\n",
			argv[0]);
		return 2;
	}
	raise_descriptor_limit();
	run.loop = uv_default_loop();
	run.clients = mem_array(struct client, (size_t)options.clients);
	snprintf(run.needle, sizeof(run.needle), "\"%s\":", options.field);
	uv_timer_init(run.loop, &run.deadline);
	uv_signal_init(run.loop, &run.terminate);
	uv_signal_start(&run.terminate, on_terminate, SIGTERM);
	run.begun_ms = clock_mono_ms();
	connect_more();
	uv_run(run.loop, UV_RUN_DEFAULT);
	report();
	return run.welcome == options.clients ? 0 : 1;
}
