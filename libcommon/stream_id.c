#include "stream_id.h"

#include "stream_reader.h"

#include <stdlib.h>
#include <string.h>

struct stream_id stream_id_parse(const char *text)
{
	struct stream_id id = {0};
	char *end;

	id.ms = strtoull(text, &end, 10);
	if (*end == '-')
		id.seq = strtoull(end + 1, NULL, 10);
	return id;
}

static char *format_number(char *end, uint64_t number)
{
	do {
		*--end = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	return end;
}

size_t stream_id_format(struct stream_id id, char out[STREAM_ID_MAX])
{
	char digits[STREAM_ID_MAX];
	char *end = digits + sizeof(digits);
	char *at = format_number(end, id.seq);
	size_t len;

	*--at = '-';
	at = format_number(at, id.ms);
	len = (size_t)(end - at);
	memcpy(out, at, len);
	out[len] = '\0';
	return len;
}

int stream_id_order(struct stream_id a, struct stream_id b)
{
	if (a.ms != b.ms)
		return a.ms < b.ms ? -1 : 1;
	return a.seq < b.seq ? -1 : a.seq > b.seq;
}

int stream_id_compare(const char *a, const char *b)
{
	return stream_id_order(stream_id_parse(a), stream_id_parse(b));
}

struct stream_id stream_id_after(struct stream_id last, int64_t wall_ms)
{
	if (wall_ms > 0 && (uint64_t)wall_ms > last.ms)
		return (struct stream_id){(uint64_t)wall_ms, 0};
	if (last.seq == UINT64_MAX)
		return (struct stream_id){last.ms + 1, 0};
	return (struct stream_id){last.ms, last.seq + 1};
}
