#include "offload.h"

#include "mem.h"

#include <stdbool.h>
#include <stdlib.h>

struct task {
	uv_work_t request;
	struct offload *offload;
	offload_work_fn *work;
	offload_done_fn *done;
	void *job;
	void *context;
	struct task *next;
};

struct offload {
	uv_loop_t *loop;
	size_t running, running_max;
	size_t waiting, waiting_max;
	struct task *first, *last; /* waiting */
	bool freed;
};

static void on_work(uv_work_t *request)
{
	struct task *task = request->data;

	task->work(task->job);
}

static void on_worked(uv_work_t *request, int status);

static void start(struct offload *offload, struct task *task)
{
	offload->running++;
	task->request.data = task;
	if (uv_queue_work(offload->loop, &task->request, on_work, on_worked) != 0)
		abort(); /* only for a NULL callback */
}

static void on_worked(uv_work_t *request, int status)
{
	struct task *task = request->data;
	struct offload *offload = task->offload;
	struct task *next = offload->first;

	(void)status; /* work is never cancelled */
	offload->running--;
	if (next != NULL) {
		offload->first = next->next;
		offload->waiting--;
		start(offload, next);
	}
	task->done(task->job, task->context);
	free(task);
	if (offload->freed && offload->running == 0)
		free(offload);
}

struct offload *offload_new(uv_loop_t *loop, size_t running_max, size_t waiting_max)
{
	struct offload *offload = mem_new(struct offload);

	offload->loop = loop;
	offload->running_max = running_max;
	offload->waiting_max = waiting_max;
	return offload;
}

int offload_run(struct offload *offload, offload_work_fn *work, offload_done_fn *done, void *job,
		void *context)
{
	struct task *task;

	if (offload->running >= offload->running_max && offload->waiting >= offload->waiting_max)
		return -1;
	task = mem_new(struct task);
	*task = (struct task){
		.offload = offload, .work = work, .done = done, .job = job, .context = context};
	if (offload->running < offload->running_max) {
		start(offload, task);
		return 0;
	}
	if (offload->first == NULL)
		offload->first = task;
	else
		offload->last->next = task;
	offload->last = task;
	offload->waiting++;
	return 0;
}

size_t offload_waiting(const struct offload *offload)
{
	return offload->waiting;
}

void offload_free(struct offload **_offload)
{
	struct offload *offload = *_offload;

	*_offload = NULL;
	if (offload == NULL)
		return;
	offload->freed = true;
	if (offload->running == 0)
		free(offload);
}
