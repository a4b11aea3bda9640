/* See sim/control_watch.h. */
#include "sim/control_watch.h"

#include "base/magic.h"
#include "sim/control.h"

#include <string.h>

enum { WATCH_MAGIC = 0x63777463 };

struct control_watch {
	unsigned magic;
	const struct run_facts *facts;
	struct control *control;
	struct engine *engine; /* of the turn */
	struct status_room room;
};

/* ---- how it goes ---- */

static void put_holds(unsigned pause, struct status_room *room, struct sim_status *out)
{
	static const struct {
		enum engine_pause bit;
		enum sim_hold hold;
	} holds[] = {{PAUSE_ASKED, SIM_HELD_BY_REQUEST},
		     {PAUSE_BREAKER, SIM_HELD_BY_BREAKER},
		     {PAUSE_RECORDER, SIM_HELD_BY_RECORDS}};

	if (!pause)
		return;
	PUT(out, sim_status, held_by, room->held_by);
	for (size_t i = 0; i < sizeof(holds) / sizeof(holds[0]); i++)
		if (pause & holds[i].bit)
			room->held_by[out->held_by_count++] = (int)holds[i].hold;
}

static void put_counts(const struct engine_view *v, struct sim_status *out)
{
	PUT(out, sim_status, agents, v->agents);
	PUT(out, sim_status, admitted, v->admitted);
	PUT(out, sim_status, under_way, v->under_way);
	PUT(out, sim_status, in_flight, v->in_flight);
	PUT(out, sim_status, queueing, v->queueing);
	PUT(out, sim_status, sessions, (int64_t)v->totals.sessions);
	PUT(out, sim_status, failures, (int64_t)v->totals.failures);
	PUT(out, sim_status, requests, (int64_t)v->totals.requests);
	PUT(out, sim_status, requests_failed, (int64_t)v->totals.requests_failed);
	PUT(out, sim_status, requests_per_second, v->rate_measured);
	PUT(out, sim_status, breaker_trips, v->breaker.trips);
	PUT(out, sim_status, records_waiting, v->recorder.queued);
	PUT(out, sim_status, memory_bytes, (int64_t)v->memory_bytes);
}

void status_of(const struct engine_view *v, const struct run_facts *facts, struct status_room *room,
	       struct sim_status *out)
{
	static const enum sim_state states[] = {[ENGINE_BEGIN] = SIM_BEGINS,
						[ENGINE_RUNNING] = SIM_RUNS,
						[ENGINE_BETWEEN] = SIM_BETWEEN,
						[ENGINE_PAUSED] = SIM_STANDS,
						[ENGINE_ENDED] = SIM_ENDED};

	*out = (struct sim_status){0};
	PUT(out, sim_status, run, facts->run_id);
	PUT(out, sim_status, scenario, scenario_name(facts->scenario));
	PUT(out, sim_status, state, (int)states[v->state]);
	put_holds(v->pause, room, out);
	PUT(out, sim_status, cycle, v->cycle);
	if (v->cycles)
		PUT(out, sim_status, cycles, v->cycles);
	PUT(out, sim_status, replay, v->replay);
	PUT(out, sim_status, simulated, v->simulated_ms);
	PUT(out, sim_status, elapsed_ms, v->elapsed_ms);
	put_counts(v, out);
	memcpy(room->last_error, v->last_error, sizeof(room->last_error));
	if (room->last_error[0])
		PUT(out, sim_status, last_error, str_of(room->last_error));
}

/* ---- what it is told ---- */

static void told(void *ctx, enum sim_command command, struct sim_status *out)
{
	struct control_watch *w = ctx;
	struct engine_view view;

	CHECK_OBJ(w, WATCH_MAGIC);
	switch (command) {
	case SIM_PAUSE:
		engine_pause(w->engine);
		break;
	case SIM_RESUME:
		engine_resume(w->engine);
		break;
	case SIM_CHECKPOINT:
		engine_checkpoint(w->engine);
		break;
	case SIM_QUIT:
		engine_stop(w->engine, false);
		break;
	case SIM_STATUS:
		break;
	}
	engine_look(w->engine, &view);
	status_of(&view, w->facts, &w->room, out);
}

/* ---- hanging on a run ---- */

static void turn(void *self, struct engine *e)
{
	struct control_watch *w = self;

	CHECK_OBJ(w, WATCH_MAGIC);
	w->engine = e;
	control_turn(w->control, clock_mono_ns());
}

static void news(void *self, enum engine_news what, const char *line)
{
	(void)self, (void)what, (void)line; /* who wants to know asks */
}

static void end(void *self, const struct engine_view *last)
{
	struct control_watch *w = self;

	CHECK_OBJ(w, WATCH_MAGIC);
	(void)last;
	control_close(&w->control);
	free(w);
}

enum err control_watch(const struct run_facts *facts, struct watcher *out, struct problem *p)
{
	struct control_watch *w = NEW(struct control_watch);
	enum err e;

	*w = (struct control_watch){.magic = WATCH_MAGIC, .facts = facts};
	e = control_open(facts->dir, told, w, &w->control, p);
	if (e)
		free(w);
	else
		*out = (struct watcher){.self = w, .turn = turn, .news = news, .end = end};
	return e;
}
