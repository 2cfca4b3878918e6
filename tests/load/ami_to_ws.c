/* The whole way of an event, timed: from the write to the gateway's AMI socket to its arrival at a
   WebSocket client, both in this one process.

	ami_to_ws AMI_ADDRESS:PORT WS_ADDRESS:PORT TOKEN_FILE EVENTS_PER_SECOND SECONDS

   It is an AMI server with CALLS established calls, on which it puts and ends holds at the given
   rate. Prints one line: sent, received, p50, p99 and max in ms. Exits with 1 when an event did not
   arrive. */
#include "buffer.h"
#include "clock.h"
#include "json.h"
#include "mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CALLS     100
#define PEERS_MAX 8
#define IN_FLIGHT 4096 /* sends of one call that may wait for their arrival */
#define GRACE_US  3000000
#define SETTLE_US 1500000
#define START_US  20000000

struct peer {
	int socket;
	struct buffer in;
	bool has_events;
};

struct call {
	int64_t sent_us[IN_FLIGHT];
	size_t first, next;
	bool held;
};

static struct {
	struct peer peers[PEERS_MAX];
	size_t count;
	struct peer *events; /* the connection that gets events */
	struct call calls[CALLS];
	int ws;
	struct buffer ws_in;
	bool is_welcome;
	int64_t *latencies;
	size_t sent, received;
} run;

static void die(const char *what)
{
	fprintf(stderr, "ami_to_ws: %s: %s\n", what, strerror(errno));
	exit(2);
}

static struct sockaddr_in parse_address(const char *text)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	char host[64];
	const char *colon = strrchr(text, ':');

	if (colon == NULL || (size_t)(colon - text) >= sizeof(host))
		die(text);
	snprintf(host, sizeof(host), "%.*s", (int)(colon - text), text);
	address.sin_port = htons((uint16_t)atoi(colon + 1));
	if (inet_pton(AF_INET, host, &address.sin_addr) != 1)
		die(text);
	return address;
}

static void send_all(int socket, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t done = send(socket, data, len, MSG_NOSIGNAL);

		if (done < 0)
			die("send");
		data += done;
		len -= (size_t)done;
	}
}

/* ---- the AMI server ---- */

/* Value of a header of the action at text, or "". */
static const char *header(const char *text, const char *name)
{
	static char value[512];
	char begin[64];
	const char *at;

	snprintf(begin, sizeof(begin), "\r\n%s: ", name);
	value[0] = '\0';
	at = strcasestr(text, begin);
	if (at != NULL)
		snprintf(value, sizeof(value), "%.*s", (int)strcspn(at + strlen(begin), "\r"),
			 at + strlen(begin));
	return value;
}

static bool is_list(const char *action)
{
	static const char *const lists[] = {
		"CoreShowChannels", "DeviceStateList",    "QueueStatus", "Status",
		"BridgeList",       "ExtensionStateList", NULL};

	for (size_t i = 0; lists[i] != NULL; i++)
		if (strcasecmp(lists[i], action) == 0)
			return true;
	return false;
}

static void answer(struct peer *peer, const char *text)
{
	struct buffer out = {0};
	char *action = mem_strdup(header(text, "Action"));
	char *id = mem_strdup(header(text, "ActionID"));

	buffer_printf(&out, "Response: Success\r\nActionID: %s\r\n", id);
	if (strcasecmp(action, "Challenge") == 0)
		buffer_append_str(&out, "Challenge: 1\r\n");
	else if (is_list(action))
		buffer_printf(&out,
			      "EventList: start\r\n\r\nEvent: %sComplete\r\nActionID: %s\r\n"
			      "EventList: Complete\r\nListItems: 0\r\n",
			      action, id);
	buffer_append_str(&out, "\r\n");
	if (strcasecmp(action, "Login") == 0 && strcasecmp(header(text, "Events"), "off") != 0) {
		buffer_append_str(&out, "Event: FullyBooted\r\nPrivilege: system,all\r\n"
					"Status: Fully Booted\r\n\r\n");
		peer->has_events = true;
		run.events = peer;
	}
	send_all(peer->socket, out.data, out.len);
	buffer_free(&out);
	free(action);
	free(id);
}

