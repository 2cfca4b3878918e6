/* Lifetimes that only a test inside the process can reach: handlers that reply after the deadline,
   after their client, after their server; steps that come back late. */
#include "http_internal.h"

#include "clock.h"
#include "mem.h"
#include "unit.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define WAIT_MS 5000

struct fixture {
	uv_loop_t loop;
	struct http_settings settings;
	struct metrics *metrics;
	struct http_server *server;
	struct sockaddr_in address;
	struct http_request *waiting[300]; /* whose handlers have not replied yet */
	size_t waiting_count;
	struct http_request *at_gate; /* its authentication is under way */
	int handled;
	unsigned told; /* status that on_reply heard */
	int told_count;
	bool user_freed;
};

static void handle_now(struct http_request *request, void *context)
{
	struct fixture *fixture = context;
	struct buffer body = {0};

	fixture->handled++;
	buffer_append_str(&body, "{\"ok\":true}");
	http_reply_json(request, 200, &body);
}

static void hear_reply(struct http_request *request, unsigned status, const char *body, size_t len,
		       void *context)
{
	struct fixture *fixture = context;

	(void)request;
	(void)len;
	assert_non_null(body);
	fixture->told = status;
	fixture->told_count++;
}

static void handle_later(struct http_request *request, void *context)
{
	struct fixture *fixture = context;

	http_on_reply(request, hear_reply, fixture);
	http_reply_header(request, "X-Of-Handler", "yes");
	fixture->waiting[fixture->waiting_count++] = request;
}

static void free_user(void *user)
{
	((struct fixture *)user)->user_freed = true;
}

static void gate(struct http_request *request, void *context)
{
	struct fixture *fixture = context;

	http_set_user(request, fixture, free_user);
	http_on_reply(request, hear_reply, fixture);
	fixture->at_gate = request;
}

static const struct http_route routes[] = {
	{"GET", "/now", handle_now, PERMISSION_NONE, NULL, HTTP_PUBLIC},
	{"GET", "/later", handle_later, PERMISSION_NONE, NULL, HTTP_PUBLIC},
	{"GET", "/gated", handle_now, PERMISSION_NONE, NULL, 0},
	{NULL, NULL, NULL, PERMISSION_NONE, NULL, 0}};

static void reply_all(struct fixture *fixture)
{
	for (size_t i = 0; i < fixture->waiting_count; i++) {
		struct buffer body = {0};

		assert_string_equal(http_route_path(fixture->waiting[i]), "/later");
		assert_string_equal(http_header(fixture->waiting[i], "Host"), "h");
		buffer_append_str(&body, "{\"late\":true}");
		http_reply_json(fixture->waiting[i], 201, &body);
	}
	fixture->waiting_count = 0;
}

static int set_up(void **state)
{
	struct fixture *fixture = mem_new(struct fixture);
	struct http_server_settings set = {.http = &fixture->settings, .service = "test"};
	socklen_t len = sizeof(fixture->address);
	const char *error;

	uv_loop_init(&fixture->loop);
	fixture->settings = (struct http_settings){.listen = "127.0.0.1:0",
						   .connections_max = 1000,
						   .body_max = 1024,
						   .request_deadline_ms = 100};
	fixture->metrics = metrics_new();
	fixture->server = http_server_open(&fixture->loop, &set, fixture->metrics, &error);
	assert_non_null(fixture->server);
	http_server_add_routes(fixture->server, routes, fixture);
	http_server_set_authenticate(fixture->server, gate, fixture);
	getsockname(fixture->server->listen_fd, (struct sockaddr *)&fixture->address, &len);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	http_server_close(&fixture->server);
	reply_all(fixture);
	uv_run(&fixture->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&fixture->loop), 0);
	metrics_free(&fixture->metrics);
	free(fixture);
	return 0;
}

static int ask(const struct fixture *fixture, const char *path)
{
	char text[128];
	int len = snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: h\r\n\r\n", path);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(
		connect(fd, (const struct sockaddr *)&fixture->address, sizeof(fixture->address)),
		0);
	assert_int_equal(write(fd, text, (size_t)len), len);
	return fd;
}

