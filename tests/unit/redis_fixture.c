#include "redis_fixture.h"

#include "mem.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---- the loop ---- */

int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void on_tick(uv_timer_t *tick)
{
	(void)tick;
}

void turn(uv_loop_t *loop)
{
	uv_timer_t tick;

	uv_timer_init(loop, &tick);
	uv_timer_start(&tick, on_tick, 10, 10); /* the first may be due at once */
	uv_run(loop, UV_RUN_ONCE);
	uv_close((uv_handle_t *)&tick, NULL);
	uv_run(loop, UV_RUN_NOWAIT);
}

void turn_for(uv_loop_t *loop, int64_t ms)
{
	int64_t end = now_ms() + ms;

	while (now_ms() < end)
		turn(loop);
}

void finish_loop(uv_loop_t *loop)
{
	uv_run(loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(loop), 0);
}

/* ---- a real server ---- */

/* Different for every process, and for every server of one. */
static void own_address(char host[32])
{
	static int last;
	int pid = getpid();

	signal(SIGPIPE, SIG_IGN); /* as every daemon does */
	snprintf(host, 32, "127.%d.%d.%d", 64 + pid % 150, pid / 150 % 250, ++last);
}

static void set_up_settings(struct redis_settings *settings, char *host, int port)
{
	static char nothing[] = "", master[] = "mymaster";

	*settings = (struct redis_settings){
		.host = host,
		.port = port,
		.username = nothing,
		.password = nothing,
		.sentinels = nothing,
		.master_name = master,
		.connect_timeout_ms = 1000,
		.command_timeout_ms = 1000,
	};
}

void redis_server_prepare(struct redis_server *server, const char *arguments)
{
	*server = (struct redis_server){.port = 6379, .arguments = arguments};
	snprintf(server->folder, sizeof(server->folder), "/tmp/test_redis.XXXXXX");
	assert_non_null(mkdtemp(server->folder));
	own_address(server->host);
	set_up_settings(&server->settings, server->host, server->port);
}

void redis_server_launch(struct redis_server *server)
{
	char *line = mem_printf("cd %s && exec redis-server %s --bind %s --port %d --save '' "
				">>log 2>&1",
				server->folder, server->arguments, server->host, server->port);

	server->pid = fork();
	if (server->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execl("/bin/sh", "sh", "-c", line, (char *)NULL);
		_exit(127);
	}
	free(line);
}

static redisContext *reach(const struct redis_server *server)
{
	const struct timeval patience = {PATIENCE_MS / 1000, 0};
	redisContext *context = redisConnectWithTimeout(server->host, server->port, patience);
	const char *password = server->settings.password;

	if (context != NULL && context->err == 0) {
		redisSetTimeout(context, patience);
		if (password[0] != '\0')
			freeReplyObject(redisCommand(context, "AUTH %s", password));
		return context;
	}
	redisFree(context);
	return NULL;
}

static bool answers(const struct redis_server *server)
{
	redisContext *context = reach(server);
	redisReply *reply = context != NULL ? redisCommand(context, "PING") : NULL;
	bool good = reply != NULL && reply->type == REDIS_REPLY_STATUS;

	if (reply != NULL)
		freeReplyObject(reply);
	if (context != NULL)
		redisFree(context);
	return good;
}

void redis_server_start(struct redis_server *server)
{
	int64_t deadline_ms = now_ms() + PATIENCE_MS;

	redis_server_launch(server);
	while (!answers(server)) {
		if (now_ms() > deadline_ms)
			fail_msg("redis-server did not start: %s/log", server->folder);
		usleep(20000);
	}
}

void redis_server_kill(struct redis_server *server)
{
	if (server->pid == 0)
		return;
	kill(server->pid, SIGKILL);
	waitpid(server->pid, NULL, 0);
	server->pid = 0;
}

void redis_server_freeze(struct redis_server *server)
{
	kill(server->pid, SIGSTOP);
}

void redis_server_thaw(struct redis_server *server)
{
	kill(server->pid, SIGCONT);
}

static redisReply *ask(struct redis_server *server, const char *format, va_list args)
{
	redisContext *context = reach(server);
	redisReply *reply;

	assert_non_null(context);
	reply = redisvCommand(context, format, args);
	redisFree(context);
	assert_non_null(reply);
	return reply;
}

redisReply *redis_server_ask(struct redis_server *server, const char *format, ...)
{
	va_list args;
	redisReply *reply;

	va_start(args, format);
	reply = ask(server, format, args);
	va_end(args);
	return reply;
}

