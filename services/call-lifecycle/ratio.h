/* Shares and means as JSON: four digits behind the point, null where nothing is divided. */
#ifndef LIFECYCLE_RATIO_H
#define LIFECYCLE_RATIO_H

#include "json.h"

void ratio_write(struct json_writer *writer, const char *key, int64_t part, int64_t whole);
/* A whole number: rounded down. */
void mean_write(struct json_writer *writer, const char *key, int64_t sum, int64_t count);

#endif
