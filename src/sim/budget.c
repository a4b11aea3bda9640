/*
 * The arithmetic, and its words.
 */
#include "sim/budget.h"

#include "base/magic.h"

#include <math.h>

enum { SAMPLE = 1000, HOURS = 168 };

static const char *const weekdays[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
				       "Friday", "Saturday", "Sunday"};

/* ---- reckoned ---- */

/* Adds what one agent is to be expected at each hour of a week. */
static void add_agent(const struct engine_config *c, const struct calendar *calendar, const struct moment *hours,
		      uint32_t agent, double *active)
{
	struct eagerness e;

	scenario_eagerness(c->scenario, c->population, agent, c->seed, &e);
	eagerness_normalise(calendar, &e);
	for (unsigned i = 0; i < HOURS; i++)
		active[i] += -expm1(-eagerness_in(&e, &hours[i]));
}

/* Of at most so many agents, evenly out of all. */
static void reckon_shares(const struct engine_config *c, struct budget *b)
{
	uint32_t step = b->agents / SAMPLE + 1, sampled = 0;
	double active[HOURS] = {0};
	struct moment hours[HOURS];
	struct calendar calendar;

	scenario_calendar(c->scenario, c->start_ms, &calendar);
	for (unsigned i = 0; i < HOURS; i++)
		calendar_moment(&calendar, i, &hours[i]);
	for (uint32_t a = 0; a < b->agents; a += step, sampled++)
		add_agent(c, &calendar, hours, a, active);
	for (unsigned i = 0; i < HOURS; i++) {
		double share = active[i] / sampled;

		b->mean += share / HOURS;
		if (share <= b->peak)
			continue;
		b->peak = share;
		b->peak_weekday = hours[i].weekday;
		b->peak_hour = hours[i].hour;
	}
}

void budget_of(const struct engine_config *c, struct budget *out)
{
	struct scenario_assumed assumed = scenario_assumptions(c->scenario);

	*out = (struct budget){
		.agents = population_count(c->population),
		.model = c->model,
		.calls = assumed.calls_per_agent,
		.assumed = assumed.active_share,
		.arrivals = fmax(c->arrivals.from, c->arrivals.to),
		.rate = c->rate,
		.cycle_s = c->time_scale > 0 ? 3600 / c->time_scale : 0,
	};
	if (c->model == MODEL_POPULATION)
		reckon_shares(c, out);
}

double budget_requests(const struct budget *b, double share)
{
	return b->agents * share * b->calls;
}

double budget_seconds(const struct budget *b, double share)
{
	return b->rate > 0 ? budget_requests(b, share) / b->rate : 0;
}

bool budget_fits(const struct budget *b)
{
	switch (b->model) {
	case MODEL_POPULATION:
		return b->cycle_s <= 0 || budget_seconds(b, fmax(b->assumed, b->peak)) <= b->cycle_s;
	case MODEL_CLOSED:
		return true;
	case MODEL_ARRIVALS:
		return b->rate <= 0 || b->arrivals * b->calls <= b->rate;
	}
	UNREACHABLE();
}

/* ---- in words ---- */

static void write_share(const struct budget *b, double share, struct buf *out)
{
	buf_fmt(out, "%.0f requests a cycle", budget_requests(b, share));
	if (b->rate > 0)
		buf_fmt(out, ", at %g/s %.1f s", b->rate, budget_seconds(b, share));
	if (b->rate > 0 && b->cycle_s > 0)
		buf_fmt(out, " of its %.1f s", b->cycle_s);
}

static void write_population(const struct budget *b, struct buf *out)
{
	if (b->assumed > 0 && b->calls > 0) {
		buf_fmt(out, "budget    %u agents x %.3g %% active x %.3g calls = ", b->agents, b->assumed * 100,
			b->calls);
		write_share(b, b->assumed, out);
		buf_c(out, '\n');
	}
	buf_fmt(out, "schedule  %.2f %% of the agents are active in a cycle, at most %.2f %% (%s %02d:00)",
		b->mean * 100, b->peak * 100, weekdays[b->peak_weekday], b->peak_hour);
	if (b->calls > 0) {
		buf_z(out, ": ");
		write_share(b, b->peak, out);
	}
	buf_c(out, '\n');
	if (!budget_fits(b))
		buf_fmt(out,
			"warning   a cycle can need %.1f s and has %.1f s: cycles will slip; raise --rate or lower "
			"--time-scale to %.3g\n",
			budget_seconds(b, fmax(b->assumed, b->peak)), b->cycle_s,
			floor(3600 / budget_seconds(b, fmax(b->assumed, b->peak))));
}

static void write_closed(const struct budget *b, struct buf *out)
{
	buf_fmt(out, "budget    %u agents begin again and again", b->agents);
	if (b->rate > 0)
		buf_fmt(out, ", and %g requests a second are let through", b->rate);
	buf_c(out, '\n');
}

static void write_arrivals(const struct budget *b, struct buf *out)
{
	buf_fmt(out, "budget    up to %g sessions a second x %.3g calls = %.3g requests a second", b->arrivals,
		b->calls, b->arrivals * b->calls);
	if (b->rate > 0)
		buf_fmt(out, ", and %g are let through", b->rate);
	buf_c(out, '\n');
	if (!budget_fits(b))
		buf_fmt(out, "warning   more is asked for than --rate lets through: sessions will wait, and be "
			     "dropped\n");
}

void budget_write(const struct budget *b, struct buf *out)
{
	switch (b->model) {
	case MODEL_POPULATION:
		write_population(b, out);
		return;
	case MODEL_CLOSED:
		write_closed(b, out);
		return;
	case MODEL_ARRIVALS:
		write_arrivals(b, out);
		return;
	}
}
