/*
 * Reading thresholds, and measuring a run by them.
 */
#include "sim/thresholds.h"

#include "base/magic.h"
#include "sim/nearest.h"

#include <math.h>

static const struct {
	const char *name;
	enum threshold_kind kind;
} metrics[] = {
#define METRIC(constant, name_, kind_, doc) {name_, kind_},
	THRESHOLD_METRICS(METRIC)
#undef METRIC
};
enum { METRICS = sizeof(metrics) / sizeof(metrics[0]) };

/* ---- reading ---- */

static enum err wrong(struct problem *p, struct str text, const char *what, struct str word)
{
	return problem_set(p, ERR_USAGE, "--fail-if %.*s: %s%.*s", STRF(text), what, STRF(word));
}

static bool find_op(struct str text, size_t *at, size_t *length, enum threshold_op *op)
{
	for (*at = 0; *at < text.n; ++*at) {
		char c = text.p[*at];
		bool equal = *at + 1 < text.n && text.p[*at + 1] == '=';

		if (c != '>' && c != '<')
			continue;
		*length = equal ? 2 : 1;
		*op = c == '>' ? (equal ? OP_FROM : OP_OVER) : (equal ? OP_TO : OP_UNDER);
		return true;
	}
	return false;
}

static bool ends_with(struct str s, struct str end, struct str *before)
{
	if (s.n < end.n || !str_eq((struct str){s.p + s.n - end.n, end.n}, end))
		return false;
	*before = str_trim((struct str){s.p, s.n - end.n});
	return true;
}

static bool read_time_ms(struct str s, double *out)
{
	static const struct {
		const char *unit;
		double ms;
	} units[] = {{"ms", 1}, {"us", 0.001}, {"s", 1000}};

	for (unsigned i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		struct str number;

		if (ends_with(s, str_of(units[i].unit), &number) && str_to_f64(number, out)) {
			*out *= units[i].ms;
			return true;
		}
	}
	return false;
}

static bool read_share(struct str s, double *out)
{
	struct str number;

	if (ends_with(s, STR("%"), &number)) {
		bool read = str_to_f64(number, out);

		*out /= 100;
		return read;
	}
	return str_to_f64(s, out);
}

static enum err read_value(struct threshold *t, struct str s, struct problem *p)
{
	bool read = false;

	switch (metrics[t->metric].kind) {
	case THRESHOLD_TIME:
		read = read_time_ms(s, &t->value);
		break;
	case THRESHOLD_SHARE:
		read = read_share(s, &t->value);
		break;
	case THRESHOLD_COUNT:
		read = str_to_f64(s, &t->value);
		break;
	}
	if (read && isfinite(t->value) && t->value >= 0)
		return OK;
	switch (metrics[t->metric].kind) {
	case THRESHOLD_TIME:
		return wrong(p, t->text, "a time is needed, as 200ms, 1.5s or 800us, not ", s);
	case THRESHOLD_SHARE:
		return wrong(p, t->text, "a share is needed, as 2.5% or 0.025, not ", s);
	case THRESHOLD_COUNT:
		return wrong(p, t->text, "a number is needed, not ", s);
	}
	UNREACHABLE();
}

static bool read_statistic(struct str s, double *percent)
{
	if (str_eqz(s, "max"))
		*percent = 100;
	else if (str_eqz(s, "mean"))
		*percent = -1;
	else
		return s.n > 1 && s.p[0] == 'p' && str_to_f64((struct str){s.p + 1, s.n - 1}, percent) &&
		       *percent > 0 && *percent <= 100;
	return true;
}

static enum err find_endpoint(struct threshold *t, struct str name, const struct scenario *s, struct problem *p)
{
	struct nearest near = nearest_to(name);

	for (unsigned i = 0; i < scenario_endpoint_count(s); i++) {
		if (str_eq(scenario_endpoint_name(s, i), name)) {
			t->endpoint = (int)i;
			return OK;
		}
		nearest_consider(&near, scenario_endpoint_name(s, i));
	}
	return problem_set(p, ERR_USAGE, "--fail-if %.*s: the scenario has no endpoint \"%.*s\"%s", STRF(t->text),
			   STRF(name), nearest_hint(&near).text);
}

static enum err unknown(struct threshold *t, struct str metric, struct problem *p)
{
	struct nearest near = nearest_to(metric);

	for (unsigned i = 0; i < METRICS; i++)
		if (metrics[i].kind != THRESHOLD_TIME)
			nearest_consider(&near, str_of(metrics[i].name));
	return problem_set(p, ERR_USAGE,
			   "--fail-if %.*s: \"%.*s\" is no metric%s; times are http, service and throttle "
			   "with .p50, .p99.9, .max or .mean",
			   STRF(t->text), STRF(metric), nearest_hint(&near).text);
}

static struct str after(struct str s, size_t n)
{
	return (struct str){s.p + n, s.n - n};
}

/* What follows the last bracket; false: there is no bracket where one has to be. */
static bool cut_endpoint(struct str *rest, struct str *endpoint)
{
	size_t end = rest->n;

	while (end > 0 && rest->p[end - 1] != ']')
		end--;
	if (end == 0)
		return false;
	*endpoint = (struct str){rest->p + 1, end - 2};
	*rest = after(*rest, end);
	return true;
}

