/* The lifetime of a request, and what a handler may ask it. */
#include "http_internal.h"

#include "clock.h"
#include "mem.h"

#include <stdlib.h>
#include <string.h>

struct http_request *http_request_new(struct http_connection *connection,
				      struct MHD_Connection *mhd, const char *target)
{
	struct http_request *request = mem_new(struct http_request);
	struct http_server *server = connection->server;

	request->server = server;
	request->connection = connection;
	request->mhd = mhd;
	request->target = mem_strdup(target);
	request->started_us = clock_mono_us();
	connection->request = request;
	LIST_INSERT_HEAD(&server->requests, request, entry);
	server->values.http_requests_under_way++;
	return request;
}

void http_request_drop_body(struct http_request *request)
{
	if (request->server != NULL)
		request->server->body_bytes -= request->body.len;
	buffer_free(&request->body);
}

void http_request_release(struct http_request *request)
{
	if (request->held || request->connection != NULL)
		return;
	http_request_drop_body(request);
	if (request->server != NULL) {
		LIST_REMOVE(request, entry);
		request->server->values.http_requests_under_way--;
	}
	http_set_user(request, NULL, NULL);
	if (request->response != NULL)
		MHD_destroy_response(request->response);
	cJSON_Delete(request->json);
	buffer_free(&request->reply_headers);
	http_headers_free(&request->headers);
	http_uri_free(&request->uri);
	free(request->target);
	free(request);
}

const char *http_method(const struct http_request *request)
{
	return request->method;
}

const char *http_path(const struct http_request *request)
{
	return request->uri.path;
}

const char *http_route_path(const struct http_request *request)
{
	return request->route != NULL ? request->route->path : "";
}

const struct http_route *http_route(const struct http_request *request)
{
	return request->route;
}

const char *http_request_id(const struct http_request *request)
{
	return request->id;
}

const char *http_param(const struct http_request *request, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < request->param_count; i++) {
		const struct http_pair *param = &request->params[i];

		if (strncmp(param->name, name, len) == 0 && param->name[len] == '}')
			return param->value;
	}
	return NULL;
}

const char *http_query(const struct http_request *request, const char *name)
{
	return http_uri_query(&request->uri, name);
}

const char *http_header(const struct http_request *request, const char *name)
{
	return http_headers_get(&request->headers, name);
}

const char *http_client_address(const struct http_request *request)
{
	return request->client;
}

const char *http_body(const struct http_request *request, size_t *len_r)
{
	if (len_r != NULL)
		*len_r = request->body.len;
	return buffer_str(&request->body);
}

const cJSON *http_json(const struct http_request *request)
{
	return request->json;
}

struct principal *http_principal(struct http_request *request)
{
	return &request->principal;
}

void http_set_user(struct http_request *request, void *user, void (*free_fn)(void *))
{
	void *old = request->user;
	void (*old_free)(void *) = request->user_free;

	request->user = user;
	request->user_free = free_fn;
	if (old != NULL && old_free != NULL)
		old_free(old);
}

void *http_user(const struct http_request *request)
{
	return request->user;
}
