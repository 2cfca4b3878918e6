#include "sio_packet.h"

#include <string.h>

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

/* "/call,": up to the comma, or to the end. Returns how long it is with its comma; 0: too long. */
static size_t read_namespace(const char *text, size_t len, char *nsp)
{
	const char *comma = memchr(text, ',', len);
	size_t name = comma != NULL ? (size_t)(comma - text) : len;

	if (name > SIO_NAMESPACE_MAX || memchr(text, '\0', name) != NULL)
		return 0;
	memcpy(nsp, text, name);
	nsp[name] = '\0';
	return name + (comma != NULL);
}

bool sio_packet_parse(const char *text, size_t len, struct sio_packet *packet_r)
{
	size_t at = 1, digits = 0;

	*packet_r = (struct sio_packet){.nsp = "/"};
	if (len == 0 || text[0] < '0' || text[0] > '0' + SIO_CONNECT_ERROR)
		return false;
	packet_r->type = (enum sio_type)(text[0] - '0');
	if (at < len && text[at] == '/') {
		size_t used = read_namespace(text + at, len - at, packet_r->nsp);

		if (used == 0)
			return false;
		at += used;
	}
	while (at + digits < len && is_digit(text[at + digits]))
		digits++;
	if (digits > SIO_ID_MAX)
		return false;
	memcpy(packet_r->id, text + at, digits);
	packet_r->data = text + at + digits;
	packet_r->len = len - at - digits;
	return true;
}

bool eio_next_packet(const char **rest, size_t *rest_len, const char **packet_r, size_t *len_r)
{
	const char *end;

	if (*rest == NULL)
		return false;
	end = memchr(*rest, EIO_SEPARATOR, *rest_len);
	*packet_r = *rest;
	*len_r = end != NULL ? (size_t)(end - *rest) : *rest_len;
	*rest = end != NULL ? end + 1 : NULL;
	*rest_len -= *len_r + (end != NULL);
	return true;
}
