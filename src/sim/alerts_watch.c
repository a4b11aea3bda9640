/*
 * What of a run is worth an alert. News come without figures, so they are looked up in the turn after, or at the end.
 */
#include "sim/alerts.h"

#include "base/magic.h"

#include <stdio.h>

enum { WATCH_MAGIC = 0x616c7477, PATIENCE_MS = 5000, LINE_MAX_BYTES = 512 };

struct alerts_watch {
	unsigned magic;
	struct alerts *alerts;
	const struct run_facts *facts;
	struct clock *wall;
	bool opened;
	int64_t opened_ms;
	char line[LINE_MAX_BYTES];
};

static void raise_alert(struct alerts_watch *w, const struct engine_view *v)
{
	struct sim_alert alert = {0};

	PUT(&alert, sim_alert, event, SIM_ALERT_BREAKER);
	PUT(&alert, sim_alert, at, w->opened_ms);
	PUT(&alert, sim_alert, run, w->facts->run_id);
	PUT(&alert, sim_alert, scenario, scenario_name(w->facts->scenario));
	PUT(&alert, sim_alert, target, w->facts->target);
	PUT(&alert, sim_alert, dir, w->facts->dir);
	PUT(&alert, sim_alert, cycle, v->cycle);
	PUT(&alert, sim_alert, simulated, v->simulated_ms);
	PUT(&alert, sim_alert, agents, v->breaker.agents);
	PUT(&alert, sim_alert, failures, v->breaker.failures);
	PUT(&alert, sim_alert, trips, v->breaker.trips);
	PUT(&alert, sim_alert, text, str_of(w->line));
	alerts_raise(w->alerts, &alert);
	w->opened = false;
}

static void turn(void *self, struct engine *e)
{
	struct alerts_watch *w = self;
	struct engine_view view;

	CHECK_OBJ(w, WATCH_MAGIC);
	if (w->opened) {
		engine_look(e, &view);
		raise_alert(w, &view);
	}
	alerts_turn(w->alerts);
}

static void news(void *self, enum engine_news what, const char *line)
{
	struct alerts_watch *w = self;

	CHECK_OBJ(w, WATCH_MAGIC);
	if (what != NEWS_BREAKER)
		return;
	w->opened = true;
	w->opened_ms = clock_now_ms(w->wall);
	snprintf(w->line, sizeof(w->line), "%s", line);
}

static void end(void *self, const struct engine_view *last)
{
	struct alerts_watch *w = self;

	CHECK_OBJ(w, WATCH_MAGIC);
	if (w->opened && last)
		raise_alert(w, last);
	alerts_close(&w->alerts, PATIENCE_MS);
	free(w);
}

void alerts_watch(struct alerts *a, const struct run_facts *facts, struct clock *wall, struct watcher *out)
{
	struct alerts_watch *w = NEW(struct alerts_watch);

	*w = (struct alerts_watch){.magic = WATCH_MAGIC, .alerts = a, .facts = facts, .wall = wall};
	*out = (struct watcher){.self = w, .turn = turn, .news = news, .end = end};
}
