/* Whether agents are alive: their beats, what they say of themselves, and how it was. */
#include "api/api.h"
#include "api/app.h"

#include "directory/agent.h"
#include "directory/beats.h"
#include "directory/liveness.h"

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

static enum err tell(struct call *c, const struct beats_told *told)
{
	return told->count ? change_add(call_app(c)->feed, c, told->facts, told->count) : OK;
}

static void show_beat(const struct app *app, const struct liveness_row *l, struct beat *out)
{
	out->status = (int)l->status;
	out->due_at = liveness_due_ms(l, app->beats.silence_ms);
}

static enum err refused(struct call *c, enum err why)
{
	return why == ERR_GONE ? call_fail(c, why, "this agent was deleted")
			       : call_fail(c, ERR_NOT_FOUND, "there is no such agent here");
}

enum err api_agent_beat(struct call *c, const struct agent_ref *in, struct beat *out)
{
	const struct app *app = call_app(c);
	struct beat_one one = {0};
	struct beats_told told;
	enum err err = find_agent(c, in->id, &one.agent);
	if (!err)
		err = beats_take(&app->beats, c->db, c->arena, c->now_ms, &one, 1, &told);
	if (err)
		return err;
	if (one.err)
		return refused(c, one.err);
	show_beat(app, &one.row, out);
	return tell(c, &told);
}

enum err api_agent_status(struct call *c, const struct agent_status_in *in, struct beat *out)
{
	const struct app *app = call_app(c);
	struct directory_agent agent;
	struct liveness_row row;
	struct beats_told told;
	enum err err = agent_hold(c, in->id, &agent);
	if (!err)
		err = beats_say(&app->beats, c->db, c->arena, c->now_ms, agent.row.id, (enum agent_away)in->status,
				&row, &told);
	if (err)
		return err;
	show_beat(app, &row, out);
	return tell(c, &told);
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

static void show_uptime(struct story *s, struct agent_liveness *out)
{
	double share;
	if (liveness_uptime_end(&s->day, &share))
		PUT(out, agent_liveness, uptime_day, share);
	if (liveness_uptime_end(&s->week, &share))
		PUT(out, agent_liveness, uptime_week, share);
	if (liveness_uptime_end(&s->month, &share))
		PUT(out, agent_liveness, uptime_month, share);
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
