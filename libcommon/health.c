#include "health.h"

#include "clock.h"
#include "json.h"
#include "log.h"
#include "mem.h"

#include <stdlib.h>
#include <string.h>

struct health_item {
	const char *name;
	bool optional;
	bool ok;
	char *detail; /* owned */
	int64_t since_ms, since_mono_ms;
	struct health_item *next;
};

struct health {
	struct health_item *first;
};

struct health *health_new(void)
{
	return mem_new(struct health);
}

void health_free(struct health **_health)
{
	struct health *health = *_health;
	struct health_item *item;

	*_health = NULL;
	if (health == NULL)
		return;
	while ((item = health->first) != NULL) {
		health->first = item->next;
		free(item->detail);
		free(item);
	}
	free(health);
}

struct health_item *health_add(struct health *health, const char *name, bool optional)
{
	struct health_item *item = mem_new(struct health_item);
	struct health_item **end = &health->first;

	while (*end != NULL)
		end = &(*end)->next;
	*end = item;
	item->name = name;
	item->optional = optional;
	item->detail = mem_strdup("not connected yet");
	item->since_ms = clock_wall_ms();
	item->since_mono_ms = clock_mono_ms();
	return item;
}

void health_set(struct health_item *item, bool ok, const char *detail)
{
	if (ok != item->ok) {
		item->ok = ok;
		item->since_ms = clock_wall_ms();
		item->since_mono_ms = clock_mono_ms();
		if (ok)
			log_info("dependency is up", log_str("dependency", item->name));
		else
			log_warn("dependency is down", log_str("dependency", item->name),
				 log_str("detail", detail));
	}
	free(item->detail);
	item->detail = mem_strdup(detail);
}

bool health_item_ok(const struct health_item *item)
{
	return item->ok;
}

bool health_ready(const struct health *health)
{
	for (const struct health_item *item = health->first; item != NULL; item = item->next)
		if (!item->ok && !item->optional)
			return false;
	return true;
}

static void write_item(const struct health_item *item, struct json_writer *json)
{
	json_key(json, item->name);
	json_begin_object(json);
	json_field_bool(json, "ok", item->ok);
	json_field_int(json, "sinceAt", item->since_ms);
	json_field_int(json, "forMs", clock_mono_ms() - item->since_mono_ms);
	if (item->optional)
		json_field_bool(json, "optional", true);
	if (item->detail != NULL)
		json_field_str(json, "detail", item->detail);
	json_end_object(json);
}

void health_write(const struct health *health, struct buffer *out)
{
	struct json_writer json = json_writer_init(out);

	json_begin_object(&json);
	json_field_bool(&json, "ready", health_ready(health));
	json_key(&json, "dependencies");
	json_begin_object(&json);
	for (const struct health_item *item = health->first; item != NULL; item = item->next)
		write_item(item, &json);
	json_end_object(&json);
	json_end_object(&json);
}

void health_write_metrics(const struct health *health, struct buffer *out)
{
	buffer_printf(out,
		      "# HELP mayday_ready 1: all that it needs is there\n"
		      "# TYPE mayday_ready gauge\nmayday_ready %d\n"
		      "# HELP mayday_dependency_up 1: this can be used\n"
		      "# TYPE mayday_dependency_up gauge\n",
		      health_ready(health));
	for (const struct health_item *item = health->first; item != NULL; item = item->next)
		buffer_printf(out, "mayday_dependency_up{dependency=\"%s\"} %d\n", item->name,
			      item->ok);
}
