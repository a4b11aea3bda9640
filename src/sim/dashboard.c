/*
 * A view of a run as lines. Each line has a rank: when they do not all fit, those of the highest rank go first, and the
 * endpoints take what room is left over.
 */
#include "sim/dashboard.h"

#include "base/clock.h"
#include "base/magic.h"
#include "sim/plain.h"
#include "sim/words.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

enum { LINES_MAX = 512, LINE_BYTES = 512, NAME_COLUMNS = 10, TIMES_COLUMNS = 45, CAUSES_SHOWN = 3 };

enum style { STYLE_PLAIN, STYLE_TITLE, STYLE_ALARM, STYLE_GOOD, STYLE_FAINT };

/* What goes last, first. */
enum rank {
	RANK_TITLE,
	RANK_ALARM,
	RANK_KEYS,
	RANK_WAY,
	RANK_SESSIONS,
	RANK_REQUESTS,
	RANK_BREAKER,
	RANK_ERRORS,
	RANK_TIMES,
	RANK_AGENTS,
	RANK_END,
	RANK_NEWS,
	RANK_MACHINE,
	RANK_ENDPOINTS,
};

struct line {
	enum style style;
	enum rank rank;
	char text[LINE_BYTES];
};

struct screen {
	const struct run_facts *facts;
	const struct engine_view *v;
	const struct dashboard_look *look;
	struct line *lines;
	unsigned count;
};

/* ---- lines ---- */

/* The name of what follows, in a column of its own. */
static void put(struct screen *s, enum rank rank, enum style style, const char *name, const struct buf *text)
{
	struct line *l = &s->lines[s->count];

	if (s->count == LINES_MAX)
		return;
	s->count++;
	l->rank = rank;
	l->style = style;
	if (name)
		snprintf(l->text, sizeof(l->text), "%-*s%.*s", NAME_COLUMNS, name, STRF(buf_str(text)));
	else
		snprintf(l->text, sizeof(l->text), "%.*s", STRF(buf_str(text)));
}

static void put_text(struct screen *s, enum rank rank, enum style style, const char *name, const char *text)
{
	struct buf b = BUF_INIT(0);

	buf_z(&b, text);
	put(s, rank, style, name, &b);
	buf_free(&b);
}

static void percent(struct buf *b, uint64_t n, uint64_t of)
{
	if (of == 0)
		return;
	buf_z(b, " (");
	words_percent(b, (double)n / (double)of);
	buf_c(b, ')');
}

static void count(struct buf *b, uint64_t n)
{
	words_count(b, (int64_t)n);
}

/* ---- the head ---- */

static const char *state_of(const struct screen *s)
{
	switch (s->v->state) {
	case ENGINE_PAUSED:
		return s->v->pause & PAUSE_BREAKER ? "BREAKER OPEN" : "PAUSED";
	case ENGINE_ENDED:
		return "ENDED";
	case ENGINE_BEGIN:
	case ENGINE_RUNNING:
	case ENGINE_BETWEEN:
		break;
	}
	return s->look->quits ? "ENDING" : s->v->replay ? "RUNNING AGAIN" : "RUNNING";
}

static void put_title(struct screen *s)
{
	const struct engine_view *v = s->v;
	struct str scenario = scenario_name(s->facts->scenario);
	struct buf left = BUF_INIT(0), right = BUF_INIT(0), all = BUF_INIT(0);
	int room;

	buf_fmt(&left, "tenfold sim  %.*s  %.*s", STRF(scenario), STRF(s->facts->run_id));
	buf_fmt(&right, "%s  ", state_of(s));
	words_clock(&right, v->elapsed_ms);
	room = s->look->width - (int)right.n - 2;
	if (room < 1)
		buf_str_add(&all, buf_str(&right));
	else
		buf_fmt(&all, "%-*.*s  %.*s", room, room, buf_cstr(&left), STRF(buf_str(&right)));
	put(s, RANK_TITLE, v->state == ENGINE_PAUSED ? STYLE_ALARM : STYLE_TITLE, NULL, &all);
	buf_free(&left);
	buf_free(&right);
	buf_free(&all);
}

static void put_alarm(struct screen *s)
{
	const struct engine_view *v = s->v;
	struct buf b = BUF_INIT(0);

	if (v->pause & PAUSE_BREAKER) {
		if (v->breaker.cause == SIM_BREAKER_TARGET_DOWN)
			buf_fmt(&b, "Nobody answers at %.*s.", STRF(s->facts->target));
		else
			buf_fmt(&b, "%u of %u agents failed in this cycle.", v->breaker.failures,
				v->breaker.agents);
		if (s->look->has_keys)
			buf_z(&b, " r goes on.");
		else
			buf_fmt(&b, " Go on with: tenfold sim ctl %.*s resume", STRF(s->facts->dir));
	} else if (v->pause & PAUSE_RECORDER) {
		buf_z(&b, "Records cannot be written; it goes on by itself when they can.");
	}
	if (b.n > 0)
		put(s, RANK_ALARM, STYLE_ALARM, NULL, &b);
	buf_free(&b);
}

