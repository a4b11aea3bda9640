/*
 * The pictures of a report: what was done over simulated time, by hour and by day; how fast answers came, over real
 * time and by endpoint; cohorts. Each is left out when there is nothing to show.
 */
#include "sim/plot.h"
#include "sim/report_priv.h"

#include "base/magic.h"
#include "base/vec.h"

#include <math.h>
#include <stdlib.h>

enum { BARS_MAX = 180, LABELS = 7, SAMPLE_MIN = 3, ENDPOINTS_SHOWN = 24 };

/* ---- sessions over simulated time ---- */

static void add(struct report_cycle *to, const struct report_cycle *c)
{
	to->sessions += c->sessions;
	to->completed += c->completed;
	to->abandoned += c->abandoned;
	to->failed += c->failed;
}

static void bar_title(struct buf *b, const struct report_cycle *c, size_t cycles)
{
	buf_reset(b);
	words_hour(b, c->began);
	buf_fmt(b, ", %zu cycles: %lld sessions, %lld completed, %lld abandoned, %lld failed", cycles,
		(long long)c->sessions, (long long)c->completed, (long long)c->abandoned, (long long)c->failed);
}

static void stack(struct plot *p, double x, size_t cycles, const struct report_cycle *c, struct buf *title)
{
	double low = (double)c->completed, middle = low + (double)c->abandoned, x_end = x + (double)cycles * 0.92;

	bar_title(title, c, cycles);
	plot_bar(p, x, x_end, 0, low, "good", buf_str(title));
	plot_bar(p, x, x_end, low, middle, "idle", buf_str(title));
	if (c->failed > 0)
		plot_bar(p, x, x_end, middle, middle + (double)c->failed, "bad", buf_str(title));
}

/* The least of the steps at which there are no more than LABELS. */
static int64_t step_of(int64_t span, const int64_t *steps, size_t count)
{
	size_t i = 0;

	while (i < count - 1 && span / steps[i] > LABELS)
		i++;
	return span / steps[i] > LABELS ? span / LABELS : steps[i];
}

static void cycle_labels(struct plot *p, const struct sim_report *r)
{
	static const int64_t steps[] = {1, 2, 3, 6, 12, 24, 48, 72, 168, 336, 672};
	size_t step = (size_t)step_of((int64_t)r->cycles_count, steps, sizeof(steps) / sizeof(steps[0]));
	struct buf b = BUF_INIT(64);

	for (size_t i = 0; i < r->cycles_count; i += step) {
		buf_reset(&b);
		words_hour(&b, r->cycles[i].began);
		plot_x_label(p, (double)i + 0.5, buf_str(&b));
	}
	buf_free(&b);
}

static struct report_cycle group_of(const struct sim_report *r, size_t first, size_t each, size_t *count)
{
	struct report_cycle sum = {.began = r->cycles[first].began};

	for (*count = 0; *count < each && first + *count < r->cycles_count; (*count)++)
		add(&sum, &r->cycles[first + *count]);
	return sum;
}

static void sessions(const struct sim_report *r, struct buf *b)
{
	static const struct plot_key keys[] = {{"good", "completed"}, {"idle", "abandoned"}, {"bad", "failed"}};
	size_t each = (r->cycles_count + BARS_MAX - 1) / BARS_MAX, count;
	struct plot p = {.b = b, .x_to = (double)r->cycles_count};
	struct buf title = BUF_INIT(512);

	if (r->cycles_count < 2)
		return;
	for (size_t i = 0; i < r->cycles_count; i += each)
		p.y_to = fmax(p.y_to, (double)group_of(r, i, each, &count).sessions);
	plot_begin(&p, each == 1 ? "Sessions of each simulated hour" : "Sessions over simulated time", keys,
		   sizeof(keys) / sizeof(keys[0]));
	for (size_t i = 0; i < r->cycles_count; i += each) {
		struct report_cycle sum = group_of(r, i, each, &count);

		stack(&p, (double)i, count, &sum, &title);
	}
	cycle_labels(&p, r);
	plot_end(&p);
	buf_free(&title);
}

/* ---- by hour and by day ---- */

static double mean_of(const struct report_bin *bin)
{
	return bin->cycles > 0 ? (double)bin->sessions / (double)bin->cycles : 0;
}

