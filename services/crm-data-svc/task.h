/* A request from its arrival to its reply: the loop takes it apart, a thread of the pool works on
   it, the loop answers, publishes what came of it, and remembers who read which client.

   The thread reads of the request only what stays as it is until the reply: path, query, body. */
#ifndef CRM_DATA_SVC_TASK_H
#define CRM_DATA_SVC_TASK_H

#include "mongo.h"
#include "record.h"
#include "scope.h"
#include "service.h"
#include "store.h"

#include "http_server.h"

#define MATCH_NONE (-1)
#define MATCH_ANY  0

struct task {
	struct service *service;
	struct http_request *request;
	const struct kind *kind; /* of the path; NULL when it names none */
	struct scope scope;
	struct actor actor;
	int64_t match; /* the version of If-Match */
	struct http_page page;
	void (*work)(struct db *db, struct task *task);
	void (*settle)(struct task *task); /* on the loop, before the reply; may be NULL */
	void (*send)(struct task *task);   /* instead of reply, when that is 200; may be NULL */
	cJSON *draft;                      /* of one handler; owned */
	const char *id;                    /* of a new record; NULL: one is made up */
	bool is_trial;                     /* everything is checked, nothing is written */

	/* Set by the thread. */
	unsigned status;
	cJSON *reply;      /* owned */
	struct buffer raw; /* instead of reply, with its type */
	const char *type;
	int64_t etag;
	char *location;   /* owned */
	cJSON *events;    /* owned: a list of crm_event_new() */
	cJSON *seen;      /* owned: ids of clients that were read or changed */
	cJSON *reminders; /* owned: see store_commit() */
};

typedef void task_work_fn(struct db *db, struct task *task);

/* Answers at once where that is possible: MongoDB away, a bad If-Match or page. */
void task_start(struct http_request *request, struct service *service, enum mongo_lane lane,
		task_work_fn *work);
/* The same in two steps, for handlers that have more to say: NULL when it was answered. */
struct task *task_new(struct http_request *request, struct service *service);
void task_run(struct task *task, enum mongo_lane lane, task_work_fn *work);
/* One without a request, for a piece of work that does on a thread what a request would. */
struct task *task_alone(struct service *service, const struct kind *kind,
			const struct principal *who);
void task_free(struct task *task);

/* The client with this id (NULL: none), when the caller may see it; live: only one that was not
   deleted. The caller owns it. NULL: that was the answer. */
cJSON *task_client(struct db *db, struct task *task, bool live, const char *id);

/* Each of these is the answer; the last one counts. */
void task_reply(struct task *task, unsigned status, cJSON *reply);
void task_refuse(struct task *task, unsigned status, const char *code, const char *message);
void task_refuse_field(struct task *task, const struct fault *fault);
/* 400, before there is a task. */
void task_reply_fault(struct http_request *request, const struct fault *fault);
void task_refuse_db(struct task *task, enum db_result result);
/* A record as people get it, with its ETag. Takes over doc. */
void task_reply_record(struct task *task, unsigned status, cJSON *doc);

/* What is about to be done has several steps: whatever becomes of us, somebody looks in some
   seconds whether all were. On the loop, before the work. */
void task_look_later(struct service *service, enum store_schedule schedule, const char *id);

void task_saw(struct task *task, const char *client_id);
void task_event(struct task *task, cJSON *event);

#endif
