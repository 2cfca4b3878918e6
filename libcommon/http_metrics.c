/* Counts per route and class of status, and the access log. Labels are patterns of routes, never
   paths as they were sent, so that their number is bounded. */
#include "http_internal.h"

#include "clock.h"
#include "log.h"
#include "mem.h"

#include <stdlib.h>

#define METRIC(kind, name, help) METRIC_DEF(kind, struct http_server_metrics, name, help)
static const struct metric_def server_defs[] = {
#include "http_metrics.inc"
	METRIC_END};
#undef METRIC

static const struct metric_def class_defs[] = {
	METRIC_DEF(COUNTER, struct http_class, http_requests_total,
		   "Requests answered, by route and class of status") METRIC_END};

static const struct metric_def time_defs[] = {
	METRIC_DEF(HISTOGRAM, struct http_route_time, http_request_seconds,
		   "From the request line to the reply") METRIC_END};

static void add_route(struct metrics *registry, struct http_route_metrics *metrics,
		      const char *method, const char *path)
{
	struct buffer labels = {0};

	for (int class = 0; class < HTTP_CLASSES; class ++) {
		buffer_clear(&labels);
		buffer_printf(&labels, "method=\"%s\",route=\"%s\",status=\"%dxx\"", method, path,
			      class + 2);
		metrics_add(registry, class_defs, labels.data, &metrics->classes[class]);
	}
	buffer_clear(&labels);
	buffer_printf(&labels, "method=\"%s\",route=\"%s\"", method, path);
	metrics_add(registry, time_defs, labels.data, &metrics->time);
	buffer_free(&labels);
}

static void remove_route(struct metrics *registry, const struct http_route_metrics *metrics)
{
	for (int class = 0; class < HTTP_CLASSES; class ++)
		metrics_remove(registry, &metrics->classes[class]);
	metrics_remove(registry, &metrics->time);
}

void http_metrics_add_server(struct http_server *server)
{
	metrics_add(server->registry, server_defs, "", &server->values);
	add_route(server->registry, &server->unmatched, "", "");
}

void http_metrics_add_table(struct http_server *server, struct http_table *table)
{
	size_t count = 0;

	while (table->routes[count].method != NULL)
		count++;
	table->metrics = mem_array(struct http_route_metrics, count + 1);
	for (size_t i = 0; i < count; i++)
		add_route(server->registry, &table->metrics[i], table->routes[i].method,
			  table->routes[i].path);
}

void http_metrics_remove(struct http_server *server)
{
	metrics_remove(server->registry, &server->values);
	remove_route(server->registry, &server->unmatched);
	for (struct http_table *table = server->tables; table != NULL; table = table->next)
		for (size_t i = 0; table->routes[i].method != NULL; i++)
			remove_route(server->registry, &table->metrics[i]);
}

static void count(const struct http_request *request, int64_t us)
{
	struct http_route_metrics *metrics =
		request->metrics != NULL ? request->metrics : &request->server->unmatched;
	unsigned class = request->status / 100;

	if (class >= 2 && class - 2 < HTTP_CLASSES)
		metrics->classes[class - 2].http_requests_total++;
	metric_observe_us(&metrics->time.http_request_seconds, us);
}

void http_metrics_answered(const struct http_request *request)
{
	int64_t us = clock_mono_us() - request->started_us;

	count(request, us);
	log_at_(request->status >= 500 ? LOG_INFO : LOG_DEBUG, "request",
		log_str("method", request->method), log_str("route", http_route_path(request)),
		log_int("status", request->status), log_int("ms", us / 1000),
		log_str("request_id", request->id));
}
