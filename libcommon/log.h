/* One line per event on stderr, as logfmt or JSON. A message is a fixed text; what varies goes
   into fields, so that lines can be searched and counted:

	log_warn("AMI connection lost", log_str("pbx", name), log_int("retry_ms", delay));

   Never pass a secret or a token. */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_level {
	LOG_DEBUG,
	LOG_INFO,
	LOG_WARN,
	LOG_ERROR
};
enum log_format {
	LOG_FORMAT_LOGFMT,
	LOG_FORMAT_JSON
};

struct log_field {
	const char *key;  /* NULL ends the list */
	const char *text; /* NULL: number is the value */
	int64_t number;
};

static inline struct log_field log_str(const char *key, const char *text)
{
	return (struct log_field){key, text != NULL ? text : "", 0};
}

static inline struct log_field log_int(const char *key, int64_t number)
{
	return (struct log_field){key, NULL, number};
}

/* service is borrowed for the life of the process. */
void log_open(const char *service, enum log_format format, enum log_level level);
void log_set_level(enum log_level level);
enum log_level log_get_level(void);
bool log_level_parse(const char *name, enum log_level *level_r);
const char *log_level_name(enum log_level level);
void log_write(enum log_level level, const char *message, const struct log_field *fields);

#define LOG_FIELDS_(...) ((const struct log_field[]){__VA_ARGS__ __VA_OPT__(, ){NULL, NULL, 0}})
#define log_at_(level, message, ...)                                                               \
	do {                                                                                       \
		if (log_get_level() <= (level))                                                    \
			log_write((level), (message), LOG_FIELDS_(__VA_ARGS__));                   \
	} while (0)
#define log_debug(message, ...) log_at_(LOG_DEBUG, message __VA_OPT__(, ) __VA_ARGS__)
#define log_info(message, ...)  log_at_(LOG_INFO, message __VA_OPT__(, ) __VA_ARGS__)
#define log_warn(message, ...)  log_at_(LOG_WARN, message __VA_OPT__(, ) __VA_ARGS__)
#define log_error(message, ...) log_at_(LOG_ERROR, message __VA_OPT__(, ) __VA_ARGS__)

#endif
