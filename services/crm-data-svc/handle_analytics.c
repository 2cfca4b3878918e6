/* What the interactions add up to. Only operators that MongoDB and FerretDB v1 both have: $match,
   and $group with one $sum. */
#include "analytics.h"
#include "json.h"
#include "routes.h"
#include "task.h"

#include <string.h>

static void analytics(struct db *db, struct task *task)
{
	const struct analytics_query query = {
		.by = http_query(task->request, "by"),
		.since = http_query(task->request, "since"),
		.until = http_query(task->request, "until"),
		.agent = http_query(task->request, "agent"),
		.kind = http_query(task->request, "kind"),
		.offset_minutes = http_query(task->request, "offsetMinutes"),
		.scope = &task->scope,
	};
	cJSON *reply = NULL;
	enum db_result result;

	if (!analytics_is_good(&query)) {
		task_refuse(task, 400, "bad_request",
			    "by must be one of agent kind direction outcome disposition reason "
			    "client hour day week month; times are Unix ms");
		return;
	}
	result = analytics_run(db, &query, &reply);
	if (result == DB_OK)
		task_reply(task, 200, reply);
	else
		task_refuse_db(task, result);
}

void handle_analytics(struct http_request *request, void *service)
{
	task_start(request, service, MONGO_SLOW, analytics);
}
