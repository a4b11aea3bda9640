/* See realism.h. A figure is a row of a table: what is measured, and by which formula it is uncertain. */
#include "sim/realism.h"

#include "base/buf.h"
#include "base/magic.h"
#include "sim/interval.h"
#include "sim/probability.h"
#include "sim/realism_types.h"
#include "json/pick.h"

#include <math.h>

enum { HOURS_A_WEEK = 168, DAY_MS = 24 * CALENDAR_HOUR_MS, BINS_MAX = BEHAVIOUR_HOURS, CELL_MIN = 5 };

#define NONE ((double)NAN)

/* ---- profiles ---- */

static struct str names_of_profiles(struct arena *a)
{
	struct buf b = BUF_INIT(0);
	struct str names;

	for (unsigned i = 0; profile_built_in(i); i++)
		buf_fmt(&b, "%s%s", i ? ", " : "", profile_built_in(i)->name);
	names = arena_str(a, buf_str(&b));
	buf_free(&b);
	return names;
}

enum err profile_load(struct str name, struct arena *a, struct sim_profile *out, struct problem *p)
{
	for (unsigned i = 0; profile_built_in(i); i++)
		if (str_eqz(name, profile_built_in(i)->name))
			return json_decode(&type_sim_profile, profile_built_in(i)->text, 0, a, out, p);
	return problem_set(p, ERR_NOT_FOUND, "there is no profile %.*s: there are %.*s", STRF(str_clip(name, 64)),
			   STRF(names_of_profiles(a)));
}

/* ---- figures ---- */

/* What the run says of one. */
struct measured {
	uint64_t count;
	double value, error; /* NONE: not measured; standard error, without the published figure's own */
	struct interval interval;
	const char *note; /* why it is not measured, or NULL */
};

static struct measured nothing(const char *why)
{
	return (struct measured){.value = NONE, .error = NONE, .note = why};
}

static struct measured share(uint64_t count, uint64_t of, const char *why_none)
{
	double p = (double)count / (double)of;

	if (!of)
		return nothing(why_none);
	return (struct measured){of, p, sqrt(p * (1 - p) / (double)of), interval_share(count, of), NULL};
}

static struct measured mean(double mean, double squares, uint64_t count, const char *why_none)
{
	double sd = count > 1 ? sqrt(squares / (double)(count - 1)) : 0;

	if (count < 2)
		return nothing(why_none);
	return (struct measured){count, mean, sd / sqrt((double)count), interval_mean(mean, sd, count), NULL};
}

/* The first value that so many are not above. */
static unsigned at_rank(const uint64_t *counts, uint64_t rank)
{
	unsigned i = 0;

	for (uint64_t below = counts[0]; below < rank; below += counts[i])
		i++;
	return i;
}

static struct measured median(const uint64_t *counts, uint64_t count, const char *why_none)
{
	uint64_t low, high;

	if (!interval_median(count, &low, &high))
		return nothing(why_none);
	return (struct measured){
		count, at_rank(counts, (count + 1) / 2), NONE, {at_rank(counts, low), at_rank(counts, high)}, NULL};
}

static const char no_sessions[] = "there were no sessions", no_carts[] = "there were no carts",
		  few_purchases[] = "there were too few purchases",
		  no_items[] = "the scenario does not keep \"items\"",
		  short_run[] = "too few purchases were followed for as long: it takes a longer run";

static struct measured conversion(const struct behaviour *b)
{
	return share(b->completed, b->completed + b->abandoned, no_sessions);
}

static struct measured carts(const struct behaviour *b)
{
	return share(b->carts, b->keeps_items ? b->completed + b->abandoned : 0,
		     b->keeps_items ? no_sessions : no_items);
}

static struct measured abandonment(const struct behaviour *b)
{
	return share(b->carts - b->carts_bought, b->carts, b->keeps_items ? no_carts : no_items);
}

static struct measured basket_mean(const struct behaviour *b)
{
	return mean(b->basket_mean, b->basket_squares, b->carts_bought, b->keeps_items ? few_purchases : no_items);
}

static struct measured basket_median(const struct behaviour *b)
{
	return median(b->basket, b->carts_bought, b->keeps_items ? few_purchases : no_items);
}

static struct measured again_7(const struct behaviour *b)
{
	uint64_t gaps[BEHAVIOUR_GAP_MAX + 1], purchases = behaviour_gaps(b, 7, gaps), again = 0;

	for (unsigned g = 0; g <= 7; g++)
		again += gaps[g];
	return share(again, purchases, short_run);
}

