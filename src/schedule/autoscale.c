/* See autoscale.h. Comments name the functions of Kubernetes whose steps these are. */
#include "schedule/autoscale.h"

#include <math.h>

const struct autoscale_rules autoscale_defaults = {.min = 2,
						   .max = 20,
						   .tolerance = 0.1,
						   .up_window_ms = 60000,
						   .down_window_ms = 300000,
						   .up_percent = 50,
						   .down_percent = 25,
						   .period_ms = 60000};

const struct autoscale_band autoscale_band_defaults = {
	.below = 20, .above = 100, .down_after_ms = 300000, .up_after_ms = 60000};

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t whole(double v)
{
	return v < 1e15 ? (int64_t)v : INT64_C(1000000000000000);
}

/* ---- what a metric proposes ---- */

static bool is_within(double tolerance, double ratio)
{
	return ratio >= 1 - tolerance && ratio <= 1 + tolerance;
}

/* GetExternalPerPodMetricReplicas. */
int64_t autoscale_by_total(double tolerance, double total, double target, int64_t current)
{
	if (target <= 0 || (current > 0 && is_within(tolerance, total / (target * (double)current))))
		return current;
	return whole(ceil(total / target));
}

/* Since when something has been so; 0 when it is not. */
static int64_t since(bool is_so, int64_t since_ms, int64_t now_ms)
{
	if (!is_so)
		return 0;
	return since_ms ? since_ms : now_ms;
}

int64_t autoscale_by_band(struct autoscale_band *b, int64_t depth, int64_t current, int64_t now_ms)
{
	b->high_since_ms = since(depth > b->above, b->high_since_ms, now_ms);
	b->low_since_ms = since(depth < b->below, b->low_since_ms, now_ms);
	if (b->high_since_ms && now_ms - b->high_since_ms >= b->up_after_ms)
		return (current * 3 + 1) / 2;
	if (b->low_since_ms && now_ms - b->low_since_ms >= b->down_after_ms)
		return current * 3 / 4;
	return current;
}

/* As KEDA's cron scaler: it is time when the end comes next. */
int64_t autoscale_by_hours(const struct autoscale_hours *hours, size_t count, int64_t now_ms)
{
	int64_t wanted = 0;
	for (size_t i = 0; i < count; i++) {
		const struct autoscale_hours *h = &hours[i];
		if (cron_next_ms(&h->end, h->zone, now_ms) < cron_next_ms(&h->begin, h->zone, now_ms))
			wanted = most(wanted, h->workers);
	}
	return wanted;
}

/* ---- what becomes of it ---- */

void autoscale_init(struct autoscaler *a, const struct autoscale_rules *rules)
{
	*a = (struct autoscaler){.rules = *rules};
}

void autoscale_free(struct autoscaler *a)
{
	VEC_FREE(&a->proposed);
	VEC_FREE(&a->changes);
}

/* stabilizeRecommendationWithBehaviors. */
static int64_t steady(struct autoscaler *a, int64_t proposed, int64_t current, int64_t now_ms)
{
	const struct autoscale_rules *r = &a->rules;
	int64_t up = proposed, down = proposed;
	size_t kept = 0;
	for (size_t i = 0; i < a->proposed.n; i++) {
		struct autoscale_note note = a->proposed.v[i];
		bool counts_up = note.at_ms > now_ms - r->up_window_ms;
		bool counts_down = note.at_ms > now_ms - r->down_window_ms;
		if (counts_up)
			up = least(up, note.value);
		if (counts_down)
			down = most(down, note.value);
		if (counts_up || counts_down)
			a->proposed.v[kept++] = note;
	}
	a->proposed.n = kept;
	*VEC_PUSH(&a->proposed) = (struct autoscale_note){now_ms, proposed};
	return current < up ? up : current > down ? down : current;
}

/* What there was at the beginning of the period. */
static int64_t at_begin(struct autoscaler *a, int64_t current, int64_t now_ms)
{
	size_t kept = 0;
	for (size_t i = 0; i < a->changes.n; i++)
		if (a->changes.v[i].at_ms > now_ms - a->rules.period_ms) {
			current -= a->changes.v[i].value;
			a->changes.v[kept++] = a->changes.v[i];
		}
	a->changes.n = kept;
	return current;
}

/* convertDesiredReplicasWithBehaviorRate. */
static int64_t slowly(struct autoscaler *a, int64_t wanted, int64_t current, int64_t now_ms)
{
	const struct autoscale_rules *r = &a->rules;
	double begin = (double)at_begin(a, current, now_ms);
	if (wanted > current) {
		int64_t limit = most(whole(ceil(begin * (1 + (double)r->up_percent / 100))), current);
		return least(wanted, least(r->max, limit));
	}
	if (wanted < current) {
		int64_t limit = least(whole(begin * (1 - (double)r->down_percent / 100)), current);
		return most(wanted, most(r->min, limit));
	}
	return wanted;
}

int64_t autoscale_decide(struct autoscaler *a, int64_t proposed, bool failed, int64_t current, int64_t now_ms)
{
	if (current > a->rules.max)
		return a->rules.max;
	if (current < a->rules.min)
		return a->rules.min;
	if (failed && proposed < current)
		return current;
	return slowly(a, steady(a, proposed, current, now_ms), current, now_ms);
}

void autoscale_changed(struct autoscaler *a, int64_t from, int64_t to, int64_t now_ms)
{
	if (from != to)
		*VEC_PUSH(&a->changes) = (struct autoscale_note){now_ms, to - from};
}
