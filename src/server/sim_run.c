/* See sim_run.h. */
#include "server/sim_run.h"

#include "base/log.h"
#include "base/term.h"
#include "server/signals.h"
#include "server/sim_agents.h"
#include "shop/shop.h"
#include "sim/alerts.h"
#include "sim/control_watch.h"
#include "sim/dashboard.h"
#include "sim/export.h"
#include "sim/plain.h"
#include "sim/run.h"

#include <signal.h>
#include <unistd.h>

enum { SHOP_LOOPS = 1, SHOP_SPARE = 16, ALERT_ANSWER_MS = 10000, ALERT_PAUSE_MS = 2000 };

struct stage {
	struct cli *cli;
	const struct sim_run_args *args;
	struct shop *shop;
	struct run *run;
	struct alerts *alerts; /* NULL: none; the run's once it goes */
	struct export *export; /* likewise */
	struct clock *wall;
	int signals, signal; /* the one that came first; 0: none */
};

/* ---- what a run asks for ---- */

static void say(void *stage, const char *line)
{
	(void)stage;
	puts(line);
	fflush(stdout);
}

static enum err open_shop(void *stage, struct str books, uint32_t connections, struct str *url, struct problem *p)
{
	struct stage *s = stage;
	struct shop_config config = {
		.listen = "127.0.0.1:0",
		.store_url = arena_fmt(s->cli->arena, "sqlite:%.*s", STRF(books)).p,
		.version = s->cli->extra->version,
		.loops = SHOP_LOOPS,
		.max_connections = connections + SHOP_SPARE,
	};
	enum err e = shop_start(&config, &s->shop, p);

	if (!e)
		*url = str_of(shop_url(s->shop));
	return e;
}

static enum err read_directory(void *stage, struct arena *a, struct str **ids, uint32_t *count, struct problem *p)
{
	const struct stage *s = stage;

	return sim_agents(s->cli, a, ids, count, p);
}

/* ---- signals ---- */

/* The first asks it to bring its cycle to the end, the second to stop at once. */
static void take_signal(void *stage, struct engine *e)
{
	struct stage *s = stage;
	int came = signals_wait(s->signals, 0);

	if (!came)
		return;
	engine_stop(e, s->signal != 0);
	s->signal = s->signal ? s->signal : came;
}

static void no_news(void *stage, enum engine_news what, const char *line)
{
	(void)stage, (void)what, (void)line;
}

static void no_end(void *stage, const struct engine_view *last)
{
	(void)stage, (void)last;
}

/* ---- alerts ---- */

static void came_of_alert(void *stage, bool delivered, const char *line)
{
	struct stage *s = stage;

	if (delivered)
		run_note(s->run, line);
	else
		run_trouble(s->run, line);
}

/* Before anything of the run is there: what is no address is told first. */
static enum err open_alerts(struct stage *s)
{
	const struct sim_run_args *g = s->args;
	const struct alerts_config config = {
		.webhooks = g->alert_webhook,
		.webhook_count = g->alert_webhook_count,
		.emails = g->alert_email,
		.email_count = g->alert_email_count,
		.format = (enum sim_alert_format)g->alert_format,
		.smtp = g->alert_smtp,
		.from = g->alert_from,
		.ca_file = g->ca_file,
		.answer_ms = ALERT_ANSWER_MS,
		.pause_ms = ALERT_PAUSE_MS,
		.said = came_of_alert,
		.ctx = s,
	};

	if (!g->alert_webhook_count && !g->alert_email_count && !g->alert_smtp.n && !g->alert_from.n)
		return OK;
	return alerts_open(&config, &s->alerts, &s->cli->problem);
}

/* Hung on after all that shows what came of them: what is told last ends first. */
static void hang_alerts(struct stage *s, struct run *r)
{
	struct watcher alerts;

	if (!s->alerts)
		return;
	s->run = r;
	alerts_watch(s->alerts, run_facts(r), s->wall, &alerts);
	run_hang(r, &alerts);
	s->alerts = NULL;
}

/* ---- metrics ---- */

/* A port that is taken is told before anything of the run is there. */
static enum err open_export(struct stage *s)
{
	if (!HAS(s->args, sim_run_args, metrics))
		return OK;
	return export_open((unsigned)s->args->metrics, &s->export, &s->cli->problem);
}

static void hang_export(struct stage *s, struct run *r)
{
	struct watcher metrics;

	if (!s->export)
		return;
	printf("metrics   %s/metrics\n", export_url(s->export));
	fflush(stdout);
	export_watch(s->export, run_facts(r), &metrics);
	run_hang(r, &metrics);
	s->export = NULL;
}

/* ---- the run ---- */

/* A run without its control socket can still be told to stop by signals. */
static void hang_control(struct run *r)
{
	struct problem p = {0};
	struct watcher control;

	if (control_watch(run_facts(r), &control, &p) == OK)
		run_hang(r, &control);
	else
		printf("note      no control socket: %s\n", p.detail);
}

/* Hung on late, so that it gives the terminal back before anything else is said. */
static void hang_display(const struct stage *s, struct run *r)
{
	int how = s->args->dashboard;
	struct watcher w;

	if (how == SIM_DASHBOARD_NONE)
		return;
	if (how == SIM_DASHBOARD_PLAIN || !dashboard_watch(run_facts(r), &w))
		w = plain_watcher(stdout);
	run_hang(r, &w);
}

static enum err go(struct stage *s, struct run *r, struct run_came *came)
{
	struct watcher signals = {s, take_signal, no_news, no_end};
	enum err e = OK;

	run_hang(r, &signals);
	hang_control(r);
	hang_export(s, r);
	hang_display(s, r);
	hang_alerts(s, r);
	while (!e && !run_ended(r))
		e = run_turn(r, &s->cli->problem);
	return run_finish(r, e, came, &s->cli->problem);
}

static int exit_code(const struct stage *s, const struct run_came *came)
{
	if (s->signal)
		return 128 + s->signal;
	if (came->thresholds_failed > 0)
		return SIM_RUN_FAILED;
	return came->end == ENDED_BREAKER ? SIM_RUN_BROKE : 0;
}

static enum err run(struct stage *s, struct sim_run_args *args)
{
	struct run_config config = {
		.args = args,
		.version = s->cli->extra->version,
		.wall = s->wall,
		.arena = s->cli->arena,
		.shop = open_shop,
		.directory = read_directory,
		.say = say,
		.ctx = s,
	};
	struct run_came came;
	struct run *r;
	enum err e;

	if (args->dashboard == SIM_DASHBOARD_TUI && !term_can_draw())
		return problem_field(&s->cli->problem, ERR_USAGE, "dashboard",
				     "there is no terminal to draw on; give plain, or auto");
	e = run_open(&config, &r, &s->cli->problem);
	if (e)
		return e;
	e = go(s, r, &came);
	s->cli->exit_code = exit_code(s, &came);
	run_free(&r);
	return e;
}

enum err sim_run(struct cli *cli, const void *args)
{
	struct sim_run_args given = *(const struct sim_run_args *)args;
	struct stage s = {.cli = cli, .args = &given, .signals = signals_open(), .wall = clock_system_new()};
	enum err e;

	log_set_level(LOG_WARN);
	e = open_alerts(&s);
	if (!e)
		e = open_export(&s);
	if (!e)
		e = run(&s, &given);
	alerts_close(&s.alerts, 0);
	export_close(&s.export);
	shop_stop(&s.shop);
	clock_system_destroy(&s.wall);
	close(s.signals);
	return e;
}
