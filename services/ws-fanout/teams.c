#include "teams.h"

#include "mem.h"
#include "reach.h"
#include "store.h"

#include <stdlib.h>

struct teams {
	struct redis_link *link;
	struct reach *reach; /* all teams at one moment; NULL before the first load */
};

/* What is being loaded takes the place of what was there when it is complete. */
struct load {
	struct teams *teams;
	struct reach *reach;
	teams_done_fn *done;
	void *context;
};

struct teams *teams_new(struct redis_link *link)
{
	struct teams *teams = mem_new(struct teams);

	teams->link = link;
	return teams;
}

void teams_free(struct teams **teams)
{
	struct teams *old = *teams;

	*teams = NULL;
	if (old == NULL)
		return;
	reach_free(&old->reach);
	free(old);
}

static void on_loaded(bool ok, void *context)
{
	struct load *load = context;

	if (ok) {
		reach_free(&load->teams->reach);
		load->teams->reach = load->reach;
	} else {
		reach_free(&load->reach);
	}
	if (load->done != NULL)
		load->done(ok, load->context);
	free(load);
}

static void on_ids(const char *ids, void *context)
{
	struct load *load = context;

	if (ids == NULL)
		on_loaded(false, load);
	else
		reach_load(load->reach, ids, "", on_loaded, load);
}

void teams_load(struct teams *teams, teams_done_fn *done, void *context)
{
	struct load *load = mem_new(struct load);

	*load = (struct load){teams, reach_new(teams->link), done, context};
	store_teams(teams->link, on_ids, load);
}

bool teams_have(const struct teams *teams, const char *list, const char *extension)
{
	return reach_has(teams->reach, list, extension);
}

void teams_each(const struct teams *teams, const char *list,
		void (*fn)(const char *extension, void *context), void *context)
{
	reach_each(teams->reach, list, fn, context);
}