/* ".p95", "[POST /api/orders].p95": of a time. */
static enum err read_time(struct threshold *t, struct str metric, struct str rest, const struct scenario *s,
			  struct problem *p)
{
	struct str endpoint = {0};

	if (rest.n > 0 && rest.p[0] == '[' && !cut_endpoint(&rest, &endpoint))
		return unknown(t, metric, p);
	if (rest.n == 0 || rest.p[0] != '.' || !read_statistic(after(rest, 1), &t->percent))
		return unknown(t, metric, p);
	return endpoint.p ? find_endpoint(t, endpoint, s, p) : OK;
}

static enum err read_metric(struct threshold *t, struct str metric, const struct scenario *s, struct problem *p)
{
	for (unsigned i = METRICS; i-- > 0;) { /* those with a dot in their names first */
		struct str name = str_of(metrics[i].name);

		t->metric = (enum threshold_metric)i;
		if (metrics[i].kind != THRESHOLD_TIME && str_eq(metric, name))
			return OK;
		if (metrics[i].kind == THRESHOLD_TIME && str_starts(metric, name))
			return read_time(t, metric, after(metric, name.n), s, p);
	}
	return unknown(t, metric, p);
}

enum err threshold_parse(struct str text, const struct scenario *s, struct threshold *out, struct problem *p)
{
	size_t at, length;
	struct str value;
	enum err e;

	*out = (struct threshold){.text = text, .endpoint = -1};
	if (!find_op(text, &at, &length, &out->op))
		return wrong(p, text, "one of > >= < <= is needed, as in http.p95>200ms", STR(""));
	value = str_trim((struct str){text.p + at + length, text.n - at - length});
	e = read_metric(out, str_trim((struct str){text.p, at}), s, p);
	return e ? e : read_value(out, value, p);
}

/* ---- measuring ---- */

static const struct latency *of_endpoint(const struct threshold *t, const struct latencies *l)
{
	if (t->metric == THRESHOLD_SERVICE)
		return &l->service;
	return t->metric == THRESHOLD_THROTTLE ? &l->throttle : &l->response;
}

static double time_ms(const struct threshold *t, const struct engine_view *v)
{
	struct latency all = {0};
	double us;

	for (unsigned i = 0; i < v->endpoint_count; i++)
		if (t->endpoint < 0 || t->endpoint == (int)i)
			latency_merge(&all, of_endpoint(t, &v->endpoints[i]));
	us = t->percent < 0 ? latency_mean_us(&all) : (double)latency_at_us(&all, t->percent);
	latency_free(&all);
	return us / 1000;
}

static double share(uint64_t part, uint64_t whole)
{
	return whole > 0 ? (double)part / (double)whole : 0;
}

static double share_of_outcome(const struct engine_view *v, const struct scenario *s, enum outcome_kind kind)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < scenario_outcome_count(s); i++)
		if (scenario_outcome_kind(s, i) == kind)
			n += v->totals.by_outcome[i];
	return share(n, v->totals.sessions);
}

double threshold_measured(const struct threshold *t, const struct scenario *s, const struct engine_view *v)
{
	const struct counts *c = &v->totals;

	switch (t->metric) {
	case THRESHOLD_HTTP:
	case THRESHOLD_SERVICE:
	case THRESHOLD_THROTTLE:
		return time_ms(t, v);
	case THRESHOLD_FAILED_CALLS:
		return share(c->requests_failed, c->requests);
	case THRESHOLD_REQUESTS:
		return (double)c->requests;
	case THRESHOLD_RATE:
		return v->elapsed_ms > 0 ? (double)c->requests * 1000 / (double)v->elapsed_ms : 0;
	case THRESHOLD_SESSIONS:
		return (double)c->sessions;
	case THRESHOLD_COMPLETED:
		return share_of_outcome(v, s, END_COMPLETED);
	case THRESHOLD_ABANDONED:
		return share_of_outcome(v, s, END_ABANDONED);
	case THRESHOLD_FAILED:
		return share_of_outcome(v, s, END_FAILED);
	case THRESHOLD_TRIPS:
		return v->breaker.trips;
	case THRESHOLD_DROPPED:
		return (double)c->dropped_arrivals;
	case THRESHOLD_LATE:
		return (double)c->late_arrivals;
	case THRESHOLD_SLIPPED:
		return v->slipped;
	case THRESHOLD_SHORT:
		return (double)c->offers_short;
	}
	UNREACHABLE();
}

bool threshold_failed(const struct threshold *t, double measured)
{
	switch (t->op) {
	case OP_OVER:
		return measured > t->value;
	case OP_FROM:
		return measured >= t->value;
	case OP_UNDER:
		return measured < t->value;
	case OP_TO:
		return measured <= t->value;
	}
	UNREACHABLE();
}

void threshold_write(const struct threshold *t, double measured, struct buf *b)
{
	buf_fmt(b, "%.*s: ", STRF(t->text));
	if ((t->metric == THRESHOLD_HTTP || t->metric == THRESHOLD_SERVICE) && !(measured > 0)) {
		buf_z(b, "nothing was answered");
		return;
	}
	switch (metrics[t->metric].kind) {
	case THRESHOLD_TIME:
		buf_fmt(b, "%.3g ms", measured);
		return;
	case THRESHOLD_SHARE:
		buf_fmt(b, "%.3g %%", measured * 100);
		return;
	case THRESHOLD_COUNT:
		buf_fmt(b, "%.6g", measured);
		return;
	}
}
