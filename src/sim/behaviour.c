/* See behaviour.h. */
#include "sim/behaviour.h"

#include "base/magic.h"
#include "sim/queries.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { HOUR_MS = CALENDAR_HOUR_MS, DAY_MS = 24 * HOUR_MS, WEEKDAY_OF_1970 = 3 /* a Thursday */, DAYS_MAX = 65000 };

struct behaviour *behaviour_new(uint32_t agents)
{
	struct behaviour *b = NEW(struct behaviour);

	b->agents = agents;
	b->began_ms = -1;
	b->last = must_alloc((agents + 1) * sizeof(*b->last));
	return b;
}

void behaviour_free(struct behaviour **b)
{
	if (!*b)
		return;
	free((*b)->days);
	free((*b)->last);
	free(*b);
	*b = NULL;
}

static unsigned hour_of(int64_t ms)
{
	return (unsigned)((uint64_t)ms / HOUR_MS % BEHAVIOUR_HOURS);
}

static unsigned weekday_of(int64_t ms)
{
	return (unsigned)(((uint64_t)ms / DAY_MS + WEEKDAY_OF_1970) % BEHAVIOUR_WEEKDAYS);
}

/* ---- counting ---- */

void behaviour_cycle(struct behaviour *b, int64_t began_ms, uint64_t agents)
{
	if (b->began_ms < 0)
		b->began_ms = began_ms;
	b->end_ms = began_ms + HOUR_MS;
	b->seen += agents;
	b->seen_hour[hour_of(began_ms)] += agents;
	b->seen_weekday[weekday_of(began_ms)] += agents;
}

static struct behaviour_day *day_at(struct behaviour *b, uint32_t day)
{
	if (day >= b->day_room) {
		b->day_room = 2 * day + 64;
		b->days = must_realloc(b->days, b->day_room * sizeof(*b->days));
	}
	for (; b->day_count <= day; b->day_count++)
		b->days[b->day_count] = (struct behaviour_day){0};
	return &b->days[day];
}

static void count_gap(struct behaviour *b, uint32_t agent, int64_t at_ms)
{
	int64_t day = at_ms / DAY_MS - b->began_ms / DAY_MS, gap;

	if (b->began_ms < 0 || day < 0 || day >= DAYS_MAX || agent >= b->agents)
		return; /* of no cycle, or of a run past all measure */
	gap = day + 1 - b->last[agent];
	if (b->last[agent] && gap >= 0 && gap <= BEHAVIOUR_GAP_MAX)
		day_at(b, b->last[agent] - 1U)->again[gap]++;
	day_at(b, (uint32_t)day)->bought++;
	b->last[agent] = (uint16_t)(day + 1);
}

static void count_basket(struct behaviour *b, double items)
{
	double off = items - b->basket_mean;

	b->carts_bought++;
	b->basket[(unsigned)fmin(items, BEHAVIOUR_BASKET_MAX)]++;
	b->basket_mean += off / (double)b->carts_bought;
	b->basket_squares += off * (items - b->basket_mean);
}

static void count_purchase(struct behaviour *b, const struct behaviour_visit *v)
{
	b->completed++;
	b->bought_hour[hour_of(v->at_ms)]++;
	b->bought_weekday[weekday_of(v->at_ms)]++;
	if (v->items > 0)
		count_basket(b, v->items);
	count_gap(b, v->agent, v->at_ms);
}

void behaviour_session(struct behaviour *b, const struct behaviour_visit *v)
{
	if (v->how == END_FAILED) {
		b->failed++;
		return;
	}
	b->keeps_items |= !isnan(v->items);
	b->carts += v->items > 0;
	if (v->how == END_COMPLETED)
		count_purchase(b, v);
	else
		b->abandoned++;
}

/* ---- gaps ---- */

uint64_t behaviour_gaps(const struct behaviour *b, unsigned days, uint64_t gaps[BEHAVIOUR_GAP_MAX + 1])
{
	int64_t whole = b->end_ms / DAY_MS - b->began_ms / DAY_MS; /* days seen to their end */
	uint64_t purchases = 0;

	memset(gaps, 0, (BEHAVIOUR_GAP_MAX + 1) * sizeof(*gaps));
	for (uint32_t day = 0; day < b->day_count && day + days < whole; day++) {
		purchases += b->days[day].bought;
		for (unsigned g = 0; g <= days; g++)
			gaps[g] += b->days[day].again[g];
	}
	return purchases;
}

/* ---- from records ---- */

struct reading {
	struct behaviour *to;
	const struct behaviour_outcomes *outcomes;
};

static enum outcome_kind kind_of(const struct behaviour_outcomes *o, struct str name)
{
	for (unsigned i = 0; i < o->count; i++)
		if (str_eq(o->names[i], name))
			return o->kinds[i];
	return END_FAILED;
}

static enum err take_cycle(void *ctx, const void *row)
{
	const struct sim_behaviour_cycles_out *c = row;
	struct reading *r = ctx;

	behaviour_cycle(r->to, c->began_ms, (uint64_t)c->agents);
	return OK;
}

static enum err take_session(void *ctx, const void *row)
{
	const struct sim_behaviour_sessions_out *s = row;
	struct reading *r = ctx;

	behaviour_session(r->to, &(struct behaviour_visit){.agent = (uint32_t)s->agent,
							   .how = kind_of(r->outcomes, s->outcome),
							   .at_ms = s->started_ms,
							   .items = s->items < 0 ? (double)NAN : s->items});
	return OK;
}

enum err behaviour_read(struct db *db, int64_t run, uint32_t agents, const struct behaviour_outcomes *outcomes,
			struct behaviour **out)
{
	struct reading r = {behaviour_new(agents), outcomes};
	enum err e = q_sim_behaviour_cycles(db, &(struct sim_behaviour_cycles_in){run}, take_cycle, &r);

	if (!e)
		e = q_sim_behaviour_sessions(db, &(struct sim_behaviour_sessions_in){run}, take_session, &r);
	if (e)
		behaviour_free(&r.to);
	*out = r.to;
	return e;
}
