/* The dashboard on a run and on the terminal: see dashboard.h. */
#include "base/clock.h"
#include "base/magic.h"
#include "base/term.h"
#include "sim/dashboard.h"

#include <stdio.h>
#include <stdlib.h>

enum { EVERY_MS = 5000, NS_PER_MS = 1000000 };

struct dashboard {
	const struct run_facts *facts;
	struct term *term;
	struct dashboard_look look;
	int64_t drawn_ns;
	bool is_due;
	char news[256];
};

/* ---- drawing ---- */

static void draw(struct dashboard *d, const struct engine_view *v)
{
	struct term_size size = term_size(d->term);
	struct buf b = BUF_INIT(1 << 20);

	d->look.width = size.width;
	d->look.height = size.height;
	dashboard_draw(d->facts, v, &d->look, &b);
	if (buf_ok(&b))
		term_draw(d->term, buf_str(&b));
	buf_free(&b);
	d->drawn_ns = clock_mono_ns();
	d->is_due = false;
}

/* ---- keys ---- */

static void quit(struct dashboard *d, struct engine *e)
{
	engine_stop(e, d->look.quits);
	d->look.quits = true;
}

static void take_key(struct dashboard *d, struct engine *e, int key)
{
	switch (key) {
	case 'p':
	case 'P':
		engine_pause(e);
		break;
	case 'r':
	case 'R':
		engine_resume(e);
		break;
	case 'c':
	case 'C':
		engine_checkpoint(e);
		snprintf(d->news, sizeof(d->news), "a checkpoint is made at the end of this cycle");
		break;
	case 's':
	case 'S':
		d->look.statistics = !d->look.statistics;
		break;
	case 'q':
	case 'Q':
		quit(d, e);
		break;
	default:
		return;
	}
	d->is_due = true;
}

/* ---- the shell and back ---- */

/* A run does not go on while its process stands, and no time is lost for it. */
static void stop(struct dashboard *d, struct engine *e)
{
	struct engine_view v;

	engine_look(e, &v);
	if (v.pause == PAUSE_NONE)
		engine_pause(e);
	term_stop(d->term);
	if (v.pause == PAUSE_NONE)
		engine_resume(e);
}

/* ---- the watcher ---- */

static void turn(void *self, struct engine *e)
{
	struct dashboard *d = self;
	struct engine_view v;

	switch (term_turn(d->term)) {
	case TERM_SAME:
		break;
	case TERM_ANEW:
		d->is_due = true;
		break;
	case TERM_AWAY:
		return;
	case TERM_STOP:
		stop(d, e);
		return;
	}
	for (int key = term_key(d->term); key; key = term_key(d->term))
		take_key(d, e, key);
	if (!d->is_due && clock_mono_ns() - d->drawn_ns < (int64_t)EVERY_MS * NS_PER_MS)
		return;
	engine_look(e, &v);
	draw(d, &v);
}

static void news(void *self, enum engine_news what, const char *line)
{
	struct dashboard *d = self;

	(void)what;
	snprintf(d->news, sizeof(d->news), "%s", line);
	d->is_due = true;
}

static void end(void *self, const struct engine_view *last)
{
	struct dashboard *d = self;

	(void)last;
	term_close(&d->term);
	free(d);
}

bool dashboard_watch(const struct run_facts *facts, struct watcher *out)
{
	struct term *term = term_open();
	struct dashboard *d;

	if (!term)
		return false;
	d = NEW(struct dashboard);
	d->facts = facts;
	d->term = term;
	d->is_due = true;
	d->look = (struct dashboard_look){
		.colours = term_can_colour(), .has_keys = term_has_keys(term), .news = d->news};
	*out = (struct watcher){d, turn, news, end};
	return true;
}