static void accept_peer(int listener)
{
	static const char banner[] = "Asterisk Call Manager/11.0.0\r\n";
	struct peer *peer = &run.peers[run.count];
	int one = 1;

	if (run.count == PEERS_MAX)
		die("too many AMI connections");
	peer->socket = accept(listener, NULL, NULL);
	if (peer->socket < 0)
		die("accept");
	setsockopt(peer->socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	buffer_append_str(&peer->in, "\r\n");
	run.count++;
	send_all(peer->socket, banner, strlen(banner));
}

static void read_peer(struct peer *peer)
{
	char *end = buffer_reserve(&peer->in, 4096);
	ssize_t got = recv(peer->socket, end, 4096, 0);
	char *stop;

	if (got <= 0)
		die("the gateway closed an AMI connection");
	peer->in.len += (size_t)got;
	peer->in.data[peer->in.len] = '\0';
	while ((stop = strstr(peer->in.data + 2, "\r\n\r\n")) != NULL) {
		char *text = mem_strndup(peer->in.data, (size_t)(stop - peer->in.data) + 2);

		answer(peer, text);
		free(text);
		/* The CR LF that ends one action begins the next: header() looks for it. */
		buffer_consume(&peer->in, (size_t)(stop - peer->in.data) + 2);
	}
}

/* ---- calls ---- */

static void write_channel(struct buffer *out, size_t call, int leg, int channel_state)
{
	buffer_printf(out,
		      "Channel: PJSIP/%zu-%08zx\r\nChannelState: %d\r\nChannelStateDesc: %s\r\n"
		      "CallerIDNum: %zu\r\nCallerIDName: Agent\r\nConnectedLineNum: <unknown>\r\n"
		      "ConnectedLineName: <unknown>\r\nLanguage: en\r\nAccountCode: \r\n"
		      "Context: from-internal\r\nExten: %zu\r\nPriority: 1\r\n"
		      "Uniqueid: bench-%zu.%d\r\nLinkedid: bench-%zu.0\r\n",
		      1000 + 2 * call + (size_t)leg, 2 * call + (size_t)leg, channel_state,
		      channel_state == 6 ? "Up" : "Ring", 1000 + 2 * call + (size_t)leg,
		      1001 + 2 * call, call, leg, call);
}

static void write_event(struct buffer *out, const char *name, size_t call, int leg, int state)
{
	buffer_printf(out, "Event: %s\r\nPrivilege: call,all\r\n", name);
	write_channel(out, call, leg, state);
	buffer_append_str(out, "\r\n");
}

static void write_bridge_enter(struct buffer *out, size_t call, int leg)
{
	buffer_printf(
		out,
		"Event: BridgeEnter\r\nPrivilege: call,all\r\nBridgeUniqueid: bridge-%zu\r\n"
		"BridgeType: basic\r\nBridgeTechnology: simple_bridge\r\nBridgeNumChannels: %d\r\n",
		call, leg + 1);
	write_channel(out, call, leg, 6);
	buffer_append_str(out, "\r\n");
}

static void start_calls(void)
{
	struct buffer out = {0};

	for (size_t call = 0; call < CALLS; call++) {
		write_event(&out, "Newchannel", call, 0, 4);
		write_event(&out, "Newchannel", call, 1, 0);
		write_event(&out, "Newstate", call, 0, 6);
		write_event(&out, "Newstate", call, 1, 6);
		write_bridge_enter(&out, call, 0);
		write_bridge_enter(&out, call, 1);
	}
	send_all(run.events->socket, out.data, out.len);
	buffer_free(&out);
}

static void send_hold(size_t number)
{
	static struct buffer out;
	struct call *call = &run.calls[number % CALLS];

	buffer_clear(&out);
	write_event(&out, call->held ? "Unhold" : "Hold", number % CALLS, 1, 6);
	call->held = !call->held;
	call->sent_us[call->next++ % IN_FLIGHT] = clock_mono_us();
	run.sent++;
	send_all(run.events->socket, out.data, out.len);
}

/* ---- the WebSocket client ---- */

static void open_ws(const char *address_text, const char *token_path)
{
	static const char handshake[] =
		"GET /ws HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
	struct sockaddr_in address = parse_address(address_text);
	unsigned char head[8] = {0x81, 0xFE}; /* text, masked with zeros, 16-bit length */
	char token[4096] = "";
	struct buffer message = {0};
	FILE *file = fopen(token_path, "re");

	if (file == NULL || fscanf(file, "%4095s", token) != 1)
		die(token_path);
	fclose(file);
	run.ws = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(run.ws, (struct sockaddr *)&address, sizeof(address)) < 0)
		die("connect to ws-fanout");
	send_all(run.ws, handshake, strlen(handshake));
	buffer_printf(&message, "{\"type\":\"auth\",\"token\":\"%s\"}", token);
	head[2] = (unsigned char)(message.len >> 8);
	head[3] = (unsigned char)message.len;
	send_all(run.ws, (char *)head, sizeof(head));
	send_all(run.ws, message.data, message.len);
	buffer_free(&message);
}

