/*
 * The run beside published figures (sim/realism.h): from its records, and as tables.
 */
#include "sim/behaviour.h"
#include "sim/realism.h"
#include "sim/report_priv.h"

#include <math.h>

/* ---- from records ---- */

static void take_outcomes(const struct sim_report *r, struct arena *a, struct behaviour_outcomes *out)
{
	static const enum outcome_kind kinds_of[] = {[SCENARIO_COMPLETED] = END_COMPLETED,
						     [SCENARIO_ABANDONED] = END_ABANDONED,
						     [SCENARIO_FAILED] = END_FAILED};
	struct str *names = ARENA_ARRAY(a, struct str, r->outcomes_count);
	enum outcome_kind *kinds = ARENA_ARRAY(a, enum outcome_kind, r->outcomes_count);

	*out = (struct behaviour_outcomes){names, kinds, 0};
	for (; names && kinds && out->count < r->outcomes_count; out->count++) {
		names[out->count] = r->outcomes[out->count].name;
		kinds[out->count] = kinds_of[r->outcomes[out->count].kind];
	}
}

enum err report_read_realism(struct db *db, int64_t run, struct arena *a, struct sim_report *r)
{
	struct behaviour_outcomes outcomes;
	struct sim_profile profile;
	struct behaviour *b;
	enum err e;

	if (!HAS(r, sim_report, profile) || profile_load(r->profile, a, &profile, NULL))
		return OK;
	take_outcomes(r, a, &outcomes);
	e = behaviour_read(db, run, (uint32_t)r->agents, &outcomes, &b);
	if (e)
		return e;
	realism_judge(b, &profile, a, &r->realism);
	r->seen |= BIT(sim_report, realism);
	behaviour_free(&b);
	return OK;
}

/* ---- as tables ---- */

static const char *const figure_names[] = {
	[REALISM_CONVERSION] = "Sessions that buy, %",
	[REALISM_CARTS] = "Sessions with a cart, %",
	[REALISM_ABANDONMENT] = "Carts left, %",
	[REALISM_BASKET_MEAN] = "Items of a purchase, mean",
	[REALISM_BASKET_MEDIAN] = "Items of a purchase, median",
	[REALISM_AGAIN_7] = "Purchases with another in 7 days, %",
	[REALISM_GAP_MEAN] = "Days to the next purchase, mean",
	[REALISM_GAP_MEDIAN] = "Days to the next purchase, median",
	[REALISM_VISITS] = "Sessions of an agent in a week",
};

static double scale_of(int figure)
{
	bool share = figure == REALISM_CONVERSION || figure == REALISM_CARTS || figure == REALISM_ABANDONMENT ||
		     figure == REALISM_AGAIN_7;

	return share ? 100 : 1;
}

static void cell_range(struct page *p, double low, double high)
{
	struct buf b = BUF_INIT(64);

	buf_fmt(&b, "%.4g to %.4g", low, high);
	page_cell(p, buf_str(&b));
	buf_free(&b);
}

static void figure_row(struct page *p, const struct realism_line *l)
{
	double scale = scale_of(l->figure);
	bool known = HAS(l, realism_line, value);

	page_cell(p, str_of(figure_names[l->figure]));
	page_real(p, known ? l->value * scale : PAGE_NONE, 2);
	if (known)
		cell_range(p, l->low * scale, l->high * scale);
	else
		page_cell(p, (struct str){0});
	page_int(p, l->count);
	page_real(p, l->published * scale, 2);
	cell_range(p, l->alike_low * scale, l->alike_high * scale);
	page_real(p, HAS(l, realism_line, z) ? l->z : PAGE_NONE, 1);
	page_cell(p, str_of(enum_realism_verdict.values[l->verdict].text));
	page_cell(p, HAS(l, realism_line, note) ? l->note : l->source);
}

void report_realism_figures(const struct sim_report *r, struct page *p)
{
	static const struct page_column columns[] = {
		{"Figure", false}, {"Run", true},       {"95 % confidence", false},
		{"Of", true},      {"Published", true}, {"Alike from", false},
		{"z", true},       {"Verdict", false},  {"Source, or why not", false}};

	PAGE_TABLE(p, "realism", columns);
	for (size_t i = 0; i < r->realism.lines_count; i++)
		figure_row(p, &r->realism.lines[i]);
	page_table_end(p);
}

static void shape_row(struct page *p, const struct realism_shape *s)
{
	struct buf b = BUF_INIT(64);
	bool known = HAS(s, realism_shape, p);

	buf_fmt(&b, "%.2g", s->p);
	page_cell(p, s->by == REALISM_HOURS ? STR("Purchases by hour") : STR("Purchases by weekday"));
	page_int(p, s->count);
	page_real(p, known ? s->chi_square : PAGE_NONE, 1);
	page_real(p, known ? (double)s->df : PAGE_NONE, 0);
	page_cell(p, known ? buf_str(&b) : (struct str){0});
	page_real(p, known ? s->distance * 100 : PAGE_NONE, 2);
	page_real(p, known ? s->by_chance * 100 : PAGE_NONE, 2);
	page_real(p, s->tolerance * 100, 2);
	page_cell(p, str_of(enum_realism_verdict.values[s->verdict].text));
	page_cell(p, HAS(s, realism_shape, note) ? s->note : s->source);
	buf_free(&b);
}

void report_realism_shapes(const struct sim_report *r, struct page *p)
{
	static const struct page_column columns[] = {
		{"Profile", false}, {"Purchases", true},          {"Chi-square", true},  {"Degrees", true},
		{"p", true},        {"Elsewhere %", true},        {"By chance %", true}, {"Alike up to %", true},
		{"Verdict", false}, {"Source, or why not", false}};

	PAGE_TABLE(p, "profiles", columns);
	for (size_t i = 0; i < r->realism.shapes_count; i++)
		shape_row(p, &r->realism.shapes[i]);
	page_table_end(p);
}
