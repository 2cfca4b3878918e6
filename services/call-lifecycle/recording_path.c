#include "recording_path.h"

#include "ids.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DIGITS       "0123456789"
#define YEAR_10000_S 253402300800

static size_t base_len(const char *id)
{
	size_t time = strspn(id, DIGITS);

	if (time == 0 || time > 15 || id[time] != '-')
		return 0;
	return time + 1 + strspn(id + time + 1, DIGITS "abcdef");
}

bool recording_id_is_valid(const char *id)
{
	size_t len = base_len(id);

	if (len == 0 || id[len - 1] == '-' || strlen(id) > RECORDING_ID_MAX)
		return false;
	if (id[len] == '\0')
		return true;
	return id[len] == '.' && id[len + 1] != '\0' &&
	       strspn(id + len + 1, DIGITS) == strlen(id + len + 1);
}

void recording_path(const char *id, char *out)
{
	time_t at = (time_t)(strtoll(id, NULL, 10) / 1000);
	char day[16];
	struct tm tm;

	out[0] = '\0';
	if (!recording_id_is_valid(id) || at >= YEAR_10000_S || gmtime_r(&at, &tm) == NULL)
		return;
	strftime(day, sizeof(day), "%Y-%m-%d", &tm);
	snprintf(out, RECORDING_PATH_MAX, "%s/%s.wav", day, id);
}

void recording_next_part(const char *id, char *out)
{
	size_t len = base_len(id);
	long part = id[len] == '.' ? strtol(id + len + 1, NULL, 10) : 1;

	snprintf(out, RECORDING_ID_MAX + 1, "%.*s.%ld", (int)(len < 30 ? len : 30), id, part + 1);
}
