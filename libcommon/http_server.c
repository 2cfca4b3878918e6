#include "http_internal.h"

#include "mem.h"

#include <stdlib.h>
#include <string.h>

struct http_server *http_server_open(uv_loop_t *loop, const struct http_server_settings *set,
				     struct metrics *metrics, const char **error_r)
{
	struct http_server *server = mem_new(struct http_server);

	server->loop = loop;
	server->settings = set->http;
	server->registry = metrics;
	id_random(server->id_prefix);
	server->id_prefix[12] = '\0'; /* short enough to read, 72 random bits */
	LIST_INIT(&server->connections);
	LIST_INIT(&server->requests);
	if (http_loop_start(server, error_r) < 0) {
		free(server);
		return NULL;
	}
	http_metrics_add_server(server);
	return server;
}

void http_server_set_authenticate(struct http_server *server, http_handler_fn *fn, void *context)
{
	server->authenticate = (struct http_step){fn, context};
}

void http_server_set_idempotency(struct http_server *server, http_handler_fn *fn, void *context)
{
	server->idempotency = (struct http_step){fn, context};
}

void http_server_add_routes(struct http_server *server, const struct http_route *routes,
			    void *context)
{
	struct http_table *table = mem_new(struct http_table);
	struct http_table **end = &server->tables;

	table->routes = routes;
	table->context = context;
	while (*end != NULL)
		end = &(*end)->next;
	*end = table;
	http_metrics_add_table(server, table);
}

static const char *access_name(const struct http_route *route)
{
	if ((route->flags & HTTP_PUBLIC) != 0)
		return "public";
	return route->permission != PERMISSION_NONE ? permission_name(route->permission)
						    : "session";
}

static void write_route(const struct http_route *route, struct buffer *out)
{
	static const struct {
		unsigned flag;
		const char *name;
	} flags[] = {{HTTP_AMI_SESSION, "ami_session"},
		     {HTTP_IDEMPOTENT, "idempotent"},
		     {HTTP_JSON_BODY, "json_body"}};
	const char *comma = "";

	buffer_printf(out, "%s\t%s\t%s\t", route->method, route->path, access_name(route));
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if ((route->flags & flags[i].flag) == 0)
			continue;
		buffer_printf(out, "%s%s", comma, flags[i].name);
		comma = ",";
	}
	buffer_append_char(out, '\n');
}

void http_server_routes(const struct http_server *server, struct buffer *out)
{
	for (const struct http_table *table = server->tables; table != NULL; table = table->next)
		for (const struct http_route *route = table->routes; route->method != NULL; route++)
			write_route(route, out);
}

struct search {
	struct http_request *request;
	uint32_t rank;
	struct buffer allow; /* methods of every pattern that fits the path */
};

static void consider(struct search *search, const struct http_table *table,
		     const struct http_route *route)
{
	struct http_request *request = search->request;
	uint32_t rank;

	if (!http_route_matches(route->path, &request->uri, &rank))
		return;
	if (!http_route_serves(route->method, request->method)) {
		http_route_allow(&search->allow, route->method);
		return;
	}
	if (request->route != NULL && rank <= search->rank)
		return;
	search->rank = rank;
	request->route = route;
	request->table = table;
	request->metrics = &table->metrics[route - table->routes];
}

static void refuse(struct http_request *request, struct buffer *allow)
{
	if (allow->len == 0) {
		http_reply_error(request, 404, "not_found", "There is nothing at this path");
		return;
	}
	http_route_allow(allow, "OPTIONS");
	http_reply_header(request, "Allow", allow->data);
	if (strcmp(request->method, "OPTIONS") == 0)
		http_reply_json(request, 204, NULL);
	else
		http_reply_error(request, 405, "method_not_allowed",
				 "This path does not serve the method");
}

bool http_server_find(struct http_server *server, struct http_request *request)
{
	struct search search = {.request = request};

	for (const struct http_table *table = server->tables; table != NULL; table = table->next)
		for (const struct http_route *route = table->routes; route->method != NULL; route++)
			consider(&search, table, route);
	if (request->route != NULL)
		request->param_count =
			http_route_params(request->route->path, &request->uri, request->params);
	else
		refuse(request, &search.allow);
	buffer_free(&search.allow);
	return request->route != NULL;
}

void http_server_drain(struct http_server *server)
{
	server->draining = true;
	http_loop_stop_listening(server);
}

bool http_server_idle(const struct http_server *server)
{
	return LIST_EMPTY(&server->requests);
}

/* What handlers still hold outlives the server. */
static void leave_requests(struct http_server *server)
{
	while (!LIST_EMPTY(&server->requests)) {
		struct http_request *request = LIST_FIRST(&server->requests);

		LIST_REMOVE(request, entry);
		request->server = NULL;
	}
}

void http_server_close(struct http_server **_server)
{
	struct http_server *server = *_server;
	struct http_table *table;

	*_server = NULL;
	if (server == NULL)
		return;
	http_metrics_remove(server);
	http_loop_stop(server);
	leave_requests(server);
	while ((table = server->tables) != NULL) {
		server->tables = table->next;
		free(table->metrics);
		free(table);
	}
}
