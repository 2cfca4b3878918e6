#include "entry.h"

#include "utf8.h"

#include <stdlib.h>
#include <string.h>

/* A small hash of all names: power of two, at most a third full. */
#define SLOTS 512

static const struct {
	const char *name;
	uint8_t len;
} names[ENTRY_FIELDS] = {
#define FIELD(id, text) [id] = {text, sizeof(text) - 1},
#include "entry_fields.inc"
#undef FIELD
};

static uint8_t slots[SLOTS]; /* field + 1 */

static unsigned hash_of(const char *name, size_t len)
{
	unsigned hash = (unsigned)len * 131;

	for (size_t i = 0; i < len; i++)
		hash = hash * 33 + (unsigned char)name[i];
	return (hash ^ hash >> 8) % SLOTS;
}

static void fill_slots(void)
{
	for (unsigned field = 0; field < ENTRY_FIELDS; field++) {
		unsigned slot = hash_of(names[field].name, names[field].len);

		while (slots[slot] != 0)
			slot = (slot + 1) % SLOTS;
		slots[slot] = (uint8_t)(field + 1);
	}
}

static int field_of(const char *name, size_t len)
{
	unsigned slot = hash_of(name, len);

	for (; slots[slot] != 0; slot = (slot + 1) % SLOTS) {
		unsigned field = slots[slot] - 1U;

		if (names[field].len == len && memcmp(names[field].name, name, len) == 0)
			return (int)field;
	}
	return -1;
}

static void skip_space(struct entry *entry)
{
	while (entry->at < entry->end && (*entry->at == ' ' || *entry->at == '\t' ||
					  *entry->at == '\n' || *entry->at == '\r'))
		entry->at++;
}

static bool take(struct entry *entry, char byte)
{
	skip_space(entry);
	if (entry->at >= entry->end || *entry->at != byte)
		return false;
	entry->at++;
	return true;
}

/* At the byte after the opening quote; leaves at the one after the closing quote. */
static int scan_string(struct entry *entry, struct entry_value *value_r)
{
	const char *start = entry->at;
	bool escaped = false;

	for (; entry->at < entry->end; entry->at++) {
		if (*entry->at == '"') {
			*value_r = (struct entry_value){.text = start,
							.len = (uint32_t)(entry->at - start),
							.string = true,
							.escaped = escaped};
			entry->at++;
			return 0;
		}
		if (*entry->at == '\\') {
			escaped = true;
			if (++entry->at >= entry->end)
				return -1;
		}
	}
	return -1;
}

/* An object or array that is kept as text. */
static int scan_nested(struct entry *entry, struct entry_value *value_r)
{
	const char *start = entry->at;
	struct entry_value ignored;
	int depth = 0;

	while (entry->at < entry->end) {
		char byte = *entry->at++;

		if (byte == '"') {
			if (scan_string(entry, &ignored) < 0)
				return -1;
		} else if (byte == '{' || byte == '[') {
			depth++;
		} else if ((byte == '}' || byte == ']') && --depth == 0) {
			*value_r = (struct entry_value){.text = start,
							.len = (uint32_t)(entry->at - start)};
			return 0;
		}
	}
	return -1;
}

static int scan_scalar(struct entry *entry, struct entry_value *value_r)
{
	const char *start = entry->at;

	while (entry->at < entry->end && strchr(",]} \t\r\n", *entry->at) == NULL)
		entry->at++;
	*value_r = (struct entry_value){.text = start, .len = (uint32_t)(entry->at - start)};
	return value_r->len > 0 ? 0 : -1;
}

static int scan_single(struct entry *entry, struct entry_value *value_r)
{
	skip_space(entry);
	if (entry->at >= entry->end)
		return -1;
	if (*entry->at == '"') {
		entry->at++;
		return scan_string(entry, value_r);
	}
	if (*entry->at == '{' || *entry->at == '[')
		return scan_nested(entry, value_r);
	return scan_scalar(entry, value_r);
}

/* A repeated header is an array of strings: its last element counts. */
static int scan_value(struct entry *entry, struct entry_value *value_r)
{
	skip_space(entry);
	if (entry->at >= entry->end || *entry->at != '[')
		return scan_single(entry, value_r);
	entry->at++;
	*value_r = (struct entry_value){.text = "", .string = true};
	if (!take(entry, ']')) {
		do {
			if (scan_single(entry, value_r) < 0)
				return -1;
		} while (take(entry, ','));
		if (!take(entry, ']'))
			return -1;
	}
	value_r->repeated = true;
	return 0;
}