static void take_event(const cJSON *event, int64_t now_us)
{
	const char *type = json_get_str(event, "eventType");
	const char *id = json_get_str(event, "callId");
	struct call *call;
	size_t number;

	if (type == NULL || id == NULL || sscanf(id, "bench-%zu.0", &number) != 1 ||
	    number >= CALLS || (strcmp(type, "call:held") != 0 && strcmp(type, "call:unheld") != 0))
		return;
	call = &run.calls[number];
	if (call->first == call->next)
		die("an event that was never sent, or twice");
	run.latencies[run.received++] = now_us - call->sent_us[call->first++ % IN_FLIGHT];
}

static void take_message(const char *text, size_t len, int64_t now_us)
{
	cJSON *message = cJSON_ParseWithLength(text, len);
	const char *type = json_get_str(message, "type");

	if (type != NULL && strcmp(type, "welcome") == 0)
		run.is_welcome = true;
	else if (type != NULL && strcmp(type, "event") == 0)
		take_event(cJSON_GetObjectItemCaseSensitive(message, "event"), now_us);
	else if (type != NULL && strcmp(type, "error") == 0)
		fprintf(stderr, "ami_to_ws: %.*s\n", (int)len, text);
	cJSON_Delete(message);
}

/* Frames from the server are not masked. Returns the bytes of the first frame, 0 when it is not
 * whole. */
static size_t frame_size(const struct buffer *in, size_t *head_r)
{
	const unsigned char *byte = (const unsigned char *)in->data;
	uint64_t len;

	if (in->len < 2)
		return 0;
	len = byte[1];
	*head_r = len < 126 ? 2 : len == 126 ? 4 : 10;
	if (in->len < *head_r)
		return 0;
	if (len >= 126) {
		len = 0;
		for (size_t i = 2; i < *head_r; i++)
			len = len << 8 | byte[i];
	}
	return in->len >= *head_r + len ? *head_r + (size_t)len : 0;
}

static void read_ws(void)
{
	char *end = buffer_reserve(&run.ws_in, 65536);
	ssize_t got = recv(run.ws, end, 65536, 0);
	int64_t now_us = clock_mono_us();
	static bool is_open;
	size_t size;
	size_t head;

	if (got <= 0)
		die("ws-fanout closed the connection");
	run.ws_in.len += (size_t)got;
	run.ws_in.data[run.ws_in.len] = '\0';
	if (!is_open) {
		char *stop = strstr(run.ws_in.data, "\r\n\r\n");

		if (stop == NULL)
			return;
		buffer_consume(&run.ws_in, (size_t)(stop + 4 - run.ws_in.data));
		is_open = true;
	}
	while ((size = frame_size(&run.ws_in, &head)) > 0) {
		if ((run.ws_in.data[0] & 15) == 1)
			take_message(run.ws_in.data + head, size - head, now_us);
		buffer_consume(&run.ws_in, size);
	}
}

