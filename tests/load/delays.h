/* How long things took, by the million: 32 steps for each doubling, so 3 % wide. */
#ifndef LOAD_DELAYS_H
#define LOAD_DELAYS_H

#include <stdint.h>

#define DELAY_STEPS   32
#define DELAY_BUCKETS (DELAY_STEPS * 40)

struct delays {
	uint64_t buckets[DELAY_BUCKETS], count, max_us;
};

static inline unsigned delays_bucket(uint64_t us)
{
	if (us < DELAY_STEPS)
		return (unsigned)us;
	unsigned doubling = 63 - (unsigned)__builtin_clzll(us) - 5;
	unsigned bucket = doubling * DELAY_STEPS + (unsigned)(us >> doubling);
	return bucket < DELAY_BUCKETS ? bucket : DELAY_BUCKETS - 1;
}

static inline uint64_t delays_value(unsigned bucket)
{
	if (bucket < 2 * DELAY_STEPS)
		return bucket;
	unsigned doubling = bucket / DELAY_STEPS - 1;
	return (uint64_t)(bucket - doubling * DELAY_STEPS) << doubling;
}

static inline void delays_add(struct delays *delays, int64_t us)
{
	uint64_t delay = us > 0 ? (uint64_t)us : 0;

	delays->buckets[delays_bucket(delay)]++;
	delays->count++;
	if (delay > delays->max_us)
		delays->max_us = delay;
}

static inline uint64_t delays_percentile(const struct delays *delays, double share)
{
	uint64_t wanted = (uint64_t)((double)delays->count * share), seen = 0;

	for (unsigned bucket = 0; bucket < DELAY_BUCKETS; bucket++) {
		seen += delays->buckets[bucket];
		if (seen > wanted)
			return delays_value(bucket);
	}
	return delays->max_us;
}

#endif
