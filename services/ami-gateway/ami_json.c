#include "ami_json.h"

#include "json.h"
#include "mem.h"

#include <stdlib.h>
#include <string.h>

#define BYTES(byte) ((uint64_t)(byte)*0x0101010101010101ULL)
#define HIGH        BYTES(0x80)

/* At least one of the eight bytes is zero. */
static bool any_zero(uint64_t bytes)
{
	return ((bytes - BYTES(1)) & ~bytes & HIGH) != 0;
}

/* At least one of the eight bytes is a control, a quote, a backslash or not ASCII. */
static bool any_special(uint64_t bytes)
{
	return (bytes & HIGH) != 0 || ((bytes - BYTES(0x20)) & ~bytes & HIGH) != 0 ||
	       any_zero(bytes ^ BYTES('"')) || any_zero(bytes ^ BYTES('\\'));
}

/* Copies bytes that all stand for themselves; false when one does not. */
static bool copy_plain(char *to, const char *from, size_t len)
{
	uint64_t bytes;

	for (; len >= 8; len -= 8, from += 8, to += 8) {
		memcpy(&bytes, from, 8);
		if (any_special(bytes))
			return false;
		memcpy(to, &bytes, 8);
	}
	for (; len > 0; len--, from++, to++) {
		unsigned char byte = (unsigned char)*from;

		if (byte < 0x20 || byte >= 0x80 || byte == '"' || byte == '\\')
			return false;
		*to = *from;
	}
	return true;
}

/* "text", whatever it holds. NUL becomes U+FFFD as well: no C reader could take it. */
static void put_text(struct buffer *out, const char *text, size_t len)
{
	char *copy;

	if (memchr(text, '\0', len) == NULL) {
		json_escape(out, text, len);
		return;
	}
	copy = mem_alloc(len);
	for (size_t i = 0; i < len; i++)
		copy[i] = text[i] != '\0' ? text[i] : '\xFF';
	json_escape(out, copy, len);
	free(copy);
}

/* Nearly every event: no key twice, nothing to escape. One reservation, then only copies. False
   leaves out as it was. */
static bool put_plain(const struct ami_message *message, struct buffer *out)
{
	size_t room = 2;
	char *at;

	for (size_t i = 0; i < message->count; i++)
		room += message->headers[i].key_len + message->headers[i].value_len + 6;
	at = buffer_reserve(out, room);
	for (size_t i = 0; i < message->count; i++) {
		const struct ami_header *header = &message->headers[i];

		if (header->key_len < 2 || !copy_plain(at + 2, header->key, header->key_len))
			return false;
		memcpy(at, ",\"", 2);
		at += 2 + header->key_len;
		memcpy(at, "\":\"", 3);
		at += 3;
		if (!copy_plain(at, header->value, header->value_len))
			return false;
		at += header->value_len;
		*at++ = '"';
	}
	*at++ = '}';
	*at = '\0';
	out->len = (size_t)(at - out->data);
	return true;
}

static void put_key(struct buffer *out, const struct ami_header *header)
{
	if (header->key_len == 1 && header->key[0] == 't')
		put_text(out, "T", 1);
	else if (header->key_len == 1 && header->key[0] == 'n')
		put_text(out, "N", 1);
	else
		put_text(out, header->key, header->key_len);
	buffer_append_char(out, ':');
}

static bool same_key(const struct ami_header *a, const struct ami_header *b)
{
	return a->key_len == b->key_len && memcmp(a->key, b->key, a->key_len) == 0;
}

static bool is_repeat(const struct ami_message *message, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (same_key(&message->headers[i], &message->headers[index]))
			return true;
	return false;
}

static unsigned key_hash(const struct ami_header *header)
{
	uint32_t first = 0;
	uint32_t last = 0;
	size_t len = header->key_len;

	if (len >= 4) {
		memcpy(&first, header->key, 4);
		memcpy(&last, header->key + len - 4, 4);
	}
	return ((first * 0x9E3779B1u) ^ (last * 0x85EBCA77u) ^ (header->key_len * 0xC2B2AE3Du)) >>
	       20;
}

/* Keys are compared with each other only where their hashes meet. */
static bool has_repeat(const struct ami_message *message)
{
	uint64_t seen[64] = {0};

	for (size_t i = 0; i < message->count; i++) {
		unsigned hash = key_hash(&message->headers[i]);

		if ((seen[hash >> 6] >> (hash & 63) & 1) != 0 && is_repeat(message, i))
			return true;
		seen[hash >> 6] |= 1ULL << (hash & 63);
	}
	return false;
}

/* All values of the key that headers[first] is the first to have. An event has one name, and the
   first line alone is Asterisk's own. */
static void put_values(const struct ami_message *message, size_t first, struct buffer *out)
{
	const struct ami_header *header = &message->headers[first];
	size_t start = out->len;
	bool array = false;

	put_text(out, header->value, header->value_len);
	if (ami_key_is(header, "Event"))
		return;
	for (size_t i = first + 1; i < message->count; i++) {
		if (!same_key(header, &message->headers[i]))
			continue;
		if (!array) {
			buffer_reserve(out, 1);
			memmove(out->data + start + 1, out->data + start, out->len - start);
			out->data[start] = '[';
			out->len++;
			array = true;
		}
		buffer_append_char(out, ',');
		put_text(out, message->headers[i].value, message->headers[i].value_len);
	}
	if (array)
		buffer_append_char(out, ']');
}

static bool is_skipped(const struct ami_header *header, const char *const *skip)
{
	for (; *skip != NULL; skip++)
		if (ami_key_is(header, *skip))
			return true;
	return false;
}

/* Members with commas between them, none before the first when out ends with '{'. */
static void put_members(const struct ami_message *message, bool repeats, const char *const *skip,
			struct buffer *out)
{
	for (size_t i = 0; i < message->count; i++) {
		const struct ami_header *header = &message->headers[i];

		if (is_skipped(header, skip) || (repeats && is_repeat(message, i)))
			continue;
		if (out->data[out->len - 1] != '{')
			buffer_append_char(out, ',');
		put_key(out, header);
		if (repeats)
			put_values(message, i, out);
		else
			put_text(out, header->value, header->value_len);
	}
	buffer_append_char(out, '}');
}

bool ami_json_event(const struct ami_message *message, int64_t at_ms, uint64_t number,
		    struct buffer *out)
{
	static const char *const none[] = {NULL};
	bool repeats = has_repeat(message);

	buffer_append(out, "{\"t\":", 5);
	buffer_append_int(out, at_ms);
	buffer_append(out, ",\"n\":", 5);
	buffer_append_int(out, (long long)number);
	if (repeats || !put_plain(message, out))
		put_members(message, repeats, none, out);
	return repeats;
}

void ami_json_headers(const struct ami_message *message, const char *const *skip,
		      struct buffer *out)
{
	buffer_append_char(out, '{');
	put_members(message, has_repeat(message), skip, out);
}
