/* The kinds of record, each with its collection, its fields and who may touch it. */
#ifndef CRM_DATA_SVC_KINDS_H
#define CRM_DATA_SVC_KINDS_H

#include "fields.h"

#include "permissions.h"

enum kind_id {
	KIND_CLIENT,
	KIND_CONTACT,
	KIND_INTERACTION,
	KIND_NOTE,
	KIND_POST,
	KIND_CALLBACK,
	KIND_MESSAGE,
	KIND_DISPOSITION,
	KIND_CUSTOM_FIELD,
	KIND_COUNT
};

enum kind_flags {
	KIND_SCOPED = 1,   /* has a team and an owner: not everybody sees every one */
	KIND_NAMED = 2,    /* its id is a word of its own: the field id_field */
	KIND_PORTABLE = 4, /* imports and exports have it */
};

struct kind {
	enum kind_id id;
	const char *name;       /* "client": in events, history and audit */
	const char *collection; /* "clients": also the part of its path behind /api/crm/ */
	const struct field *fields;
	unsigned flags;
	const char *id_field;   /* KIND_NAMED */
	const char *sort;       /* of lists, unless told otherwise; '-' first: descending */
	enum permission manage; /* to change it; reading and routes have their own */
};

extern const struct kind kinds[KIND_COUNT];

/* By collection; NULL when there is none. */
const struct kind *kind_find(const char *collection, size_t len);

#endif
