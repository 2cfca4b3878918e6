#include "mongo.h"

#include "cache.h"
#include "log.h"
#include "loop.h"
#include "mem.h"
#include "offload.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROBE_MS      5000 /* while it is up */
#define PROBE_MIN_MS  100
#define PROBE_MAX_MS  1000
#define PREPARE_MS    900000 /* an index over millions of documents takes its time */
#define FAST_WAITING  4000
#define SLOW_WAITING  200
#define QUIET_WAITING 20

struct piece {
	struct mongo *mongo;
	mongo_work_fn *work;
	mongo_done_fn *done;
	void *job;
	bool is_away; /* it met no server */
	char error[256];
};

struct mongo {
	uv_loop_t *loop;
	const struct mongo_settings *set;
	struct mongo_hooks hooks;
	mongoc_client_pool_t *pool;
	struct offload *lanes[MONGO_LANES], *probes;
	struct timer *timer;
	unsigned attempt; /* of the probe, while it is away */
	bool is_up;
	bool is_probing;
	atomic_bool is_closed;
	atomic_bool is_one_process;
	unsigned holds; /* pieces under way, and the owner */
};

static void release(struct mongo *mongo)
{
	if (--mongo->holds > 0)
		return;
	mongoc_client_pool_destroy(mongo->pool);
	mongoc_cleanup();
	cache_free(&mongo->hooks.cache);
	free(mongo);
}

bool mongo_is_up(const struct mongo *mongo)
{
	return mongo->is_up;
}

static void set_state(struct mongo *mongo, bool up, const char *detail)
{
	mongo->is_up = up;
	if (!mongo->is_closed)
		mongo->hooks.on_state(up, detail, mongo->hooks.context);
}

static void probe_in(struct mongo *mongo, int64_t delay_ms)
{
	if (!mongo->is_closed)
		timer_again(mongo->timer, delay_ms);
}

static void went_away(struct mongo *mongo, const char *reason)
{
	if (mongo->is_up) {
		mongo->attempt = 0;
		set_state(mongo, false, reason);
		probe_in(mongo, PROBE_MIN_MS);
	}
}

/* ---- work ---- */

static struct db borrow(struct mongo *mongo)
{
	return (struct db){
		.client = mongoc_client_pool_pop(mongo->pool),
		.cache = mongo->hooks.cache,
		.name = mongo->set->database,
		.is_one_process = mongo->is_one_process,
		.max_time_ms = mongo->set->query_ms,
	};
}

static void on_thread(void *_piece)
{
	struct piece *piece = _piece;
	struct mongo *mongo = piece->mongo;
	struct db db;

	if (mongo->is_closed)
		return;
	db = borrow(mongo);
	piece->work(&db, piece->job);
	piece->is_away = db.is_away;
	memcpy(piece->error, db.error, sizeof(piece->error));
	mongoc_client_pool_push(mongo->pool, db.client);
}

static void on_worked(void *_piece, void *context)
{
	struct piece *piece = _piece;
	struct mongo *mongo = piece->mongo;

	(void)context;
	if (piece->is_away)
		went_away(mongo, piece->error);
	piece->done(piece->job);
	free(piece);
	release(mongo);
}

static int run(struct mongo *mongo, struct offload *lane, mongo_work_fn *work, mongo_done_fn *done,
	       void *job)
{
	struct piece *piece = mem_new(struct piece);

	*piece = (struct piece){.mongo = mongo, .work = work, .done = done, .job = job};
	if (offload_run(lane, on_thread, on_worked, piece, NULL) < 0) {
		free(piece);
		return -1;
	}
	mongo->holds++;
	return 0;
}

int mongo_run(struct mongo *mongo, enum mongo_lane lane, mongo_work_fn *work, mongo_done_fn *done,
	      void *job)
{
	return mongo->is_up ? run(mongo, mongo->lanes[lane], work, done, job) : -1;
}

/* ---- is it there? ---- */

/* The driver's default waits half a minute for a server that is away. */
static mongoc_uri_t *make_uri(const struct mongo_settings *set, int32_t answer_ms)
{
	mongoc_uri_t *uri = mongoc_uri_new(set->uri);
	int32_t timeout_ms = (int32_t)set->timeout_ms;

	if (uri == NULL)
		return NULL;
	mongoc_uri_set_option_as_int32(uri, MONGOC_URI_SERVERSELECTIONTIMEOUTMS, timeout_ms);
	mongoc_uri_set_option_as_int32(uri, MONGOC_URI_CONNECTTIMEOUTMS, timeout_ms);
	mongoc_uri_set_option_as_int32(uri, MONGOC_URI_SOCKETTIMEOUTMS, answer_ms);
	mongoc_uri_set_option_as_bool(uri, MONGOC_URI_RETRYWRITES, false);
	mongoc_uri_set_appname(uri, "crm-data-svc");
	return uri;
}

/* On a client of its own, which waits longer. */
static enum db_result prepare(const struct mongo *mongo, struct db *db)
{
	mongoc_uri_t *uri = make_uri(mongo->set, PREPARE_MS);
	mongoc_client_t *borrowed = db->client;
	enum db_result result;

	db->client = mongoc_client_new_from_uri(uri);
	mongoc_client_set_error_api(db->client, MONGOC_ERROR_API_VERSION_2);
	result = mongo->hooks.prepare(db);
	mongoc_client_destroy(db->client);
	mongoc_uri_destroy(uri);
	db->client = borrowed;
	return result;
}