void redis_server_do(struct redis_server *server, const char *format, ...)
{
	va_list args;
	redisReply *reply;

	va_start(args, format);
	reply = ask(server, format, args);
	va_end(args);
	if (reply->type == REDIS_REPLY_ERROR)
		fail_msg("%s: %s", format, reply->str);
	freeReplyObject(reply);
}

long long redis_server_number(struct redis_server *server, const char *format, ...)
{
	va_list args;
	redisReply *reply;
	long long number;

	va_start(args, format);
	reply = ask(server, format, args);
	va_end(args);
	assert_int_equal(reply->type, REDIS_REPLY_INTEGER);
	number = reply->integer;
	freeReplyObject(reply);
	return number;
}

void redis_server_remove(struct redis_server *server)
{
	char *line = mem_printf("rm -rf %s", server->folder);

	redis_server_kill(server);
	assert_int_equal(system(line), 0);
	free(line);
}

/* ---- a peer that says what the test wants ---- */

static void on_gone(uv_handle_t *client)
{
	free(client);
}

static void on_alloc(uv_handle_t *client, size_t suggested, uv_buf_t *bytes_r)
{
	static char space[65536];

	(void)client;
	(void)suggested;
	*bytes_r = uv_buf_init(space, sizeof(space));
}

void fake_peer_hang_up(struct fake_peer *peer)
{
	if (peer->client != NULL)
		uv_close((uv_handle_t *)peer->client, on_gone);
	peer->client = NULL;
}

static void on_read(uv_stream_t *client, ssize_t count, const uv_buf_t *bytes)
{
	struct fake_peer *peer = client->data;
	const char *answer = peer->received == 0 ? peer->greeting : peer->second;

	(void)bytes;
	if (count < 0) {
		if ((uv_stream_t *)peer->client == client)
			peer->client = NULL;
		if (!uv_is_closing((uv_handle_t *)client))
			uv_close((uv_handle_t *)client, on_gone);
		return;
	}
	peer->received += (size_t)count;
	if (answer != NULL)
		fake_peer_say(peer, answer);
}

static void on_client(uv_stream_t *listener, int status)
{
	struct fake_peer *peer = listener->data;

	assert_int_equal(status, 0);
	fake_peer_hang_up(peer);
	peer->client = mem_new(uv_tcp_t);
	uv_tcp_init(listener->loop, peer->client);
	peer->client->data = peer;
	assert_int_equal(uv_accept(listener, (uv_stream_t *)peer->client), 0);
	peer->accepted++;
	peer->received = 0;
	uv_read_start((uv_stream_t *)peer->client, on_alloc, on_read);
}

void fake_peer_say(struct fake_peer *peer, const char *bytes)
{
	uv_buf_t out = uv_buf_init((char *)(uintptr_t)bytes, (unsigned)strlen(bytes));

	assert_non_null(peer->client);
	assert_int_equal(uv_try_write((uv_stream_t *)peer->client, &out, 1), strlen(bytes));
}

void fake_peer_open(struct fake_peer *peer, uv_loop_t *loop)
{
	struct sockaddr_in address;

	*peer = (struct fake_peer){.greeting = FAKE_GREETING};
	own_address(peer->host);
	set_up_settings(&peer->settings, peer->host, 6379);
	uv_tcp_init(loop, &peer->listener);
	peer->listener.data = peer;
	uv_ip4_addr(peer->host, 6379, &address);
	assert_int_equal(uv_tcp_bind(&peer->listener, (struct sockaddr *)&address, 0), 0);
	assert_int_equal(uv_listen((uv_stream_t *)&peer->listener, 16, on_client), 0);
}

void fake_peer_close(struct fake_peer *peer)
{
	fake_peer_hang_up(peer);
	uv_close((uv_handle_t *)&peer->listener, NULL);
	turn(peer->listener.loop);
}

/* ---- the log ---- */

static int kept_stderr = -1;
static FILE *log_file;

void hide_log(void)
{
	fflush(stderr);
	log_file = tmpfile();
	assert_non_null(log_file);
	kept_stderr = dup(STDERR_FILENO);
	dup2(fileno(log_file), STDERR_FILENO);
}

char *show_log(void)
{
	struct stat about;
	char *text;
	size_t len;

	fflush(stderr);
	dup2(kept_stderr, STDERR_FILENO);
	close(kept_stderr);
	fstat(fileno(log_file), &about);
	text = mem_alloc((size_t)about.st_size + 1);
	rewind(log_file);
	len = fread(text, 1, (size_t)about.st_size, log_file);
	text[len] = '\0';
	fclose(log_file);
	return text;
}