/* ---- the run ---- */

static void turn(int listener, int64_t timeout_us)
{
	const struct timespec timeout = {timeout_us / 1000000, timeout_us % 1000000 * 1000};
	struct pollfd polled[PEERS_MAX + 2] = {{listener, POLLIN, 0}, {run.ws, POLLIN, 0}};
	size_t count = run.count;

	for (size_t i = 0; i < count; i++)
		polled[i + 2] = (struct pollfd){run.peers[i].socket, POLLIN, 0};
	if (ppoll(polled, count + 2, &timeout, NULL) < 0)
		die("ppoll");
	if (polled[0].revents != 0)
		accept_peer(listener);
	if (polled[1].revents != 0)
		read_ws();
	for (size_t i = 0; i < count; i++)
		if (polled[i + 2].revents != 0)
			read_peer(&run.peers[i]);
}

static void turn_until(int listener, int64_t until_us)
{
	while (clock_mono_us() < until_us)
		turn(listener, 1000);
}

static int listen_at(const char *text)
{
	struct sockaddr_in address = parse_address(text);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	int one = 1;

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(listener, 16) < 0)
		die(text);
	return listener;
}

static int compare(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a;
	int64_t right = *(const int64_t *)b;

	return left < right ? -1 : left > right;
}

static double quantile_ms(double part)
{
	size_t at = (size_t)(part * (double)run.received);

	return (double)run.latencies[at < run.received ? at : run.received - 1] / 1000.0;
}

static int report(void)
{
	if (run.received > 0) {
		qsort(run.latencies, run.received, sizeof(*run.latencies), compare);
		printf("sent %zu received %zu p50 %.3f ms p99 %.3f ms max %.3f ms\n", run.sent,
		       run.received, quantile_ms(0.5), quantile_ms(0.99), quantile_ms(1));
	}
	return run.received == run.sent ? 0 : 1;
}

static void send_at_rate(int listener, int64_t rate, int64_t seconds)
{
	int64_t start_us = clock_mono_us();
	int64_t total = rate * seconds;

	for (int64_t i = 0; i < total; i++) {
		int64_t due_us = start_us + i * 1000000 / rate;
		int64_t left_us;

		while ((left_us = due_us - clock_mono_us()) > 0)
			turn(listener, left_us);
		send_hold((size_t)i);
	}
}

int main(int argc, char *argv[])
{
	int64_t until_us = clock_mono_us() + START_US;
	int64_t rate, seconds;
	int listener;

	if (argc != 6) {
		fprintf(stderr, "usage: ami_to_ws AMI:PORT WS:PORT TOKEN_FILE RATE SECONDS\n");
		return 2;
	}
	rate = atoll(argv[4]);
	seconds = atoll(argv[5]);
	run.latencies = mem_array(int64_t, (size_t)(rate * seconds) + 1);
	listener = listen_at(argv[1]);
	open_ws(argv[2], argv[3]);
	while ((run.events == NULL || !run.is_welcome) && clock_mono_us() < until_us)
		turn(listener, 10000);
	if (run.events == NULL || !run.is_welcome)
		die(run.is_welcome ? "the gateway did not log in" : "no welcome from ws-fanout");
	turn_until(listener, clock_mono_us() + SETTLE_US);
	start_calls();
	turn_until(listener, clock_mono_us() + SETTLE_US);
	send_at_rate(listener, rate, seconds);
	until_us = clock_mono_us() + GRACE_US;
	while (run.received < run.sent && clock_mono_us() < until_us)
		turn(listener, 1000);
	return report();
}
