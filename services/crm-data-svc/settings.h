#ifndef CRM_DATA_SVC_SETTINGS_H
#define CRM_DATA_SVC_SETTINGS_H

#include "jwt_settings.h"
#include "redis_settings.h"

struct mongo_settings {
	char *uri;          /* MONGODB_URI; may hold a password */
	char *database;     /* MONGODB_DATABASE */
	int64_t pool;       /* clients, and threads that use them */
	int64_t timeout_ms; /* to find a server and to connect */
	int64_t query_ms;   /* of one query */
};

struct crm_settings {
	char *country;         /* calling code of numbers without one, "49" */
	char *trunk_prefix;    /* before a national number, "0" */
	char *intl_prefix;     /* before a number with its country, "00" */
	int64_t repeat_days;   /* a client who comes again within them is a repeat caller */
	int64_t list_rate;     /* records that an agent may list in a minute */
	int64_t cache_s;       /* 0: clients are read from MongoDB alone */
	int64_t jobs_keep_h;   /* results of exports, errors of imports */
	int64_t lease_ttl_ms;  /* of whoever follows the calls */
	char *whatsapp_url;    /* "" : nothing can be sent */
	char *whatsapp_number; /* id of our number at the provider */
	char *whatsapp_token;
	char *whatsapp_secret; /* of the app: signs webhooks */
	char *whatsapp_verify; /* the word that a subscription must know */
	int64_t whatsapp_tries;
};

/* Filled by the skeleton before anything else runs. */
struct settings {
	struct crm_settings crm;
	struct mongo_settings mongo;
	struct jwt_settings jwt;
	struct redis_settings redis;
};

extern struct settings settings;
extern const struct settings_group settings_groups[];

void settings_check(struct buffer *faults);

#endif