static void bins(const char *caption, const struct report_bin *of, size_t count, unsigned label_each, struct buf *b)
{
	struct plot p = {.b = b, .x_to = (double)count};
	struct buf title = BUF_INIT(256);

	for (size_t i = 0; i < count; i++)
		p.y_to = fmax(p.y_to, mean_of(&of[i]));
	if (p.y_to == 0)
		return;
	plot_begin(&p, caption, NULL, 0);
	for (size_t i = 0; i < count; i++) {
		buf_reset(&title);
		buf_fmt(&title, "%.*s: %.2f sessions a cycle, of %lld cycles", STRF(of[i].name), mean_of(&of[i]),
			(long long)of[i].cycles);
		plot_bar(&p, (double)i + 0.1, (double)i + 0.9, 0, mean_of(&of[i]), "good", buf_str(&title));
		if (i % label_each == 0)
			plot_x_label(&p, (double)i + 0.5, of[i].name);
	}
	plot_end(&p);
	buf_free(&title);
}

/* ---- over real time ---- */

static double *column(const struct sim_report *r, double (*value)(const struct sim_report *, size_t))
{
	double *v = must_alloc(r->samples_count * sizeof(*v));

	for (size_t i = 0; i < r->samples_count; i++)
		v[i] = value(r, i);
	return v;
}

static double elapsed(const struct sim_report *r, size_t i)
{
	return (double)r->samples[i].elapsed_ms;
}

static double answered_within(int64_t us)
{
	return us > 0 ? (double)us / 1000 : (double)NAN;
}

static double p50(const struct sim_report *r, size_t i)
{
	return answered_within(r->samples[i].p50_us);
}

static double p95(const struct sim_report *r, size_t i)
{
	return answered_within(r->samples[i].p95_us);
}

static double p99(const struct sim_report *r, size_t i)
{
	return answered_within(r->samples[i].p99_us);
}

/* Of the time since the sample before. */
static double rate(const struct sim_report *r, size_t i)
{
	int64_t ms = i > 0 ? r->samples[i].elapsed_ms - r->samples[i - 1].elapsed_ms : 0;

	return ms > 0 ? (double)(r->samples[i].requests - r->samples[i - 1].requests) * 1000 / (double)ms
		      : (double)NAN;
}

static double memory(const struct sim_report *r, size_t i)
{
	return (double)r->samples[i].memory_bytes / (1 << 20);
}

static double greatest(const double *v, size_t count)
{
	double max = 0;

	for (size_t i = 0; i < count; i++)
		max = fmax(max, v[i]); /* which passes over NAN */
	return max;
}

static double least(const double *v, size_t count)
{
	double min = HUGE_VAL;

	for (size_t i = 0; i < count; i++)
		min = fmin(min, v[i]);
	return min;
}

static void elapsed_labels(struct plot *p)
{
	static const int64_t steps[] = {1,   2,    5,    10,   15,    30,    60,    120,   300,    600,
					900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800};
	int64_t span = (int64_t)(p->x_to - p->x_from) / 1000;
	int64_t step = step_of(span, steps, sizeof(steps) / sizeof(steps[0])) * 1000;
	struct buf b = BUF_INIT(64);

	for (int64_t at = ((int64_t)p->x_from / step + 1) * step; (double)at < p->x_to; at += step) {
		buf_reset(&b);
		words_span(&b, at);
		plot_x_label(p, (double)at, buf_str(&b));
	}
	buf_free(&b);
}

static struct plot over_time(const struct sim_report *r, struct buf *b)
{
	return (struct plot){.b = b, .x_from = elapsed(r, 0), .x_to = elapsed(r, r->samples_count - 1)};
}

static void latencies(const struct sim_report *r, const double *x, struct buf *b)
{
	static const struct plot_key keys[] = {{"first", "half"}, {"second", "95 of 100"}, {"third", "99 of 100"}};
	double *half = column(r, p50), *most = column(r, p95), *nearly_all = column(r, p99);
	struct plot p = over_time(r, b);

	p.log_y = true;
	p.y_from = least(half, r->samples_count);
	p.y_to = greatest(nearly_all, r->samples_count);
	if (p.y_to > 0) {
		plot_begin(&p, "Answered within, ms, over the run", keys, sizeof(keys) / sizeof(keys[0]));
		plot_line(&p, "first", x, half, r->samples_count);
		plot_line(&p, "second", x, most, r->samples_count);
		plot_line(&p, "third", x, nearly_all, r->samples_count);
		elapsed_labels(&p);
		plot_end(&p);
	}
	free(half);
	free(most);
	free(nearly_all);
}

