/* Whether agents are alive: their beats, what they say of themselves, and how it was. */
#include "api/api.h"
#include "api/app.h"

#include "directory/agent.h"
#include "directory/beats.h"
#include "directory/liveness.h"

#include <math.h>

enum { HISTORY_MAX = 100, FLIPS_READ_MAX = 50000 };

static const int64_t DAY_MS = INT64_C(86400000);

/* ---- beats ---- */

/* Whose beat it is. An agent's own key says so by itself; others are looked up, and held meanwhile. */
static enum err find_agent(struct call *c, struct str ref, int64_t *id)
{
	if (id_parse(ref, "ag_", id) && *id == c->caller.agent)
		return OK;
	struct directory_agent agent;
	enum err err = agent_hold(c, ref, &agent);
	*id = agent.row.id;
	return err;
}

static enum err answer(struct call *c, const struct beat_one *one, struct beat *out)
{
	const struct app *app = call_app(c);
	if (one->err)
		return call_fail(c, one->err, "%s",
				 one->err == ERR_GONE ? "this agent was deleted" : "there is no such agent here");
	out->status = (int)one->row.status;
	out->due_at = liveness_due_ms(&one->row, app->beats.silence_ms);
	return one->flipped ? change_add(app->feed, c, &one->fact, 1) : OK;
}

enum err api_agent_beat(struct call *c, const struct agent_ref *in, struct beat *out)
{
	struct beat_one one = {0};
	enum err err = find_agent(c, in->id, &one.agent);
	if (!err)
		err = beats_take(&call_app(c)->beats, c->db, c->arena, c->now_ms, &one, 1);
	return err ? err : answer(c, &one, out);
}

enum err api_agent_status(struct call *c, const struct agent_status_in *in, struct beat *out)
{
	struct directory_agent agent;
	struct beat_one one = {0};
	enum err err = agent_hold(c, in->id, &agent);
	if (err)
		return err;
	one.agent = agent.row.id;
	err = beats_say(&call_app(c)->beats, c->db, c->arena, c->now_ms, (enum agent_away)in->status, &one);
	return err ? err : answer(c, &one, out);
}

/* ---- many beats in one transaction ---- */

int64_t agent_beat_key(const struct call *c)
{
	int64_t id;
	return id_parse(((const struct agent_ref *)c->in)->id, "ag_", &id) ? id : c->caller.agent;
}

static int by_agent(const void *a, const void *b)
{
	const struct beat_one *x = a, *y = b;
	return (x->agent > y->agent) - (x->agent < y->agent);
}

enum err agent_beat_all(struct call *const *calls, enum err *outcomes, size_t count)
{
	struct call *first = calls[0];
	struct beat_one *beats = ARENA_ARRAY(first->arena, struct beat_one, count);
	size_t n = 0;
	for (size_t i = 0; beats && i < count; i++) {
		outcomes[i] = find_agent(calls[i], ((const struct agent_ref *)calls[i]->in)->id, &beats[n].agent);
		beats[n].nth = i;
		n += outcomes[i] == OK;
	}
	if (!beats)
		return ERR_INTERNAL;
	qsort(beats, n, sizeof *beats, by_agent);
	enum err err = beats_take(&call_app(first)->beats, first->db, first->arena, first->now_ms, beats, n);
	for (size_t i = 0; !err && i < n; i++)
		outcomes[beats[i].nth] = answer(calls[beats[i].nth], &beats[i], calls[beats[i].nth]->out);
	return err;
}

/* ---- how it was ---- */

struct story {
	struct agent_liveness *out;
	struct liveness_uptime day, week, month;
};

static enum err take_flip(void *ctx, const void *row)
{
	struct story *s = ctx;
	const struct liveness_log_row *flip = row;
	liveness_uptime_flip(&s->day, flip);
	liveness_uptime_flip(&s->week, flip);
	liveness_uptime_flip(&s->month, flip);
	if (s->out->history_count < HISTORY_MAX)
		s->out->history[s->out->history_count++] =
			(struct agent_flip){.at = flip->at_ms, .status = (int)flip->status};
	return OK;
}

/* To a millionth: two and a half seconds of a month. */
static double rounded(double share)
{
	return round(share * 1e6) / 1e6;
}

static void show_uptime(struct story *s, struct agent_liveness *out)
{
	double share;
	if (liveness_uptime_end(&s->day, &share))
		PUT(out, agent_liveness, uptime_day, rounded(share));
	if (liveness_uptime_end(&s->week, &share))
		PUT(out, agent_liveness, uptime_week, rounded(share));
	if (liveness_uptime_end(&s->month, &share))
		PUT(out, agent_liveness, uptime_month, rounded(share));
}

static enum err show_story(struct call *c, const struct liveness_row *l, struct agent_liveness *out)
{
	struct story s = {.out = out};
	enum agent_status status = (enum agent_status)l->status;
	int64_t now = c->now_ms, month_ago = now - 30 * DAY_MS;
	liveness_uptime_begin(&s.day, now - DAY_MS, now, status);
	liveness_uptime_begin(&s.week, now - 7 * DAY_MS, now, status);
	liveness_uptime_begin(&s.month, month_ago, now, status);
	out->history = ARENA_ARRAY(c->arena, struct agent_flip, HISTORY_MAX);
	if (!out->history)
		return ERR_INTERNAL;
	struct liveness_log_of_in in = {.agent = l->agent, .from_ms = month_ago, .count = FLIPS_READ_MAX};
	enum err err = q_liveness_log_of(c->db, &in, take_flip, &s);
	show_uptime(&s, out);
	return err;
}

enum err api_agent_liveness(struct call *c, const struct agent_ref *in, struct agent_liveness *out)
{
	struct directory_agent agent;
	struct liveness_row row;
	enum err err = agent_read(c, in->id, &agent);
	if (!err)
		err = q_liveness_get(c->db, &(struct id_row){agent.row.id}, c->arena, &row);
	if (err)
		return err;
	out->status = (int)row.status;
	if (row.since_ms)
		PUT(out, agent_liveness, since, row.since_ms);
	if (row.beat_ms)
		PUT(out, agent_liveness, last_beat, row.beat_ms);
	return show_story(c, &row, out);
}
