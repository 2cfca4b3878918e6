#include "ids.h"

#include "clock.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

void id_random(char *out)
{
	unsigned char bytes[16];

	randombytes_buf(bytes, sizeof(bytes));
	sodium_bin2base64(out, ID_RANDOM_LEN + 1, bytes, sizeof(bytes),
			  sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

void id_call(char *out)
{
	uint64_t now = (uint64_t)clock_wall_ms() % 10000000000000;

	snprintf(out, ID_CALL_LEN + 1, "%013" PRIu64 "-%08" PRIx32, now, randombytes_random());
}

static bool only(const char *text, const char *allowed, size_t max)
{
	size_t len = strspn(text, allowed);

	return len >= 1 && len <= max && text[len] == '\0';
}

bool id_is_safe(const char *id, size_t max)
{
	return only(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-", max);
}

bool id_is_number(const char *number)
{
	return only(number, "0123456789*#+", 32);
}
