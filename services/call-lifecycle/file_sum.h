/* Size and SHA-256 of a file. Blocks: for a thread of the pool. */
#ifndef LIFECYCLE_FILE_SUM_H
#define LIFECYCLE_FILE_SUM_H

#include <stdint.h>

#define FILE_SUM_LEN 64 /* hex digits */

/* Returns 0 or an errno. sum_r holds FILE_SUM_LEN + 1. */
int file_sum(const char *path, char *sum_r, int64_t *bytes_r);

#endif
