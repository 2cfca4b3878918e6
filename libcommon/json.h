/* JSON: strict reading on top of cJSON, and a writer that goes straight into a buffer. */
#ifndef COMMON_JSON_H
#define COMMON_JSON_H

#include "buffer.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

/* ---- writing: json_begin_object(); json_key(); json_str(); ... commas come by themselves ---- */

struct json_writer {
	struct buffer *out; /* borrowed */
	bool comma;         /* the next value needs one before it */
};

static inline struct json_writer json_writer_init(struct buffer *out)
{
	return (struct json_writer){out, false};
}

void json_begin_object(struct json_writer *writer);
void json_end_object(struct json_writer *writer);
void json_begin_array(struct json_writer *writer);
void json_end_array(struct json_writer *writer);
void json_key(struct json_writer *writer, const char *key);
/* NULL writes null. Bytes that are not UTF-8 become U+FFFD. */
void json_str(struct json_writer *writer, const char *text);
void json_strn(struct json_writer *writer, const char *text, size_t len);
void json_int(struct json_writer *writer, int64_t number);
void json_bool(struct json_writer *writer, bool value);
void json_null(struct json_writer *writer);
/* text is JSON already and is copied as it is. */
void json_raw(struct json_writer *writer, const char *text, size_t len);

void json_field_str(struct json_writer *writer, const char *key, const char *text);
void json_field_int(struct json_writer *writer, const char *key, int64_t number);
void json_field_bool(struct json_writer *writer, const char *key, bool value);
void json_field_raw(struct json_writer *writer, const char *key, const char *text);

/* "text" with quotes and escapes, no commas: the primitive below the writer. */
void json_escape(struct buffer *out, const char *text, size_t len);

/* ---- reading ---- */

#define JSON_DEPTH_MAX 32

/* The whole text must be one value, valid UTF-8 and at most JSON_DEPTH_MAX deep. NULL with *error_r
   set otherwise; the caller frees the answer with cJSON_Delete(). */
cJSON *json_parse(const char *text, size_t len, const char **error_r);
/* NULL or the fallback when the field is absent or of another type. Strings are borrowed. */
const char *json_get_str(const cJSON *object, const char *key);
int64_t json_get_int(const cJSON *object, const char *key, int64_t fallback);
bool json_get_bool(const cJSON *object, const char *key, bool fallback);
/* A number that is whole and within +-2^53. */
bool json_is_int(const cJSON *item);

#endif
