#include "utf8.h"

static bool tail(const unsigned char *byte, unsigned char low, unsigned char high)
{
	return *byte >= low && *byte <= high;
}

/* The table of RFC 3629, section 4. */
size_t utf8_sequence(const char *text, size_t len)
{
	const unsigned char *byte = (const unsigned char *)text;
	unsigned char low = 0x80;
	unsigned char high = 0xBF;
	size_t need;

	if (len == 0)
		return 0;
	if (byte[0] < 0x80)
		return 1;
	if (byte[0] < 0xC2 || byte[0] > 0xF4)
		return 0;
	need = byte[0] < 0xE0 ? 2 : byte[0] < 0xF0 ? 3 : 4;
	if (len < need)
		return 0;
	if (byte[0] == 0xE0)
		low = 0xA0;
	else if (byte[0] == 0xED)
		high = 0x9F;
	else if (byte[0] == 0xF0)
		low = 0x90;
	else if (byte[0] == 0xF4)
		high = 0x8F;
	if (!tail(byte + 1, low, high))
		return 0;
	for (size_t i = 2; i < need; i++)
		if (!tail(byte + i, 0x80, 0xBF))
			return 0;
	return need;
}

bool utf8_valid(const char *text, size_t len)
{
	size_t step;

	for (size_t at = 0; at < len; at += step) {
		step = utf8_sequence(text + at, len - at);
		if (step == 0)
			return false;
	}
	return true;
}
