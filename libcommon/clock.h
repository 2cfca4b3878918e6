/* The only source of time. Tests set it; then it stands until it is set again. */
#ifndef COMMON_CLOCK_H
#define COMMON_CLOCK_H

#include <stdint.h>

/* Unix time in ms. */
int64_t clock_wall_ms(void);
/* Time since some fixed point, never stepped: for deadlines and spans. */
int64_t clock_mono_ms(void);
int64_t clock_mono_us(void);
/* Both clocks stand at ms from now on; a negative ms lets them run again. */
void clock_set(int64_t ms);

#endif