static void turn(struct fixture *fixture)
{
	uv_run(&fixture->loop, UV_RUN_NOWAIT);
	usleep(500);
}

/* What came on fd until it ends with `until`, or "closed". */
static const char *receive(struct fixture *fixture, int fd, const char *until)
{
	static char text[4096];
	int64_t deadline = clock_mono_ms() + WAIT_MS;
	size_t len = 0;

	memset(text, 0, sizeof(text));
	while (clock_mono_ms() < deadline) {
		ssize_t got = recv(fd, text + len, sizeof(text) - 1 - len, MSG_DONTWAIT);

		if (got == 0)
			return "closed";
		if (got > 0)
			len += (size_t)got;
		if (strstr(text, until) != NULL)
			return text;
		turn(fixture);
	}
	fail_msg("not received within %d ms: %s (so far: %s)", WAIT_MS, until, text);
	return NULL;
}

static void wait_for_handler(struct fixture *fixture, size_t count)
{
	int64_t deadline = clock_mono_ms() + WAIT_MS;

	while (fixture->waiting_count < count && clock_mono_ms() < deadline)
		turn(fixture);
	assert_int_equal(fixture->waiting_count, count);
}

static void test_reply_after_the_deadline(void **state)
{
	struct fixture *fixture = *state;
	int fd = ask(fixture, "/later");
	const char *text = receive(fixture, fd, "\"timeout\"");

	assert_non_null(strstr(text, "HTTP/1.1 504 "));
	assert_null(strstr(text, "X-Of-Handler"));
	assert_int_equal(fixture->told_count, 0);
	assert_false(http_server_idle(fixture->server));
	reply_all(fixture);
	assert_int_equal(fixture->told, 201);
	assert_int_equal(fixture->told_count, 1);
	close(fd);
	for (int i = 0; i < 100 && !http_server_idle(fixture->server); i++)
		turn(fixture);
	assert_true(http_server_idle(fixture->server));
}

static void test_the_connection_serves_on_after_a_504(void **state)
{
	struct fixture *fixture = *state;
	int fd = ask(fixture, "/later");

	(void)receive(fixture, fd, "\"timeout\"");
	assert_int_equal(write(fd, "GET /now HTTP/1.1\r\nHost: h\r\n\r\n", 30), 30);
	assert_non_null(strstr(receive(fixture, fd, "{\"ok\":true}"), " 200 "));
	reply_all(fixture);
	close(fd);
}

static void test_client_leaves_while_suspended(void **state)
{
	struct fixture *fixture = *state;
	int fd = ask(fixture, "/later");

	wait_for_handler(fixture, 1);
	close(fd);
	for (int i = 0; i < 20; i++)
		turn(fixture);
	reply_all(fixture);
	for (int i = 0; i < 100 && !http_server_idle(fixture->server); i++)
		turn(fixture);
	assert_true(http_server_idle(fixture->server));
	assert_int_equal(fixture->told, 201);
}

static void test_close_with_suspended_requests(void **state)
{
	struct fixture *fixture = *state;
	int fds[100];

	fixture->settings.request_deadline_ms = 60000;
	for (int i = 0; i < 100; i++)
		fds[i] = ask(fixture, "/later");
	wait_for_handler(fixture, 100);
	http_server_close(&fixture->server);
	assert_null(fixture->server);
	for (int i = 0; i < 100; i++) {
		assert_string_equal(receive(fixture, fds[i], "\r\n"), "closed");
		close(fds[i]);
	}
	reply_all(fixture);
	assert_int_equal(fixture->told, 0);
	assert_int_equal(fixture->told_count, 100);
}

static void test_a_late_step_runs_no_handler(void **state)
{
	struct fixture *fixture = *state;
	int fd = ask(fixture, "/gated");

	assert_non_null(strstr(receive(fixture, fd, "\"timeout\""), " 504 "));
	assert_non_null(fixture->at_gate);
	http_proceed(fixture->at_gate);
	assert_int_equal(fixture->handled, 0);
	assert_int_equal(fixture->told, 504);
	close(fd);
	for (int i = 0; i < 100 && !http_server_idle(fixture->server); i++)
		turn(fixture);
	assert_true(fixture->user_freed);
}

