#include "availability.h"

#include <stddef.h>
#include <string.h>

static const char *const names[] = {
	[AVAILABILITY_AVAILABLE] = "available", [AVAILABILITY_BREAK] = "break",
	[AVAILABILITY_LUNCH] = "lunch",         [AVAILABILITY_DND] = "dnd",
	[AVAILABILITY_WRAP_UP] = "wrap-up",     [AVAILABILITY_OFFLINE] = "offline",
};

const char *availability_name(enum availability availability)
{
	return names[availability];
}

bool availability_parse(const char *name, enum availability *availability_r)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i], name) == 0) {
			*availability_r = (enum availability)i;
			return true;
		}
	}
	return false;
}
