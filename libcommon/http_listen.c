#include "http_internal.h"

#include "mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BACKLOG 1024

static char error_text[256];

static int fail(const char *listen, const char *reason, const char **error_r)
{
	snprintf(error_text, sizeof(error_text), "HTTP_LISTEN %.100s: %s", listen, reason);
	*error_r = error_text;
	return -1;
}

/* "address:port" or "[address]:port"; the length of the address, -1 when it is neither. */
int http_listen_parse(const char *listen, struct sockaddr_storage *address)
{
	const char *colon = strrchr(listen, ':');
	bool brackets = listen[0] == '[';
	char host[INET6_ADDRSTRLEN + 1] = "";
	char *end;
	unsigned long port;
	size_t len;

	if (colon == NULL || colon == listen || colon[1] < '0' || colon[1] > '9')
		return -1;
	port = strtoul(colon + 1, &end, 10);
	len = (size_t)(colon - listen);
	if (brackets && listen[len - 1] != ']')
		return -1;
	len -= brackets ? 2 : 0;
	if (*end != '\0' || port > 65535 || len >= sizeof(host))
		return -1;
	memcpy(host, listen + (brackets ? 1 : 0), len);
	if (brackets)
		return uv_ip6_addr(host, (int)port, (struct sockaddr_in6 *)address);
	return uv_ip4_addr(host, (int)port, (struct sockaddr_in *)address);
}

int http_listen(const char *listen_on, const char **error_r)
{
	struct sockaddr_storage address = {0};
	socklen_t len;
	int one = 1;
	int fd;

	if (http_listen_parse(listen_on, &address) != 0)
		return fail(listen_on, "not an address and port", error_r);
	len = address.ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
					    : sizeof(struct sockaddr_in);
	fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fail(listen_on, uv_strerror(-errno), error_r);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&address, len) < 0 || listen(fd, BACKLOG) < 0) {
		(void)fail(listen_on, uv_strerror(-errno), error_r);
		close(fd);
		return -1;
	}
	return fd;
}

void http_address_text(const struct sockaddr *address, char out[static INET6_ADDRSTRLEN])
{
	const struct in6_addr *six =
		&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
	const struct in_addr *four = &((const struct sockaddr_in *)(const void *)address)->sin_addr;

	out[0] = '\0';
	if (address->sa_family == AF_INET)
		inet_ntop(AF_INET, four, out, INET6_ADDRSTRLEN);
	else if (address->sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(six))
		inet_ntop(AF_INET, &six->s6_addr[12], out, INET6_ADDRSTRLEN);
	else if (address->sa_family == AF_INET6)
		inet_ntop(AF_INET6, six, out, INET6_ADDRSTRLEN);
}

static bool four_is_private(const unsigned char *four)
{
	return four[0] == 127 || four[0] == 10 || (four[0] == 172 && (four[1] & 0xf0) == 16) ||
	       (four[0] == 192 && four[1] == 168);
}

bool http_address_is_private(const char *address)
{
	unsigned char bytes[16];
	struct in6_addr six;

	if (inet_pton(AF_INET, address, bytes) == 1)
		return four_is_private(bytes);
	if (inet_pton(AF_INET6, address, &six) != 1)
		return false;
	return IN6_IS_ADDR_LOOPBACK(&six) || (six.s6_addr[0] & 0xfe) == 0xfc;
}
