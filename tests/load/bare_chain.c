/* What the machine itself takes for the way of an event: as many processes as are on that way,
   which do nothing but hand a message on over loopback TCP.

	bare_chain HOPS MESSAGES_PER_SECOND SECONDS

   HOPS counts the sends: the first is by this process, which also receives the last. Prints one
   line: sent, p50, p99 and max in ms. */
#include "clock.h"
#include "mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define SIZE 400 /* bytes of a message, about those of an event */

static void die(const char *what)
{
	fprintf(stderr, "bare_chain: %s: %s\n", what, strerror(errno));
	exit(2);
}

/* Two ends of one loopback connection. */
static void connect_pair(int ends[2])
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	int one = 1;

	ends[0] = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(listener, (struct sockaddr *)&address, len) < 0 || listen(listener, 1) < 0 ||
	    getsockname(listener, (struct sockaddr *)&address, &len) < 0 ||
	    connect(ends[0], (struct sockaddr *)&address, len) < 0)
		die("connect");
	ends[1] = accept(listener, NULL, NULL);
	if (ends[1] < 0)
		die("accept");
	setsockopt(ends[0], IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	close(listener);
}

/* False at the end of the stream. */
static bool receive(int from, char *message)
{
	return recv(from, message, SIZE, MSG_WAITALL) == SIZE;
}

static void relay(int from, int to)
{
	char message[SIZE];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (receive(from, message))
		if (send(to, message, SIZE, MSG_NOSIGNAL) != SIZE)
			break;
	_exit(0);
}

/* Returns the socket that the chain ends at; what is sent to *first_r goes through all of it. */
static int make_chain(size_t hops, int *first_r)
{
	int ends[2];
	int last;

	connect_pair(ends);
	*first_r = ends[0];
	last = ends[1];
	for (size_t i = 1; i < hops; i++) {
		connect_pair(ends);
		if (fork() == 0)
			relay(last, ends[0]);
		last = ends[1];
	}
	return last;
}

static void sleep_until(int64_t at_us)
{
	int64_t left_us = at_us - clock_mono_us();

	if (left_us > 0)
		usleep((useconds_t)left_us);
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a;
	int64_t y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	size_t rate = argc == 4 ? strtoul(argv[2], NULL, 10) : 0;
	size_t count = argc == 4 ? rate * strtoul(argv[3], NULL, 10) : 0;
	char message[SIZE] = "";
	int64_t *taken, start_us, p50, p99;
	int first, last;

	if (count == 0) {
		fprintf(stderr, "usage: bare_chain HOPS MESSAGES_PER_SECOND SECONDS\n");
		return 2;
	}
	last = make_chain(strtoul(argv[1], NULL, 10), &first);
	taken = mem_array(int64_t, count);
	start_us = clock_mono_us();
	for (size_t i = 0; i < count; i++) {
		int64_t due_us = start_us + (int64_t)(i * 1000000 / rate);

		sleep_until(due_us);
		taken[i] = clock_mono_us();
		if (send(first, message, SIZE, MSG_NOSIGNAL) != SIZE || !receive(last, message))
			die("the chain");
		taken[i] = clock_mono_us() - taken[i];
	}
	qsort(taken, count, sizeof(*taken), compare);
	p50 = taken[count / 2];
	p99 = taken[count * 99 / 100];
	printf("sent %zu p50 %.3f p99 %.3f max %.3f\n", count, (double)p50 / 1000,
	       (double)p99 / 1000, (double)taken[count - 1] / 1000);
	free(taken);
	return 0;
}
