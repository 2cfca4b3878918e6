#include "offset.h"

#include <string.h>

const char *offset_format(const struct entry_id *at, char *text)
{
	char *end = text;

	for (int topic = 0; topic < TOPIC_COUNT; topic++) {
		if (topic > 0)
			*end++ = '_';
		entry_id_format(at[topic], end);
		end += strlen(end);
	}
	return text;
}

/* The next part up to the separator, at most size - 1 bytes. False: too long, or none is left. */
static bool next_part(const char **rest, char separator, char *out, size_t size)
{
	const char *end;
	size_t len;

	if (*rest == NULL)
		return false;
	end = strchr(*rest, separator);
	len = end != NULL ? (size_t)(end - *rest) : strlen(*rest);
	if (len >= size)
		return false;
	memcpy(out, *rest, len);
	out[len] = '\0';
	*rest = end != NULL ? end + 1 : NULL;
	return true;
}

static bool parse_cursors(const char *text, struct positions *positions_r)
{
	char part[ENTRY_ID_TEXT_MAX + 16];

	while (text != NULL) {
		enum topic topic;
		struct entry_id id;

		if (!next_part(&text, ',', part, sizeof(part)) || !cursor_parse(part, &topic, &id))
			return false;
		positions_r->topics |= topic_bit(topic);
		positions_r->at[topic] = id;
	}
	return true;
}

bool offset_parse(const char *text, struct positions *positions_r)
{
	char part[ENTRY_ID_TEXT_MAX];

	*positions_r = (struct positions){0};
	if (strchr(text, ':') != NULL)
		return parse_cursors(text, positions_r);
	for (int topic = 0; topic < TOPIC_COUNT; topic++) {
		if (!next_part(&text, '_', part, sizeof(part)) ||
		    !entry_id_parse(part, &positions_r->at[topic]))
			return false;
	}
	positions_r->topics = TOPIC_ALL;
	return text == NULL;
}