struct probe {
	struct mongo *mongo;
	bool was_up;
	bool is_one_process;
	enum db_result result;
	char error[256];
};

/* FerretDB names itself in its build info. */
static enum db_result ask_kind(struct db *db, struct probe *probe)
{
	cJSON *command = cJSON_CreateObject(), *reply = NULL;
	enum db_result result;

	cJSON_AddNumberToObject(command, probe->was_up ? "ping" : "buildInfo", 1);
	result = db_command(db, command, &reply);
	if (!probe->was_up)
		probe->is_one_process = cJSON_GetObjectItem(reply, "ferretdb") != NULL ||
					cJSON_GetObjectItem(reply, "ferretdbVersion") != NULL;
	cJSON_Delete(reply);
	cJSON_Delete(command);
	return result;
}

static void probe_on_thread(struct db *db, void *_probe)
{
	struct probe *probe = _probe;

	probe->result = ask_kind(db, probe);
	if (probe->result == DB_OK && !probe->was_up)
		probe->result = prepare(probe->mongo, db);
	snprintf(probe->error, sizeof(probe->error), "%s", db->error);
	db->is_away = false; /* what the probe finds is told below */
}

static void on_probed(void *_probe)
{
	struct probe *probe = _probe;
	struct mongo *mongo = probe->mongo;
	bool up = probe->result == DB_OK;

	mongo->is_probing = false;
	if (up && !probe->was_up)
		mongo->is_one_process = probe->is_one_process;
	if (up != mongo->is_up || !up)
		set_state(mongo, up, up ? NULL : probe->error);
	if (up) {
		mongo->attempt = 0;
		probe_in(mongo, PROBE_MS);
	} else {
		probe_in(mongo, backoff_ms(mongo->attempt++, PROBE_MIN_MS, PROBE_MAX_MS));
	}
	free(probe);
}

static void on_timer(void *_mongo)
{
	struct mongo *mongo = _mongo;
	struct probe *probe;

	if (mongo->is_probing)
		return;
	probe = mem_new(struct probe);
	probe->mongo = mongo;
	probe->was_up = mongo->is_up;
	probe->result = DB_AWAY;
	mongo->is_probing = run(mongo, mongo->probes, probe_on_thread, on_probed, probe) == 0;
	if (!mongo->is_probing)
		free(probe);
}

/* ---- life ---- */

static void on_driver_log(mongoc_log_level_t level, const char *domain, const char *message,
			  void *context)
{
	(void)domain;
	(void)context;
	if (level <= MONGOC_LOG_LEVEL_WARNING)
		log_warn("MongoDB driver", log_str("message", message));
}

static void open_lanes(struct mongo *mongo)
{
	size_t pool = (size_t)mongo->set->pool;

	mongo->lanes[MONGO_FAST] = offload_new(mongo->loop, pool - 4, FAST_WAITING);
	mongo->lanes[MONGO_SLOW] = offload_new(mongo->loop, 1, SLOW_WAITING);
	mongo->lanes[MONGO_JOBS] = offload_new(mongo->loop, 1, QUIET_WAITING);
	mongo->lanes[MONGO_CALLS] = offload_new(mongo->loop, 1, QUIET_WAITING);
	mongo->lanes[MONGO_AUDIT] = offload_new(mongo->loop, 1, QUIET_WAITING);
	mongo->probes = offload_new(mongo->loop, 1, 0);
}

struct mongo *mongo_open(uv_loop_t *loop, const struct mongo_settings *set,
			 const struct mongo_hooks *hooks, const char **error_r)
{
	struct mongo *mongo;
	mongoc_uri_t *uri;
	char threads[24];

	mongoc_init();
	mongoc_log_set_handler(on_driver_log, NULL);
	uri = make_uri(set, (int32_t)(set->timeout_ms + set->query_ms));
	if (uri == NULL) {
		*error_r = "MONGODB_URI is no MongoDB URI";
		mongoc_cleanup();
		return NULL;
	}
	/* Read by libuv when it makes its threads, at the first piece of work. */
	snprintf(threads, sizeof(threads), "%d", (int)set->pool + 1);
	setenv("UV_THREADPOOL_SIZE", threads, 1);
	mongo = mem_new(struct mongo);
	mongo->loop = loop;
	mongo->set = set;
	mongo->hooks = *hooks;
	mongo->holds = 1;
	mongo->pool = mongoc_client_pool_new(uri);
	mongoc_client_pool_set_error_api(mongo->pool, MONGOC_ERROR_API_VERSION_2);
	mongoc_client_pool_max_size(mongo->pool, (uint32_t)set->pool + 1);
	mongoc_uri_destroy(uri);
	open_lanes(mongo);
	mongo->timer = timer_start(loop, 0, 0, on_timer, mongo);
	return mongo;
}

void mongo_close(struct mongo **_mongo)
{
	struct mongo *mongo = *_mongo;

	*_mongo = NULL;
	if (mongo == NULL)
		return;
	mongo->is_closed = true;
	timer_stop(&mongo->timer);
	for (int lane = 0; lane < MONGO_LANES; lane++)
		offload_free(&mongo->lanes[lane]);
	offload_free(&mongo->probes);
	release(mongo);
}