static void test_a_step_after_the_server(void **state)
{
	struct fixture *fixture = *state;
	int fd = ask(fixture, "/gated");

	for (int i = 0; i < 1000 && fixture->at_gate == NULL; i++)
		turn(fixture);
	http_server_close(&fixture->server);
	http_proceed(fixture->at_gate);
	assert_int_equal(fixture->handled, 0);
	assert_int_equal(fixture->told, 0);
	assert_int_equal(fixture->told_count, 1);
	assert_true(fixture->user_freed);
	close(fd);
}

static void test_drain_lets_finish(void **state)
{
	struct fixture *fixture = *state;
	int fd = ask(fixture, "/later");
	int other = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	wait_for_handler(fixture, 1);
	http_server_drain(fixture->server);
	assert_int_equal(connect(other, (const struct sockaddr *)&fixture->address,
				 sizeof(fixture->address)),
			 -1);
	close(other);
	assert_false(http_server_idle(fixture->server));
	reply_all(fixture);
	assert_non_null(strstr(receive(fixture, fd, "{\"late\":true}"), "Connection: close"));
	assert_string_equal(receive(fixture, fd, "more"), "closed");
	assert_true(http_server_idle(fixture->server));
	close(fd);
}

static void test_connection_limit(void **state)
{
	struct fixture *fixture = *state;
	struct http_server_settings set = {.http = &fixture->settings, .service = "test"};
	socklen_t len = sizeof(fixture->address);
	const char *error;
	int fds[20];

	http_server_close(&fixture->server);
	fixture->settings.connections_max = 4;
	fixture->settings.request_deadline_ms = 60000;
	fixture->server = http_server_open(&fixture->loop, &set, fixture->metrics, &error);
	http_server_add_routes(fixture->server, routes, fixture);
	getsockname(fixture->server->listen_fd, (struct sockaddr *)&fixture->address, &len);
	for (int i = 0; i < 20; i++)
		fds[i] = ask(fixture, "/now");
	for (int i = 0; i < 20; i++) {
		assert_non_null(strstr(receive(fixture, fds[i], "{\"ok\":true}"), " 200 "));
		close(fds[i]);
	}
}

static void test_a_taken_port_says_so(void **state)
{
	struct fixture *fixture = *state;
	struct http_server_settings set = {.http = &fixture->settings, .service = "test"};
	char listen_on[64];
	const char *error = NULL;

	snprintf(listen_on, sizeof(listen_on), "127.0.0.1:%d", ntohs(fixture->address.sin_port));
	fixture->settings.listen = listen_on;
	assert_null(http_server_open(&fixture->loop, &set, fixture->metrics, &error));
	assert_non_null(strstr(error, listen_on));
	assert_non_null(strstr(error, "address already in use"));
	fixture->settings.listen = "nowhere";
	assert_null(http_server_open(&fixture->loop, &set, fixture->metrics, &error));
	assert_string_equal(error, "HTTP_LISTEN nowhere: not an address and port");
}

static void test_private_addresses(void **state)
{
	(void)state;
	assert_true(http_address_is_private("127.0.0.1"));
	assert_true(http_address_is_private("10.1.2.3"));
	assert_true(http_address_is_private("172.31.0.1"));
	assert_true(http_address_is_private("192.168.9.9"));
	assert_true(http_address_is_private("::1"));
	assert_true(http_address_is_private("fd00::1"));
	assert_false(http_address_is_private("172.32.0.1"));
	assert_false(http_address_is_private("8.8.8.8"));
	assert_false(http_address_is_private("2001:db8::1"));
	assert_false(http_address_is_private("::"));
	assert_false(http_address_is_private("name"));
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_reply_after_the_deadline),
		TEST(test_the_connection_serves_on_after_a_504),
		TEST(test_client_leaves_while_suspended),
		TEST(test_close_with_suspended_requests),
		TEST(test_a_late_step_runs_no_handler),
		TEST(test_a_step_after_the_server),
		TEST(test_drain_lets_finish),
		TEST(test_connection_limit),
		TEST(test_a_taken_port_says_so),
		cmocka_unit_test(test_private_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
