#include "log.h"

#include "buffer.h"
#include "clock.h"
#include "json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *const level_names[] = {"debug", "info", "warn", "error"};

static struct {
	const char *service;
	enum log_format format;
	enum log_level level;
	struct buffer line;
} state = {"mayday", LOG_FORMAT_LOGFMT, LOG_INFO, {NULL, 0, 0}};

void log_open(const char *service, enum log_format format, enum log_level level)
{
	state.service = service;
	state.format = format;
	state.level = level;
}

void log_set_level(enum log_level level)
{
	state.level = level;
}

enum log_level log_get_level(void)
{
	return state.level;
}

const char *log_level_name(enum log_level level)
{
	return level_names[level];
}

bool log_level_parse(const char *name, enum log_level *level_r)
{
	for (size_t i = 0; i < sizeof(level_names) / sizeof(level_names[0]); i++) {
		if (strcmp(name, level_names[i]) == 0) {
			*level_r = (enum log_level)i;
			return true;
		}
	}
	return false;
}

static void format_time(char *out, size_t size)
{
	int64_t now = clock_wall_ms();
	time_t seconds = (time_t)(now / 1000);
	struct tm utc;
	char text[32];

	gmtime_r(&seconds, &utc);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(out, size, "%s.%03dZ", text, (int)(now % 1000));
}

static void write_json(enum log_level level, const char *time, const char *message,
		       const struct log_field *fields)
{
	struct json_writer line = json_writer_init(&state.line);

	json_begin_object(&line);
	json_field_str(&line, "time", time);
	json_field_str(&line, "level", log_level_name(level));
	json_field_str(&line, "svc", state.service);
	json_field_str(&line, "msg", message);
	for (; fields->key != NULL; fields++) {
		if (fields->text != NULL)
			json_field_str(&line, fields->key, fields->text);
		else
			json_field_int(&line, fields->key, fields->number);
	}
	json_end_object(&line);
}

static bool is_word(const char *text)
{
	if (text[0] == '\0')
		return false;
	for (; *text != '\0'; text++)
		if (*text <= ' ' || *text >= 0x7f || *text == '"' || *text == '=' || *text == '\\')
			return false;
	return true;
}

/* Plain when it reads back as one word, else quoted the way JSON does it. */
static void append_value(const char *text)
{
	if (is_word(text))
		buffer_append_str(&state.line, text);
	else
		json_escape(&state.line, text, strlen(text));
}

static void write_logfmt(enum log_level level, const char *time, const char *message,
			 const struct log_field *fields)
{
	buffer_printf(&state.line, "time=%s level=%s svc=%s msg=", time, log_level_name(level),
		      state.service);
	append_value(message);
	for (; fields->key != NULL; fields++) {
		buffer_printf(&state.line, " %s=", fields->key);
		if (fields->text != NULL)
			append_value(fields->text);
		else
			buffer_append_int(&state.line, fields->number);
	}
}

void log_write(enum log_level level, const char *message, const struct log_field *fields)
{
	char time[64];

	format_time(time, sizeof(time));
	buffer_clear(&state.line);
	if (state.format == LOG_FORMAT_JSON)
		write_json(level, time, message, fields);
	else
		write_logfmt(level, time, message, fields);
	buffer_append_char(&state.line, '\n');
	/* One write, so that lines of several processes on one pipe do not mix. */
	if (write(STDERR_FILENO, state.line.data, state.line.len) < 0)
		return; /* nowhere left to say it */
}
