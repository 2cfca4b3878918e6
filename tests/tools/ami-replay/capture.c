#include "capture.h"

#include "answers.h"
#include "clock.h"
#include "mem.h"
#include "recording.h"

#include <inttypes.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LOGIN_MS 10000

struct capture {
	const struct capture_options *options;
	char *secret;
	int socket;
	FILE *received, *sent, *index;
	size_t received_len, sent_len;
	int64_t started_ms, until_ms;
	struct buffer login; /* what came until the login was answered */
};

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	(void)number;
	interrupted = 1;
}

static FILE *create(const char *name, const char *suffix)
{
	char *path = mem_printf("%s%s", name, suffix);
	FILE *file = fopen(path, "wbe");

	if (file == NULL)
		fprintf(stderr, "ami-replay: cannot write %s\n", path);
	free(path);
	return file;
}

static int connect_to(const char *host, const char *port)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *list = NULL;
	int error = getaddrinfo(host, port, &hints, &list);
	int fd = -1;

	for (struct addrinfo *at = list; error == 0 && at != NULL && fd < 0; at = at->ai_next) {
		fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, 0);
		if (fd >= 0 && connect(fd, at->ai_addr, at->ai_addrlen) != 0) {
			close(fd);
			fd = -1;
		}
	}
	if (list != NULL)
		freeaddrinfo(list);
	if (fd < 0)
		fprintf(stderr, "ami-replay: cannot connect to %s:%s\n", host, port);
	return fd;
}

/* Waits for bytes and records them. Returns their number, 0 at the end or the deadline, -1 when it
   should look again. */
static ssize_t take(struct capture *capture, char *bytes, size_t size, int64_t deadline_ms)
{
	struct pollfd wanted = {capture->socket, POLLIN, 0};
	int64_t left = deadline_ms - clock_mono_ms();
	ssize_t got;

	if (interrupted || left <= 0)
		return 0;
	if (poll(&wanted, 1, left > 500 ? 500 : (int)left) <= 0)
		return -1;
	got = recv(capture->socket, bytes, size, 0);
	if (got <= 0)
		return 0;
	fprintf(capture->index, "%" PRId64 " < %zu %zd\n", clock_mono_ms() - capture->started_ms,
		capture->received_len, got);
	fwrite(bytes, 1, (size_t)got, capture->received);
	capture->received_len += (size_t)got;
	return got;
}

static void say(struct capture *capture, const char *text)
{
	size_t len = strlen(text);

	if (send(capture->socket, text, len, MSG_NOSIGNAL) != (ssize_t)len)
		return; /* the next read says that it is over */
	fprintf(capture->index, "%" PRId64 " > %zu %zu\n", clock_mono_ms() - capture->started_ms,
		capture->sent_len, len);
	fwrite(text, 1, len, capture->sent);
	capture->sent_len += len;
}

/* Reads until the login's text has mark at or after from. */
static const char *await(struct capture *capture, const char *mark)
{
	int64_t deadline = clock_mono_ms() + LOGIN_MS;
	char bytes[4096];
	const char *found;
	ssize_t got = -1;

	while ((found = strstr(buffer_str(&capture->login), mark)) == NULL && got != 0) {
		got = take(capture, bytes, sizeof(bytes), deadline);
		if (got > 0)
			buffer_append(&capture->login, bytes, (size_t)got);
	}
	return found;
}

/* The secret itself is never sent, so that the record does not hold it. */
static int log_in(struct capture *capture)
{
	char challenge[64] = "";
	char key[33];
	char *login;
	const char *answer;

	say(capture, "Action: Challenge\r\nActionID: capture-1\r\nAuthType: MD5\r\n\r\n");
	answer = await(capture, "Challenge: ");
	if (answer == NULL || await(capture, "\r\n\r\n") == NULL)
		return -1;
	sscanf(strstr(buffer_str(&capture->login), "Challenge: "), "Challenge: %63[^\r\n]",
	       challenge);
	answer_key(challenge, capture->secret, key);
	login = mem_printf("Action: Login\r\nActionID: capture-2\r\nAuthType: MD5\r\n"
			   "Username: %s\r\nKey: %s\r\n\r\n",
			   capture->options->username, key);
	say(capture, login);
	free(login);
	return await(capture, "Message: Authentication ") != NULL &&
			       strstr(buffer_str(&capture->login), "Authentication accepted") !=
				       NULL
		       ? 0
		       : -1;
}

static int record(struct capture *capture)
{
	char bytes[65536];

	if (log_in(capture) < 0) {
		fputs("ami-replay: the login failed\n", stderr);
		return 1;
	}
	fprintf(stderr, "ami-replay: recording to %s.ami\n", capture->options->out);
	while (take(capture, bytes, sizeof(bytes), capture->until_ms) != 0)
		;
	printf("recorded %zu bytes\n", capture->received_len);
	return 0;
}

int capture_run(const struct capture_options *options)
{
	struct capture capture = {.options = options, .socket = -1};
	struct sigaction action = {.sa_handler = on_signal};
	int status = 1;

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	capture.started_ms = clock_mono_ms();
	capture.until_ms =
		options->seconds > 0 ? capture.started_ms + options->seconds * 1000 : INT64_MAX;
	capture.secret = options_read_secret(options->secret_file);
	if (capture.secret != NULL)
		capture.socket = connect_to(options->host, options->port);
	if (capture.socket >= 0) {
		capture.received = create(options->out, ".ami");
		capture.sent = create(options->out, ".tx");
		capture.index = create(options->out, ".idx");
		if (capture.received != NULL && capture.sent != NULL && capture.index != NULL)
			status = record(&capture);
	}
	for (size_t i = 0; i < 3; i++) {
		FILE *file = ((FILE *[]){capture.received, capture.sent, capture.index})[i];

		if (file != NULL && fclose(file) != 0)
			status = 1;
	}
	if (capture.socket >= 0)
		close(capture.socket);
	buffer_free(&capture.login);
	free(capture.secret);
	return status;
}
