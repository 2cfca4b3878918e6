/* --healthy: asks the daemon that runs with these settings, as a container's health check does
   where there is neither a shell nor curl. */
#include "daemon_internal.h"
#include "http_internal.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define PATIENCE_S 2

static int connect_to(const char *listen)
{
	const struct timeval patience = {.tv_sec = PATIENCE_S};
	struct sockaddr_storage address = {0};
	socklen_t len;
	int fd;

	if (http_listen_parse(listen, &address) != 0)
		return -1;
	len = address.ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
					    : sizeof(struct sockaddr_in);
	fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&address, len) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

int daemon_healthy(const char *name, const char *listen)
{
	static const char request[] =
		"GET /healthz HTTP/1.1\r\nHost: health\r\nConnection: close\r\n\r\n";
	static const char good[] = "HTTP/1.1 200 ";
	char answer[sizeof(good)] = "";
	int fd = connect_to(listen);
	bool healthy;

	healthy = fd >= 0 && send(fd, request, strlen(request), MSG_NOSIGNAL) > 0 &&
		  recv(fd, answer, strlen(good), MSG_WAITALL) == (ssize_t)strlen(good) &&
		  strcmp(answer, good) == 0;
	if (fd >= 0)
		close(fd);
	printf("%s at %s: %s\n", name, listen, healthy ? "alive" : "does not answer");
	return healthy ? 0 : 1;
}