/* ---- how far ---- */

static void put_way(struct screen *s)
{
	static const char *const days[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
	const struct engine_view *v = s->v;
	struct buf b = BUF_INIT(0);
	char at[CLOCK_TEXT];

	clock_format(v->simulated_ms, at);
	buf_fmt(&b, "%u", v->cycle);
	if (v->cycles > 0) {
		buf_fmt(&b, " of %u", v->cycles);
		percent(&b, v->cycle, v->cycles);
	}
	buf_fmt(&b, "   %s %.10s %.5s", days[(v->simulated_ms / 86400000 + 3) % 7], at, at + 11);
	if (v->cycle_planned_ms > 0)
		buf_fmt(&b, "   %.*f s of %.*f s", v->cycle_planned_ms < 10000, (double)v->cycle_elapsed_ms / 1000,
			v->cycle_planned_ms < 10000, (double)v->cycle_planned_ms / 1000);
	if (v->slipped > 0)
		buf_fmt(&b, "   %u slipped", v->slipped);
	put(s, RANK_WAY, STYLE_PLAIN, "cycle", &b);
	buf_free(&b);
}

static void put_agents(struct screen *s)
{
	const struct engine_view *v = s->v;
	struct buf b = BUF_INIT(0);

	count(&b, v->agents);
	if (v->admitted < v->agents)
		buf_fmt(&b, ", %.0f %% warmed up", (double)v->admitted * 100 / v->agents);
	buf_z(&b, "   active ");
	count(&b, v->under_way);
	buf_z(&b, "   in flight ");
	count(&b, v->in_flight);
	buf_z(&b, "   at the limiter ");
	count(&b, v->queueing);
	put(s, RANK_AGENTS, STYLE_PLAIN, "agents", &b);
	buf_free(&b);
}

static void put_requests(struct screen *s)
{
	const struct engine_view *v = s->v;
	struct buf b = BUF_INIT(0);

	buf_fmt(&b, "%.1f/s", v->rate_measured);
	if (v->rate > 0)
		buf_fmt(&b, " of %.*f/s", v->rate == (double)(int64_t)v->rate ? 0 : 1, v->rate);
	buf_z(&b, "   ");
	count(&b, v->totals.requests);
	buf_z(&b, " sent   failed ");
	count(&b, v->totals.requests_failed);
	percent(&b, v->totals.requests_failed, v->totals.requests);
	if (v->totals.held_429 > 0) {
		buf_z(&b, "   429s ");
		count(&b, v->totals.held_429);
	}
	if (v->held_ms > 0)
		buf_fmt(&b, "   held for %.0f s", (double)v->held_ms / 1000);
	put(s, RANK_REQUESTS, STYLE_PLAIN, "requests", &b);
	buf_free(&b);
}

static void put_sessions(struct screen *s)
{
	const struct engine_view *v = s->v;
	struct buf b = BUF_INIT(0);

	count(&b, v->totals.sessions);
	for (unsigned i = 0; i < scenario_outcome_count(s->facts->scenario); i++) {
		buf_fmt(&b, "  %.*s ", STRF(scenario_outcome_name(s->facts->scenario, i)));
		count(&b, v->totals.by_outcome[i]);
		percent(&b, v->totals.by_outcome[i], v->totals.sessions);
	}
	put(s, RANK_SESSIONS, STYLE_PLAIN, "sessions", &b);
	buf_free(&b);
}

/* What journeys beside sessions did. */
static void put_others(struct screen *s)
{
	const struct counts *c = &s->v->totals;
	const struct {
		const char *name;
		uint64_t n;
	} shown[] = {{"events ", c->events},           {"visits ", c->idle_visits},
		     {"offers ", c->offers_assigned},  {"cleanups ", c->cleanups},
		     {"retries ", c->retries},         {"late arrivals ", c->late_arrivals},
		     {"dropped ", c->dropped_arrivals}};
	struct buf b = BUF_INIT(0);

	for (unsigned i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
		if (shown[i].n == 0)
			continue;
		buf_fmt(&b, "%s%s", b.n ? "   " : "", shown[i].name);
		count(&b, shown[i].n);
	}
	if (b.n > 0)
		put(s, RANK_MACHINE, STYLE_PLAIN, "besides", &b);
	buf_free(&b);
}

/* ---- what goes wrong ---- */

static void put_breaker(struct screen *s)
{
	const struct sim_breaker *k = &s->v->breaker;
	struct buf b = BUF_INIT(0);
	bool open = sim_breaker_is_open(k);

	buf_fmt(&b, "%s   %u failed in this cycle, %u are borne", open ? "OPEN" : "closed", k->failures,
		sim_breaker_borne(k));
	if (k->trips > 0)
		buf_fmt(&b, "   trips %u", k->trips);
	put(s, RANK_BREAKER, open ? STYLE_ALARM : k->trips > 0 ? STYLE_PLAIN : STYLE_GOOD, "breaker", &b);
	buf_free(&b);
}

static void put_errors(struct screen *s)
{
	const struct engine_view *v = s->v;
	struct buf b = BUF_INIT(0);

	for (unsigned i = 0; i < CAUSES_SHOWN && v->causes[i].count > 0; i++) {
		buf_reset(&b);
		count(&b, v->causes[i].count);
		buf_fmt(&b, "  %s", v->causes[i].text);
		put(s, RANK_ERRORS, STYLE_ALARM, i == 0 ? "errors" : "", &b);
	}
	if (v->causes[0].count == 0 && v->last_error[0])
		put_text(s, RANK_ERRORS, STYLE_FAINT, "errors", v->last_error);
	buf_free(&b);
}

/* ---- how fast ---- */

static void number_of_ms(struct buf *b, int64_t us)
{
	double ms = (double)us / 1000;

	buf_fmt(b, "%9.*f", ms < 1000 ? 1 : 0, ms);
}

static int name_columns(const struct screen *s)
{
	int room = s->look->width - TIMES_COLUMNS;

	return room < NAME_COLUMNS + 4 ? NAME_COLUMNS + 4 : room > 60 ? 60 : room;
}

static void put_times(struct screen *s, enum rank rank, struct str name, const struct latency *l)
{
	int columns = name_columns(s);
	struct str clipped = str_clip(name, (size_t)columns - 1);
	struct buf b = BUF_INIT(0);

	buf_fmt(&b, "%-*.*s", columns, STRF(clipped));
	number_of_ms(&b, latency_at_us(l, 50));
	number_of_ms(&b, latency_at_us(l, 95));
	number_of_ms(&b, latency_at_us(l, 99));
	number_of_ms(&b, (int64_t)l->max_us);
	buf_fmt(&b, "%9llu", (unsigned long long)l->count);
	put(s, rank, STYLE_PLAIN, NULL, &b);
	buf_free(&b);
}

static void put_times_head(struct screen *s, const char *name)
{
	struct buf b = BUF_INIT(0);

	buf_fmt(&b, "%-*s%9s%9s%9s%9s%9s", name_columns(s), name, "p50", "p95", "p99", "max", "count");
	put(s, RANK_TIMES, STYLE_FAINT, NULL, &b);
	buf_free(&b);
}

static struct latency sum_of(const struct latencies *l, unsigned endpoints, size_t which)
{
	struct latency sum = {0};

	for (unsigned i = 0; i < endpoints; i++)
		latency_merge(&sum, (const struct latency *)(const void *)((const char *)&l[i] + which));
	return sum;
}

static void put_sum(struct screen *s, const char *name, const struct latencies *l, size_t which)
{
	struct latency sum = sum_of(l, s->v->endpoint_count, which);

	put_times(s, RANK_TIMES, str_of(name), &sum);
	latency_free(&sum);
}

static void put_overall(struct screen *s)
{
	put_times_head(s, "response times, ms");
	put_sum(s, "all of the run", s->v->endpoints, offsetof(struct latencies, response));
	put_sum(s, "last minutes", s->v->recent, offsetof(struct latencies, response));
	if (s->v->rate > 0)
		put_sum(s, "(own limiter's wait)", s->v->endpoints, offsetof(struct latencies, throttle));
}

/* The slowest that is not yet among `shown`; -1: all that were called are. */
static int slowest_but(const struct engine_view *v, const bool *shown)
{
	int64_t most = -1;
	int found = -1;

	for (unsigned i = 0; i < v->endpoint_count; i++) {
		int64_t at = v->endpoints[i].response.count ? latency_at_us(&v->endpoints[i].response, 95) : -1;

		if (!shown[i] && at > most) {
			most = at;
			found = (int)i;
		}
	}
	return found;
}

/* As many as there is room for above the line of keys. */
static void put_endpoints(struct screen *s)
{
	int room = s->look->height - (int)s->count - 1, at;
	bool shown[LINES_MAX] = {false};

	if (s->v->endpoint_count > LINES_MAX)
		return;
	for (; room > 0 && (at = slowest_but(s->v, shown)) >= 0; room--) {
		shown[at] = true;
		put_times(s, RANK_ENDPOINTS, scenario_endpoint_name(s->facts->scenario, (unsigned)at),
			  &s->v->endpoints[at].response);
	}
}

/* ---- the machine ---- */

static void put_machine(struct screen *s)
{
	const struct engine_view *v = s->v;
	struct buf b = BUF_INIT(0);

	buf_fmt(&b, "%llu MiB   connections %u", (unsigned long long)(v->memory_bytes >> 20), v->client.open);
	if (s->facts->mock_db) {
		buf_z(&b, "   records not kept ");
		count(&b, v->recorder.planned_rows);
	} else {
		buf_z(&b, "   records ");
		count(&b, v->recorder.written_rows);
		buf_fmt(&b, ", waiting %u", v->recorder.queued);
		buf_fmt(&b, "   pool %u/%u busy", v->recorder.busy, v->recorder.connections);
	}
	put(s, RANK_MACHINE, STYLE_PLAIN, "memory", &b);
	buf_free(&b);
}

static void put_end(struct screen *s)
{
	int64_t left = plain_left_ms(s->v);
	struct buf b = BUF_INIT(0);

	if (s->v->state == ENGINE_ENDED || left < 0)
		return;
	buf_z(&b, "in ");
	words_clock(&b, left);
	put(s, RANK_END, STYLE_PLAIN, "end", &b);
	buf_free(&b);
}

static void put_keys(struct screen *s)
{
	const char *keys = s->look->quits                 ? "q stop at once  s statistics"
			   : s->v->state == ENGINE_PAUSED ? "r resume  c checkpoint  s statistics  q quit"
							  : "p pause  c checkpoint  s statistics  q quit";

	put_text(s, RANK_KEYS, STYLE_FAINT, NULL, s->look->has_keys ? keys : "keys: tenfold sim ctl");
}

/* ---- together ---- */

/* The highest rank whose lines fit with all of lower ones. */
static enum rank last_rank(const struct screen *s)
{
	enum rank last = RANK_ENDPOINTS;
	int fitting;

	for (; last > RANK_TITLE; last--) {
		fitting = 0;
		for (unsigned i = 0; i < s->count; i++)
			fitting += s->lines[i].rank <= last;
		if (fitting <= s->look->height)
			break;
	}
	return last;
}

/* Control characters would move the cursor. */
static void write_text(struct buf *b, struct str text)
{
	for (size_t i = 0, step; i < text.n; i += step) {
		step = str_utf8_step((struct str){text.p + i, text.n - i});
		if (step == 0 || (unsigned char)text.p[i] < ' ' || text.p[i] == 0x7f) {
			step = 1;
			buf_c(b, '?');
		} else {
			buf_add(b, text.p + i, step);
		}
	}
}

static void write_line(const struct screen *s, const struct line *l, struct buf *b)
{
	static const char *const colours[] = {[STYLE_PLAIN] = "",
					      [STYLE_TITLE] = "\x1b[1m",
					      [STYLE_ALARM] = "\x1b[1;31m",
					      [STYLE_GOOD] = "\x1b[32m",
					      [STYLE_FAINT] = "\x1b[2m"};
	bool coloured = s->look->colours && l->style != STYLE_PLAIN;

	if (coloured)
		buf_z(b, colours[l->style]);
	write_text(b, str_clip(str_of(l->text), (size_t)s->look->width));
	if (coloured)
		buf_z(b, "\x1b[0m");
}

static void write_screen(const struct screen *s, struct buf *b)
{
	enum rank last = last_rank(s);
	int lines = 0;

	for (unsigned i = 0; i < s->count && lines < s->look->height; i++) {
		if (s->lines[i].rank > last)
			continue;
		if (lines++ > 0)
			buf_c(b, '\n');
		write_line(s, &s->lines[i], b);
	}
}

static void put_overview(struct screen *s)
{
	put_agents(s);
	put_requests(s);
	put_sessions(s);
	put_others(s);
	put_breaker(s);
	put_errors(s);
	put_machine(s);
	put_end(s);
	if (s->look->news[0])
		put_text(s, RANK_NEWS, STYLE_PLAIN, "news", s->look->news);
	put_overall(s);
	put_endpoints(s);
}

static void put_statistics(struct screen *s)
{
	put_overall(s);
	put_sum(s, "(service alone)", s->v->endpoints, offsetof(struct latencies, service));
	put_endpoints(s);
}

void dashboard_draw(const struct run_facts *facts, const struct engine_view *v, const struct dashboard_look *look,
		    struct buf *b)
{
	struct screen s = {facts, v, look, must_alloc(LINES_MAX * sizeof(struct line)), 0};

	put_title(&s);
	put_alarm(&s);
	put_way(&s);
	if (look->statistics)
		put_statistics(&s);
	else
		put_overview(&s);
	put_keys(&s);
	write_screen(&s, b);
	free(s.lines);
}
