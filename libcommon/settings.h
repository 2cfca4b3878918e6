/* Settings from the environment, checked against tables. Every value may come from NAME, from the
   file that NAME_FILE names (its first line; for secrets), or from the table's default. All faults
   are collected before anything is said. */
#ifndef COMMON_SETTINGS_H
#define COMMON_SETTINGS_H

#include "buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum setting_kind {
	SETTING_TEXT,   /* char *; min and max bound its length */
	SETTING_NUMBER, /* int64_t within min..max */
	SETTING_FLAG,   /* bool: yes no true false on off 1 0 */
	SETTING_LISTEN, /* char *, address:port */
	SETTING_CHOICE, /* char *, one of the words in choices */
};

struct setting {
	const char *name; /* environment variable */
	enum setting_kind kind;
	size_t offset; /* into the group's struct */
	int64_t min, max;
	const char *fallback; /* NULL: must be set; "" : may be empty */
	const char *choices;  /* SETTING_CHOICE: words parted by one space */
	bool secret;          /* never printed */
	const char *meaning;  /* one line for --help and the manual */
};

/* A table and the struct that it fills; a daemon has several. */
struct settings_group {
	const struct setting *table; /* ended by a name of NULL */
	void *values;
};

/* Fills every group (ended by a table of NULL). Returns 0; or -1 with each fault on a line of its
   own in faults_r. Text values are owned by the struct until settings_free(). */
int settings_load(const struct settings_group *groups, struct buffer *faults_r)
	__attribute__((warn_unused_result));
/* Every address:port becomes one that is free, whatever was set: for a run beside another one. */
void settings_any_port(const struct settings_group *groups);
void settings_free(const struct settings_group *groups);
/* The tables as text, for --help: name, default, bounds, meaning. */
void settings_describe(const struct settings_group *groups, struct buffer *out);
/* One value that no table knows (names made at run time, such as AMI_SECRET_EAST), NAME_FILE
   included. Returns an owned string, or NULL when neither is set or the file cannot be read. */
char *settings_lookup(const char *name);

#define SETTING_STRUCT_OFFSET(type, field) offsetof(type, field)

#endif