/* Gaps of 30 days and more count as 30. */
static uint64_t capped_gaps(const struct behaviour *b, uint64_t gaps[BEHAVIOUR_GAP_MAX + 1])
{
	uint64_t purchases = behaviour_gaps(b, BEHAVIOUR_GAP_MAX, gaps), shorter = 0;

	for (unsigned g = 0; g < BEHAVIOUR_GAP_MAX; g++)
		shorter += gaps[g];
	gaps[BEHAVIOUR_GAP_MAX] = purchases - shorter;
	return purchases;
}

static struct measured gap_mean(const struct behaviour *b)
{
	uint64_t gaps[BEHAVIOUR_GAP_MAX + 1], purchases = capped_gaps(b, gaps);
	double sum = 0, squares = 0, middle;

	for (unsigned g = 0; g <= BEHAVIOUR_GAP_MAX; g++)
		sum += g * (double)gaps[g];
	middle = purchases ? sum / (double)purchases : 0;
	for (unsigned g = 0; g <= BEHAVIOUR_GAP_MAX; g++)
		squares += (g - middle) * (g - middle) * (double)gaps[g];
	return mean(middle, squares, purchases, short_run);
}

static struct measured gap_median(const struct behaviour *b)
{
	uint64_t gaps[BEHAVIOUR_GAP_MAX + 1], purchases = capped_gaps(b, gaps);

	return median(gaps, purchases, short_run);
}

static struct measured visits(const struct behaviour *b)
{
	uint64_t sessions = b->completed + b->abandoned;
	double weeks = (double)b->seen / HOURS_A_WEEK;

	if (!b->seen)
		return nothing("no cycle is whole");
	return (struct measured){sessions, (double)sessions / weeks, sqrt((double)sessions) / weeks,
				 interval_rate(sessions, weeks), NULL};
}

static struct measured (*const measures[])(const struct behaviour *b) = {
	[REALISM_CONVERSION] = conversion,
	[REALISM_CARTS] = carts,
	[REALISM_ABANDONMENT] = abandonment,
	[REALISM_BASKET_MEAN] = basket_mean,
	[REALISM_BASKET_MEDIAN] = basket_median,
	[REALISM_AGAIN_7] = again_7,
	[REALISM_GAP_MEAN] = gap_mean,
	[REALISM_GAP_MEDIAN] = gap_median,
	[REALISM_VISITS] = visits,
};

static enum realism_verdict verdict(struct interval i, double low, double high)
{
	if (i.low > high || i.high < low)
		return REALISM_DIFFERENT;
	return i.low >= low && i.high <= high ? REALISM_ALIKE : REALISM_OPEN;
}

static void put_measured(struct realism_line *line, const struct measured *m, const struct profile_figure *f)
{
	double theirs = HAS(f, profile_figure, of) ? f->value * (1 - f->value) / (double)f->of : 0;
	double error = sqrt(m->error * m->error + theirs);

	line->verdict = (int)verdict(m->interval, f->low, f->high);
	PUT(line, realism_line, value, m->value);
	PUT(line, realism_line, low, fmax(0, m->interval.low));
	PUT(line, realism_line, high, m->interval.high);
	if (error > 0)
		PUT(line, realism_line, z, (m->value - f->value) / error);
}

static void judge_figure(const struct behaviour *b, const struct profile_figure *f, struct realism_line *line)
{
	struct measured m = measures[f->figure](b);

	*line = (struct realism_line){.figure = f->figure,
				      .count = (int64_t)m.count,
				      .published = f->value,
				      .alike_low = f->low,
				      .alike_high = f->high,
				      .verdict = REALISM_UNKNOWN,
				      .source = f->source};
	if (m.note)
		PUT(line, realism_line, note, str_of(m.note));
	else
		put_measured(line, &m, f);
}

/* ---- profiles of hours and weekdays ---- */

struct spread {
	unsigned count;
	const uint64_t *bought, *seen;
	double total; /* purchases */
	double expected[BINS_MAX];
};

static void take_shares(struct str list, double *out, unsigned count)
{
	struct pick at;
	bool more = pick_first(list, '[', &at);

	for (unsigned i = 0; i < count; i++) {
		CHECK(more && str_to_f64(at.value, &out[i]) && out[i] >= 0);
		more = pick_next(&at);
	}
	CHECK(!more);
}

/* Published shares times what was seen, as parts of 1. False: nothing of them was seen. */
static bool expect(struct spread *s, struct str shares)
{
	double sum = 0;

	take_shares(shares, s->expected, s->count);
	for (unsigned i = 0; i < s->count; i++)
		sum += s->expected[i] *= (double)s->seen[i];
	for (unsigned i = 0; i < s->count && sum > 0; i++)
		s->expected[i] /= sum;
	return sum > 0;
}

