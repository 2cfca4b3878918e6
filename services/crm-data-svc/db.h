/* What a piece of work may do with MongoDB: on a thread of the pool, blocking, each step with a
   deadline. Only for functions that mongo.h runs.

   A result that is not DB_OK leaves the reason in db->error. */
#ifndef CRM_DATA_SVC_DB_H
#define CRM_DATA_SVC_DB_H

#include <cjson/cJSON.h>
#include <mongoc/mongoc.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum db_result {
	DB_OK,
	DB_NONE,      /* no such document */
	DB_DUPLICATE, /* an unique key is there already */
	DB_CONFLICT,  /* somebody else changed it first */
	DB_SLOW,      /* it took longer than allowed */
	DB_AWAY,      /* no answer: whether it was done is not known */
	DB_FAILED,
};

struct cache;

struct db {
	mongoc_client_t *client;
	struct cache *cache; /* in front of clients: see cache.h */
	const char *name;    /* of the database */
	bool is_one_process; /* the server has no atomic updates: FerretDB v1 (README) */
	int64_t max_time_ms; /* of one query */
	bool is_away;        /* a step answered DB_AWAY */
	char error[256];
};

#define DB_MUST __attribute__((warn_unused_result))

/* Trees that are handed out belong to the caller; those handed in stay the caller's. */

DB_MUST enum db_result db_get(struct db *db, const char *collection, const char *id, cJSON **doc_r);

struct db_page {
	const cJSON *sort; /* {"field": 1 or -1, ...}; NULL: any order */
	size_t limit;      /* 0: all */
};

/* *list_r is an array. */
DB_MUST enum db_result db_find(struct db *db, const char *collection, const cJSON *filter,
			       const struct db_page *page, cJSON **list_r);
DB_MUST enum db_result db_insert(struct db *db, const char *collection, const cJSON *doc);
/* Documents whose _id is there already are left as they are. */
DB_MUST enum db_result db_insert_new(struct db *db, const char *collection, const cJSON *list);
/* The document with this _id, whole; made when it is not there. */
DB_MUST enum db_result db_put(struct db *db, const char *collection, const cJSON *doc);
/* The same for one that is there in this version ("v") only: else DB_CONFLICT. */
DB_MUST enum db_result db_replace(struct db *db, const char *collection, const cJSON *doc,
				  int64_t version);
/* update holds operators. count_r may be NULL. */
DB_MUST enum db_result db_update_many(struct db *db, const char *collection, const cJSON *filter,
				      const cJSON *update, int64_t *count_r);
DB_MUST enum db_result db_upsert(struct db *db, const char *collection, const char *id,
				 const cJSON *update);
DB_MUST enum db_result db_delete_many(struct db *db, const char *collection, const cJSON *filter,
				      int64_t *count_r);
DB_MUST enum db_result db_aggregate(struct db *db, const char *collection, const cJSON *pipeline,
				    cJSON **rows_r);
DB_MUST enum db_result db_command(struct db *db, const cJSON *command, cJSON **reply_r);

/* In this process nobody else works on this merge, record or number between the two. A thread holds
   at most one of each, in this order. */
enum db_lock {
	DB_LOCK_MERGE,
	DB_LOCK_RECORD,
	DB_LOCK_NUMBER,
	DB_LOCKS
};

void db_lock(enum db_lock lock, const char *id);
void db_unlock(enum db_lock lock, const char *id);

#endif