/* One "name": value. Returns 0 or -1. */
static int scan_member(struct entry *entry)
{
	struct entry_value name, value;
	int field;

	if (!take(entry, '"') || scan_string(entry, &name) < 0 || !take(entry, ':') ||
	    scan_value(entry, &value) < 0)
		return -1;
	value.order = entry->members;
	if (entry->members < 255)
		entry->members++;
	if (name.len == 1 && name.text[0] == 't')
		entry->t = strtoll(value.text, NULL, 10);
	else if (name.len == 5 && memcmp(name.text, "Event", 5) == 0)
		entry->event = value;
	else if ((field = field_of(name.text, name.len)) >= 0)
		entry->values[field] = value;
	return 0;
}

int entry_begin(struct entry *entry, const char *data, size_t len)
{
	static bool ready;

	if (!ready)
		fill_slots();
	ready = true;
	entry->at = data;
	entry->end = data + len;
	entry->event = (struct entry_value){0};
	entry->t = 0;
	entry->members = 0;
	entry->arena_used = 0;
	memset(entry->values, 0, sizeof(entry->values));
	if (!take(entry, '{'))
		return -1;
	do {
		if (scan_member(entry) < 0)
			return -1;
	} while (entry->event.text == NULL && take(entry, ','));
	return entry->event.text != NULL && entry->event.string ? 0 : -1;
}

int entry_finish(struct entry *entry)
{
	while (take(entry, ','))
		if (scan_member(entry) < 0)
			return -1;
	return take(entry, '}') ? 0 : -1;
}

bool entry_has(const struct entry *entry, enum entry_field field)
{
	return entry->values[field].text != NULL;
}

static int hex_digit(char byte)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	byte |= 0x20;
	return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

/* \uXXXX at *text: control bytes and what is past ASCII; the gateway writes UTF-8 as it is, so only
   control bytes come this way. Of an escape that is cut or none only the \u is skipped: a character
   may begin behind it. */
static char unescape_hex(const char **text, const char *end)
{
	const char *at = *text + 2;
	int code = 0;

	*text = at;
	if (end - at < 4)
		return '?';
	for (int i = 0; i < 4; i++) {
		int digit = hex_digit(at[i]);

		if (digit < 0)
			return '?';
		code = code << 4 | digit;
	}
	*text = at + 4;
	return code > 0 && code < 0x80 ? (char)code : '?';
}

static size_t unescape(char *out, const char *text, size_t len)
{
	const char *end = text + len;
	size_t used = 0;

	while (text < end) {
		if (*text != '\\' || text + 1 >= end) {
			out[used++] = *text++;
			continue;
		}
		switch (text[1]) {
		case 'u':
			out[used++] = unescape_hex(&text, end);
			continue;
		case 'n':
			out[used++] = '\n';
			break;
		case 'r':
			out[used++] = '\r';
			break;
		case 't':
			out[used++] = '\t';
			break;
		default:
			out[used++] = text[1];
		}
		text += 2;
	}
	return used;
}

/* Cuts at most a started UTF-8 sequence off the end. */
static size_t whole_characters(const char *text, size_t len)
{
	size_t back = 0;

	while (back < 3 && back < len && ((unsigned char)text[len - 1 - back] & 0xC0) == 0x80)
		back++;
	if (back < len && (unsigned char)text[len - 1 - back] >= 0xC0 &&
	    utf8_sequence(text + len - 1 - back, back + 1) == 0)
		return len - 1 - back;
	return len;
}

const char *entry_text(struct entry *entry, enum entry_field field)
{
	const struct entry_value *value = &entry->values[field];
	char *out = entry->arena + entry->arena_used;
	size_t len = value->len;

	if (value->text == NULL || len == 0)
		return NULL;
	if (len >= ENTRY_TEXT_MAX)
		len = whole_characters(value->text, ENTRY_TEXT_MAX - 1);
	if (entry->arena_used + len + 1 > sizeof(entry->arena))
		return NULL;
	if (value->escaped)
		len = unescape(out, value->text, len);
	else
		memcpy(out, value->text, len);
	out[len] = '\0';
	if (out[0] == '\0' || strcmp(out, "<unknown>") == 0)
		return NULL;
	entry->arena_used += len + 1;
	return out;
}

int64_t entry_int(struct entry *entry, enum entry_field field, int64_t fallback)
{
	const char *text = entry_text(entry, field);
	char *end;
	int64_t number;

	if (text == NULL)
		return fallback;
	number = strtoll(text, &end, 10);
	return end != text && *end == '\0' ? number : fallback;
}