/* Neighbours are joined until 5 are expected; what is left at the end goes to the last cell. Returns the cells. */
static unsigned chi_square(const struct spread *s, double *out)
{
	double observed[BINS_MAX] = {0}, expected[BINS_MAX] = {0}, left = s->total;
	unsigned cells = 0;

	for (unsigned i = 0; i < s->count; i++) {
		observed[cells] += (double)s->bought[i];
		expected[cells] += s->expected[i] * s->total;
		if (expected[cells] < CELL_MIN || left - expected[cells] < CELL_MIN)
			continue;
		left -= expected[cells++];
	}
	*out = 0;
	for (unsigned i = 0; i <= cells; i++)
		*out += expected[i] > 0 ? (observed[i] - expected[i]) * (observed[i] - expected[i]) / expected[i]
					: 0;
	return cells + 1;
}

/* Mean of |share - expected|, where share is a binomial count by total: √(2 p (1 - p) / (π n)), nearly. */
static void put_distance(const struct spread *s, struct realism_shape *out)
{
	double distance = 0, by_chance = 0;

	for (unsigned i = 0; i < s->count; i++) {
		distance += fabs((double)s->bought[i] / s->total - s->expected[i]) / 2;
		by_chance += sqrt(2 * s->expected[i] * (1 - s->expected[i]) / (M_PI * s->total)) / 2;
	}
	PUT(out, realism_shape, distance, fmin(distance, 1));
	PUT(out, realism_shape, by_chance, fmin(by_chance, 1));
}

static enum realism_verdict shape_verdict(const struct realism_shape *s)
{
	if (s->p < 0.01)
		return s->distance <= s->tolerance ? REALISM_ALIKE : REALISM_DIFFERENT;
	return s->by_chance <= s->tolerance ? REALISM_ALIKE : REALISM_OPEN;
}

static void put_spread(const struct spread *s, struct realism_shape *out)
{
	double chi;
	unsigned cells = chi_square(s, &chi);

	if (cells < 2) {
		PUT(out, realism_shape, note, str_of(few_purchases));
		return;
	}
	PUT(out, realism_shape, chi_square, chi);
	PUT(out, realism_shape, df, cells - 1);
	PUT(out, realism_shape, p, chi_square_above(chi, cells - 1));
	put_distance(s, out);
	out->verdict = (int)shape_verdict(out);
}

static struct spread spread_of(const struct behaviour *b, enum realism_by by)
{
	struct spread s = {.total = (double)b->completed};

	switch (by) {
	case REALISM_HOURS:
		s.count = BEHAVIOUR_HOURS;
		s.bought = b->bought_hour;
		s.seen = b->seen_hour;
		break;
	case REALISM_WEEKDAYS:
		s.count = BEHAVIOUR_WEEKDAYS;
		s.bought = b->bought_weekday;
		s.seen = b->seen_weekday;
		break;
	}
	return s;
}

static void put_bins(const struct spread *s, struct arena *a, struct realism_shape *out)
{
	out->bins = ARENA_ARRAY(a, struct realism_bin, s->count);
	for (unsigned i = 0; out->bins && i < s->count; i++)
		out->bins[out->bins_count++] = (struct realism_bin){
			.share = s->total > 0 ? (double)s->bought[i] / s->total : 0, .expected = s->expected[i]};
}

static void judge_shape(const struct behaviour *b, const struct profile_shape *f, struct arena *a,
			struct realism_shape *out)
{
	struct spread s = spread_of(b, (enum realism_by)f->by);

	*out = (struct realism_shape){.by = f->by,
				      .count = (int64_t)b->completed,
				      .tolerance = f->tolerance,
				      .verdict = REALISM_UNKNOWN,
				      .source = f->source};
	if (expect(&s, f->shares))
		put_spread(&s, out);
	else
		PUT(out, realism_shape, note, STR("no cycle is whole"));
	put_bins(&s, a, out);
}

/* ---- all ---- */

void realism_judge(const struct behaviour *b, const struct sim_profile *profile, struct arena *a,
		   struct sim_realism *out)
{
	*out = (struct sim_realism){.profile = profile->name,
				    .about = profile->about,
				    .sessions = (int64_t)(b->completed + b->abandoned),
				    .failed = (int64_t)b->failed,
				    .lines = ARENA_ARRAY(a, struct realism_line, profile->figures_count),
				    .shapes = ARENA_ARRAY(a, struct realism_shape, profile->shapes_count)};
	if (b->began_ms >= 0)
		out->days = (double)(b->end_ms - b->began_ms) / DAY_MS;
	for (size_t i = 0; out->lines && i < profile->figures_count; i++)
		judge_figure(b, &profile->figures[i], &out->lines[out->lines_count++]);
	for (size_t i = 0; out->shapes && i < profile->shapes_count; i++)
		judge_shape(b, &profile->shapes[i], a, &out->shapes[out->shapes_count++]);
}
