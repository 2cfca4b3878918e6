/* Clients of one HTTP server, each on a connection of its own: asks the paths of a file in turn, at
   a rate or as fast as it goes, and prints the rate reached and how long answers took.

	http_load <host:port> <token file> <path file> <clients> <requests/s, 0: all out> <seconds>
   [status]

   An answer with another status (200 where none is given) has failed.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CLIENTS_MAX 256
#define TAKEN_MAX   400000

static struct {
	struct sockaddr_in address;
	const char *host;
	char token[4096];
	char **paths;
	size_t path_count;
	long clients;
	double rate, seconds;
	double began;
	int status;
} load;

struct client {
	pthread_t thread;
	size_t number;
	unsigned *taken_us; /* owned */
	size_t count, failed;
};

static double now_s(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static void die(const char *what)
{
	fprintf(stderr, "http_load: %s\n", what);
	exit(1);
}

static int connect_client(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0 || connect(fd, (struct sockaddr *)&load.address, sizeof(load.address)) < 0)
		die("cannot connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

/* Reads one answer. Returns its status, 0 when the connection ended. */
static int read_answer(int fd)
{
	char text[65536];
	size_t have = 0, wanted = 0;

	while (wanted == 0 || have < wanted) {
		ssize_t got = read(fd, text + have, sizeof(text) - 1 - have);
		char *end, *length;

		if (got <= 0)
			return 0;
		have += (size_t)got;
		text[have] = '\0';
		end = strstr(text, "\r\n\r\n");
		if (wanted != 0 || end == NULL)
			continue;
		length = strcasestr(text, "\r\nContent-Length:");
		if (length == NULL)
			return 0;
		wanted = (size_t)(end + 4 - text) + strtoul(length + 17, NULL, 10);
		if (wanted >= sizeof(text))
			die("an answer is too long");
	}
	return atoi(text + 9);
}

static bool ask(int fd, const char *path)
{
	char request[8192];
	int len = snprintf(request, sizeof(request),
			   "GET %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n\r\n", path,
			   load.host, load.token);

	if (len <= 0 || (size_t)len >= sizeof(request))
		die("a path is too long");
	return write(fd, request, (size_t)len) == len && read_answer(fd) == load.status;
}

static void wait_for_turn(const struct client *client, size_t turn)
{
	double at = load.began +
		    ((double)turn * (double)load.clients + (double)client->number) / load.rate;
	double left = at - now_s();

	if (left > 0)
		usleep((useconds_t)(left * 1e6));
}

static void *run(void *_client)
{
	struct client *client = _client;
	int fd = connect_client();

	for (size_t turn = 0; now_s() < load.began + load.seconds; turn++) {
		size_t path = (turn * (size_t)load.clients + client->number) % load.path_count;
		double start;

		if (load.rate > 0)
			wait_for_turn(client, turn);
		start = now_s();
		if (!ask(fd, load.paths[path])) {
			client->failed++;
			close(fd);
			fd = connect_client();
		}
		if (client->count < TAKEN_MAX)
			client->taken_us[client->count++] = (unsigned)((now_s() - start) * 1e6);
	}
	close(fd);
	return NULL;
}

static int compare(const void *a, const void *b)
{
	unsigned left = *(const unsigned *)a, right = *(const unsigned *)b;

	return (left > right) - (left < right);
}

static void report(struct client *clients)
{
	size_t count = 0, failed = 0;
	unsigned *all;

	for (long i = 0; i < load.clients; i++)
		count += clients[i].count;
	all = malloc((count + 1) * sizeof(*all));
	if (all == NULL)
		die("no memory");
	count = 0;
	for (long i = 0; i < load.clients; i++) {
		memcpy(all + count, clients[i].taken_us, clients[i].count * sizeof(*all));
		count += clients[i].count;
		failed += clients[i].failed;
	}
	qsort(all, count, sizeof(*all), compare);
	if (count == 0)
		die("nothing was answered");
	size_t middle = count / 2, late = count * 99 / 100;

	printf("rate %.0f p50 %.3f p99 %.3f max %.3f failed %zu\n", (double)count / load.seconds,
	       all[middle] / 1e3, all[late] / 1e3, all[count - 1] / 1e3, failed);
	free(all);
}

static void read_lines(const char *name)
{
	FILE *file = fopen(name, "r");
	char line[2048];
	size_t room = 0;

	if (file == NULL)
		die("no file of paths");
	while (fgets(line, sizeof(line), file) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (load.path_count == room) {
			room = room * 2 + 64;
			load.paths = realloc(load.paths, room * sizeof(*load.paths));
		}
		if (load.paths == NULL)
			die("no memory");
		load.paths[load.path_count++] = strdup(line);
	}
	fclose(file);
	if (load.path_count == 0)
		die("the file of paths is empty");
}

static void read_token(const char *name)
{
	FILE *file = fopen(name, "r");

	if (file == NULL || fgets(load.token, sizeof(load.token), file) == NULL)
		die("no token");
	load.token[strcspn(load.token, "\n")] = '\0';
	fclose(file);
}

int main(int argc, char *argv[])
{
	static struct client clients[CLIENTS_MAX];
	char host[64];
	char *colon;

	if (argc != 7 && argc != 8)
		die("six arguments or seven: see the head of the source");
	load.status = argc == 8 ? atoi(argv[7]) : 200;
	snprintf(host, sizeof(host), "%s", argv[1]);
	load.host = argv[1];
	colon = strchr(host, ':');
	load.clients = strtol(argv[4], NULL, 10);
	if (colon == NULL || load.clients < 1 || load.clients > CLIENTS_MAX)
		die("host:port, and 1 to 256 clients");
	*colon = '\0';
	load.address.sin_family = AF_INET;
	load.address.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
	inet_pton(AF_INET, host, &load.address.sin_addr);
	read_token(argv[2]);
	read_lines(argv[3]);
	load.rate = strtod(argv[5], NULL);
	load.seconds = strtod(argv[6], NULL);
	load.began = now_s();
	for (long i = 0; i < load.clients; i++) {
		clients[i].number = (size_t)i;
		clients[i].taken_us = malloc(TAKEN_MAX * sizeof(unsigned));
		if (clients[i].taken_us == NULL ||
		    pthread_create(&clients[i].thread, NULL, run, &clients[i]) != 0)
			die("no thread");
	}
	for (long i = 0; i < load.clients; i++)
		pthread_join(clients[i].thread, NULL);
	report(clients);
	return 0;
}
