#include "lockout.h"

#define WAIT_MIN_MS 1000
#define WAIT_MAX_MS 300000

int64_t lockout_wait_ms(int64_t failures, int64_t failures_free, int64_t since_ms)
{
	int64_t wait_ms = WAIT_MIN_MS;

	if (failures < failures_free)
		return 0;
	for (int64_t i = failures_free; i < failures && wait_ms < WAIT_MAX_MS; i++)
		wait_ms *= 2;
	if (wait_ms > WAIT_MAX_MS)
		wait_ms = WAIT_MAX_MS;
	return since_ms < wait_ms ? wait_ms - since_ms : 0;
}