static void rates(const struct sim_report *r, const double *x, struct buf *b)
{
	static const struct plot_key keys[] = {{"first", "sent"}, {"bad", "allowed"}};
	double *sent = column(r, rate);
	struct plot p = over_time(r, b);

	p.y_to = greatest(sent, r->samples_count);
	if (p.y_to > 0) {
		bool limit = r->target.n > 0 && r->rate > 0 && r->rate < 5 * p.y_to; /* mocks have none */

		p.y_to = limit ? fmax(p.y_to, r->rate) : p.y_to;
		plot_begin(&p, "Requests a second, over the run", keys, limit ? 2 : 1);
		plot_line(&p, "first", x, sent, r->samples_count);
		if (limit)
			plot_level(&p, "limit", r->rate);
		elapsed_labels(&p);
		plot_end(&p);
	}
	free(sent);
}

static void memories(const struct sim_report *r, const double *x, struct buf *b)
{
	double *used = column(r, memory);
	struct plot p = over_time(r, b);

	p.y_to = greatest(used, r->samples_count);
	plot_begin(&p, "Memory, MiB, over the run", NULL, 0);
	plot_line(&p, "first", x, used, r->samples_count);
	elapsed_labels(&p);
	plot_end(&p);
	free(used);
}

static void over_the_run(const struct sim_report *r, struct buf *b)
{
	double *x;

	if (r->samples_count < SAMPLE_MIN)
		return;
	x = column(r, elapsed);
	rates(r, x, b);
	latencies(r, x, b);
	memories(r, x, b);
	free(x);
}

/* ---- by endpoint ---- */

static int slowest_first(const void *a, const void *b)
{
	const struct report_endpoint *const *x = a, *const *y = b;
	double d = (*y)->response.p95_ms - (*x)->response.p95_ms;

	return d > 0 ? 1 : d < 0 ? -1 : 0;
}

static void endpoint_row(struct plot *p, int row, const struct report_endpoint *e)
{
	const struct report_times *t = &e->response;
	struct buf title = BUF_INIT(2048);

	buf_fmt(&title, "%.*s, %lld requests: half %.1f ms, 95 of 100 %.1f ms, 99 of 100 %.1f ms, slowest %.1f ms",
		STRF(e->name), (long long)t->count, t->p50_ms, t->p95_ms, t->p99_ms, t->max_ms);
	plot_range(p, row, e->name, t->p50_ms, t->p95_ms, t->p99_ms, t->max_ms, buf_str(&title));
	buf_free(&title);
}

static double power_below(double v)
{
	return pow(10, floor(log10(fmax(v, 1e-3))));
}

static void endpoints(const struct sim_report *r, struct buf *b)
{
	VEC(const struct report_endpoint *) used = {0};
	struct plot p = {.b = b, .x_from = HUGE_VAL, .x_to = 0};

	for (size_t i = 0; i < r->endpoints_count; i++)
		if (r->endpoints[i].response.count > 0)
			*VEC_PUSH(&used) = &r->endpoints[i];
	if (used.n > 0) {
		qsort(used.v, used.n, sizeof(used.v[0]), slowest_first);
		p.rows = (int)(used.n < ENDPOINTS_SHOWN ? used.n : ENDPOINTS_SHOWN);
		for (int i = 0; i < p.rows; i++) {
			p.x_from = fmin(p.x_from, used.v[i]->response.p50_ms);
			p.x_to = fmax(p.x_to, used.v[i]->response.max_ms);
		}
		p.x_from = power_below(p.x_from);
		p.x_to = fmax(10 * power_below(p.x_to * 0.999), 10 * p.x_from);
		plot_begin(
			&p,
			"Answered within, by endpoint: bar from half to 99 of 100, ring at 95, dot at the slowest",
			NULL, 0);
		plot_range_axis(&p, " ms");
		for (int i = 0; i < p.rows; i++)
			endpoint_row(&p, i, used.v[i]);
		plot_end(&p);
	}
	VEC_FREE(&used);
}

/* ---- all ---- */

void report_plots(const struct sim_report *r, struct buf *b)
{
	sessions(r, b);
	bins("Sessions a cycle, by hour of the day", r->hours, r->hours_count, 3, b);
	bins("Sessions a cycle, by day of the week", r->weekdays, r->weekdays_count, 1, b);
	endpoints(r, b);
	over_the_run(r, b);
}
