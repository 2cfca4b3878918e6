#include "cursor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Digits only: strtoull alone would take blanks and signs. */
static bool parse_number(const char *text, uint64_t *number_r, const char **end_r)
{
	if (*text < '0' || *text > '9')
		return false;
	char *end;
	errno = 0;
	*number_r = strtoull(text, &end, 10);
	*end_r = end;
	return errno == 0;
}

bool entry_id_parse(const char *text, struct entry_id *id_r)
{
	const char *end;
	if (!parse_number(text, &id_r->ms, &end))
		return false;
	id_r->seq = 0;
	if (*end == '\0')
		return true;
	return *end == '-' && parse_number(end + 1, &id_r->seq, &end) && *end == '\0';
}

const char *entry_id_format(struct entry_id id, char *text)
{
	snprintf(text, ENTRY_ID_TEXT_MAX, "%llu-%llu", (unsigned long long)id.ms,
		 (unsigned long long)id.seq);
	return text;
}

bool cursor_parse(const char *text, enum topic *topic_r, struct entry_id *id_r)
{
	char name[16];
	const char *colon = strchr(text, ':');
	if (colon == NULL || (size_t)(colon - text) >= sizeof(name))
		return false;
	memcpy(name, text, (size_t)(colon - text));
	name[colon - text] = '\0';
	return topic_parse(name, topic_r) && entry_id_parse(colon + 1, id_r);
}
