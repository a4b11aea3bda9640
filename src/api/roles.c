/*
 * GET /v1/roles/resolve: what `tenfold role resolve` says, from the files as they are now. Files are looked at anew
 * for each call; one that is caught half-written leaves the last good answer, with a warning in it.
 */
#include "api/roles.h"

#include "api/api.h"
#include "api/app.h"
#include "roles/report.h"
#include "roles/state.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

struct town_desk {
	pthread_mutex_t lock; /* over the town and what is remembered of it */
	struct town *town;
	struct town_state *state;
};

static struct role_query query_of(const struct role_resolve_in *in)
{
	return (struct role_query){.role = in->role,
				   .agent_key = "the parameter agent",
				   .rig = in->rig,
				   .name = in->name,
				   .type = in->type,
				   .labels = {in->label, in->label_count, false},
				   .agent = in->agent,
				   .model = in->model,
				   .effort = in->effort,
				   .account = in->account};
}

/* The request can be as right as it likes: that a file of ours is broken is our state. */
static enum err blame(struct call *c, enum err e)
{
	if (e == ERR_MALFORMED)
		c->problem.err = e = ERR_CONFLICT;
	return e;
}

static enum err resolve(struct call *c, struct town_desk *d, const struct role_resolve_in *in,
			struct role_resolved *out)
{
	const struct role_query q = query_of(in);
	const struct command_options options = {0};
	struct role_answer answer = {0};
	struct role_command command;
	enum err e;

	town_refresh(d->town);
	town_state_refresh(d->state, NULL); /* that fails: what was remembered before still counts */
	e = role_resolve(d->town, &q, d->state, c->arena, &answer, &c->problem);
	if (!e)
		e = role_command(d->town, &q, &answer, &options, c->arena, &command, &c->problem);
	if (e)
		return blame(c, e);
	role_report(&q, &answer, &command, true, c->arena, out);
	json_own(&type_role_resolved, c->arena, out); /* the town may be read anew before this is sent */
	return arena_overflowed(c->arena) ? ERR_TOO_LARGE : OK;
}

enum err api_role_resolve(struct call *c, const struct role_resolve_in *in, struct role_resolved *out)
{
	struct town_desk *d = call_app(c)->town;
	enum err e;

	if (!d)
		return call_fail(c, ERR_NOT_FOUND,
				 "this server has no town; start it with 'tenfold serve --town DIR'");
	pthread_mutex_lock(&d->lock);
	e = resolve(c, d, in, out);
	pthread_mutex_unlock(&d->lock);
	return e;
}

/* ---- open and close ---- */

enum err town_desk_open(struct str town, struct str data_dir, struct town_desk **out, struct problem *p)
{
	struct town_desk *d = NEW(struct town_desk);
	struct files *files = files_of_system();
	char given[TOWN_PATH_MAX], real[PATH_MAX];
	enum err e;

	pthread_mutex_init(&d->lock, NULL);
	snprintf(given, sizeof(given), "%.*s", STRF(town));
	e = town_open(files, str_of(realpath(given, real) ? real : given), (struct str){0}, &d->town, p);
	if (!e)
		e = town_state_open(files, data_dir, town_dir(d->town), &d->state, p);
	*out = d;
	if (e)
		town_desk_close(out);
	return e;
}

void town_desk_close(struct town_desk **d)
{
	if (!*d)
		return;
	town_state_close(&(*d)->state);
	town_close(&(*d)->town);
	pthread_mutex_destroy(&(*d)->lock);
	free(*d);
	*d = NULL;
}
