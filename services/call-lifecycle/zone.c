#include "zone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define QUARTER_MS 900000
#define HOUR_MS    3600000

bool zone_is_known(const char *name)
{
	char path[32 + ZONE_NAME_MAX];
	size_t len = strlen(name);

	if (len == 0 || len >= ZONE_NAME_MAX || name[0] == '/' || strstr(name, "..") != NULL ||
	    strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/") !=
		    len)
		return false;
	if (strcmp(name, "UTC") == 0)
		return true;
	snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", name);
	/* A folder of zones is none. */
	return access(path, R_OK) == 0 && strchr(name, '/') != NULL;
}

static void use(const char *zone)
{
	static char used[ZONE_NAME_MAX];

	if (strcmp(used, zone) == 0)
		return;
	snprintf(used, sizeof(used), "%s", zone);
	setenv("TZ", zone, 1);
	tzset();
}

static struct tm local(const char *zone, int64_t at)
{
	time_t seconds = (time_t)(at / 1000);
	struct tm tm;

	use(zone);
	localtime_r(&seconds, &tm);
	return tm;
}

/* Midnight, or the first moment after it where the clocks jump over it. */
static int64_t midnight(struct tm *tm)
{
	tm->tm_hour = tm->tm_min = tm->tm_sec = 0;
	tm->tm_isdst = -1;
	return (int64_t)mktime(tm) * 1000;
}

/* Hours begin where the zone's clock shows a full one. */
static int64_t begin_of_hour(const struct tm *tm, int64_t at)
{
	int64_t past_ms = ((int64_t)tm->tm_min * 60 + tm->tm_sec) * 1000 + at % 1000;

	return at - past_ms;
}

int64_t zone_begin(const char *zone, enum zone_step step, int64_t at)
{
	struct tm tm;

	if (step == ZONE_QUARTER)
		return at - at % QUARTER_MS;
	tm = local(zone, at);
	if (step == ZONE_HOUR)
		return begin_of_hour(&tm, at);
	if (step == ZONE_WEEK)
		tm.tm_mday -= (tm.tm_wday + 6) % 7;
	if (step == ZONE_MONTH)
		tm.tm_mday = 1;
	return midnight(&tm);
}

int64_t zone_next(const char *zone, enum zone_step step, int64_t at)
{
	int64_t begin = zone_begin(zone, step, at);
	struct tm tm;

	if (step == ZONE_QUARTER)
		return begin + QUARTER_MS;
	if (step == ZONE_HOUR)
		return begin + HOUR_MS;
	tm = local(zone, begin);
	if (step == ZONE_MONTH)
		tm.tm_mon++;
	else
		tm.tm_mday += step == ZONE_WEEK ? 7 : 1;
	return midnight(&tm);
}

int64_t zones_step(const struct zones *zones, const char *zone)
{
	for (size_t i = 0; i < zones->count; i++)
		if (strcmp(zones->names[i], zone) == 0)
			return (int64_t)i + 1;
	return 0;
}
