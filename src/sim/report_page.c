/*
 * What stands on the page of a report, in the order in which it is read: first for who decides, then for who checks.
 * Each table is a function of its own; TABLES names those that CSV can give.
 */
#include "sim/report_priv.h"

#include "base/clock.h"
#include "sim/wholefile.h"

enum { DAYS_SHOWN = 400, CYCLES_OF_A_DAY = 24, REPORT_BYTES_MAX = 1 << 30 };

/* ---- cells ---- */

static void cell_time(struct page *p, int64_t ms)
{
	char text[CLOCK_TEXT];

	clock_format(ms, text);
	page_cell(p, str_of(text));
}

static void cell_percent(struct page *p, double share)
{
	page_real(p, share * 100, 2);
}

static void cells_times(struct page *p, const struct report_times *t)
{
	page_real(p, t->p50_ms, 1);
	page_real(p, t->p95_ms, 1);
	page_real(p, t->p99_ms, 1);
	page_real(p, t->max_ms, 1);
}

static void row(struct page *p, const char *name, struct str value)
{
	page_cell(p, str_of(name));
	page_cell(p, value);
}

/* ---- tables ---- */

static void assumptions(const struct sim_report *r, struct page *p)
{
	static const struct page_column columns[] = {
		{"What", false}, {"Unit", false}, {"Assumed", true}, {"Measured", true}};
	static const char *const units[] = {[REPORT_COUNT] = "", [REPORT_SHARE] = "%", [REPORT_SECONDS] = "s"};

	PAGE_TABLE(p, "assumptions", columns);
	for (size_t i = 0; i < r->assumptions_count; i++) {
		const struct report_assumption *a = &r->assumptions[i];
		double scale = a->unit == REPORT_SHARE ? 100 : 1;
		int decimals = a->unit == REPORT_SECONDS ? 3 : 2;

		page_cell(p, a->what);
		page_cell(p, str_of(units[a->unit]));
		page_real(p, HAS(a, report_assumption, assumed) ? a->assumed * scale : PAGE_NONE, decimals);
		page_real(p, HAS(a, report_assumption, measured) ? a->measured * scale : PAGE_NONE, decimals);
	}
	page_table_end(p);
}

static void outcomes(const struct sim_report *r, struct page *p)
{
	static const struct page_column columns[] = {
		{"Outcome", false}, {"Kind", false}, {"Sessions", true}, {"Share %", true}, {"Margin ± %", true}};

	PAGE_TABLE(p, "outcomes", columns);
	for (size_t i = 0; i < r->outcomes_count; i++) {
		const struct report_outcome *o = &r->outcomes[i];

		page_cell(p, o->name);
		page_cell(p, str_of(enum_scenario_end.values[o->kind].text));
		page_int(p, o->sessions);
		cell_percent(p, o->share);
		cell_percent(p, o->margin);
	}
	page_table_end(p);
}

static void endpoint_row(struct page *p, struct str name, const struct report_times *response,
			 const struct report_times *service, const struct report_times *throttle)
{
	page_cell(p, name);
	page_int(p, response->count);
	cells_times(p, response);
	cells_times(p, service);
	page_real(p, throttle->p50_ms, 1);
	page_real(p, throttle->p95_ms, 1);
	page_real(p, throttle->max_ms, 1);
}

static void endpoints(const struct sim_report *r, struct page *p)
{
	static const struct page_column columns[] = {
		{"Endpoint", false},       {"Requests", true},        {"Response p50 ms", true},
		{"Response p95 ms", true}, {"Response p99 ms", true}, {"Response max ms", true},
		{"Service p50 ms", true},  {"Service p95 ms", true},  {"Service p99 ms", true},
		{"Service max ms", true},  {"Limiter p50 ms", true},  {"Limiter p95 ms", true},
		{"Limiter max ms", true}};

	PAGE_TABLE(p, "endpoints", columns);
	endpoint_row(p, STR("All"), &r->response, &r->service, &r->throttle);
	for (size_t i = 0; i < r->endpoints_count; i++)
		endpoint_row(p, r->endpoints[i].name, &r->endpoints[i].response, &r->endpoints[i].service,
			     &r->endpoints[i].throttle);
	page_table_end(p);
}

static void failures(const struct sim_report *r, struct page *p)
{
	static const struct page_column columns[] = {
		{"Failure", false}, {"Sessions", true}, {"First cycle", true}, {"Last cycle", true}};

	PAGE_TABLE(p, "failures", columns);
	for (size_t i = 0; i < r->failures_count; i++) {
		page_cell(p, r->failures[i].failure);
		page_int(p, r->failures[i].sessions);
		page_int(p, r->failures[i].first_cycle);
		page_int(p, r->failures[i].last_cycle);
	}
	page_table_end(p);
}

static void thresholds(const struct sim_report *r, struct page *p)
{
	static const struct page_column columns[] = {
		{"Must not be", false}, {"Measured", false}, {"Verdict", false}};

	PAGE_TABLE(p, "thresholds", columns);
	for (size_t i = 0; i < r->thresholds_count; i++) {
		page_cell(p, r->thresholds[i].condition);
		page_cell(p, r->thresholds[i].measured);
		page_cell(p, r->thresholds[i].failed ? STR("failed") : STR("held"));
	}
	page_table_end(p);
}

static void cohort_value(struct page *p, const struct report_cohort *c, const struct report_cohort_value *v)
{
	struct buf b = BUF_INIT(64);

	page_cell(p, v->name);
	page_cell(p, c->name.n ? c->name : STR("(all others)"));
	page_int(p, c->agents);
	page_int(p, v->sessions);
	page_real(p, v->mean, 4);
	page_real(p, HAS(v, report_cohort_value, margin) ? v->margin : PAGE_NONE, 4);
	page_real(p, HAS(v, report_cohort_value, difference) ? v->difference : PAGE_NONE, 4);
	page_real(p, HAS(v, report_cohort_value, difference_margin) ? v->difference_margin : PAGE_NONE, 4);
	buf_fmt(&b, "%.2g", v->p);
	page_cell(p, HAS(v, report_cohort_value, p) ? buf_str(&b) : (struct str){0});
	buf_reset(&b);
	buf_fmt(&b, "%.2g", v->p_raised);
	page_cell(p, HAS(v, report_cohort_value, p_raised) ? buf_str(&b) : (struct str){0});
	buf_free(&b);
}

static void cohorts(const struct sim_report *r, struct page *p)
{
	static const struct page_column columns[] = {{"Value", false},     {"Cohort", false},      {"Agents", true},
						     {"Sessions", true},   {"Mean", true},         {"Mean ±", true},
						     {"Difference", true}, {"Difference ±", true}, {"p", true},
						     {"p (Holm)", true}};

	PAGE_TABLE(p, "cohorts", columns);
	for (size_t value = 0; r->cohorts_count > 0 && value < r->cohorts[0].values_count; value++)
		for (size_t i = 0; i < r->cohorts_count; i++)
			cohort_value(p, &r->cohorts[i], &r->cohorts[i].values[value]);
	page_table_end(p);
}

static void bins(const char *name, const char *what, const struct report_bin *of, size_t count, struct page *p)
{
	const struct page_column columns[] = {
		{what, false}, {"Cycles", true}, {"Sessions", true}, {"Sessions a cycle", true}};

	PAGE_TABLE(p, name, columns);
	for (size_t i = 0; i < count; i++) {
		page_cell(p, of[i].name);
		page_int(p, of[i].cycles);
		page_int(p, of[i].sessions);
		page_real(p, of[i].cycles > 0 ? (double)of[i].sessions / (double)of[i].cycles : PAGE_NONE, 2);
	}
	page_table_end(p);
}

static void hours(const struct sim_report *r, struct page *p)
{
	bins("hours", "Hour", r->hours, r->hours_count, p);
}

static void weekdays(const struct sim_report *r, struct page *p)
{
	bins("weekdays", "Day", r->weekdays, r->weekdays_count, p);
}

static void realism(const struct sim_report *r, struct page *p)
{
	report_realism_figures(r, p);
}

static void profiles(const struct sim_report *r, struct page *p)
{
	report_realism_shapes(r, p);
}

/* ---- over time ---- */

static const struct page_column cycle_columns[] = {{"Cycle", true},     {"Began", false},   {"Attempt", true},
						   {"Replay", false},   {"Took ms", true},  {"Agents", true},
						   {"Active", true},    {"Sessions", true}, {"Completed", true},
						   {"Abandoned", true}, {"Failed", true},   {"Requests", true}};

static void cycle_row(struct page *p, const struct report_cycle *c)
{
	page_int(p, c->cycle);
	cell_time(p, c->began);
	page_int(p, c->attempt);
	page_cell(p, c->replay ? STR("yes") : STR("no"));
	page_int(p, c->took_ms);
	page_int(p, c->agents);
	page_int(p, c->active);
	page_int(p, c->sessions);
	page_int(p, c->completed);
	page_int(p, c->abandoned);
	page_int(p, c->failed);
	page_int(p, c->requests);
}

static void cycles(const struct sim_report *r, struct page *p)
{
	PAGE_TABLE(p, "cycles", cycle_columns);
	for (size_t i = 0; i < r->cycles_count; i++)
		cycle_row(p, &r->cycles[i]);
	page_table_end(p);
}

static void add_cycle(struct report_cycle *day, const struct report_cycle *c)
{
	day->took_ms += c->took_ms;
	day->agents = c->agents > day->agents ? c->agents : day->agents;
	day->active += c->active;
	day->sessions += c->sessions;
	day->completed += c->completed;
	day->abandoned += c->abandoned;
	day->failed += c->failed;
	day->requests += c->requests;
	day->attempt += c->replay;
}

static void day_row(struct page *p, const struct report_cycle *day, int64_t count)
{
	char text[CLOCK_TEXT];

	clock_format(day->began, text);
	page_cell(p, (struct str){text, sizeof("2026-01-05") - 1});
	page_int(p, count);
	page_int(p, day->attempt);
	page_real(p, (double)day->took_ms / 1000, 1);
	page_int(p, day->agents);
	page_int(p, day->sessions);
	page_int(p, day->completed);
	page_int(p, day->abandoned);
	page_int(p, day->failed);
	page_int(p, day->requests);
}

static int64_t day_of(const struct report_cycle *c)
{
	return c->began / (CYCLES_OF_A_DAY * INT64_C(3600000));
}

/* The cycles of one simulated day in a row; `attempt` counts those that were run again. */
static void days(const struct sim_report *r, struct page *p)
{
	static const struct page_column columns[] = {
		{"Day", false},     {"Cycles", true},    {"Run again", true}, {"Took s", true}, {"Agents", true},
		{"Sessions", true}, {"Completed", true}, {"Abandoned", true}, {"Failed", true}, {"Requests", true}};
	size_t i = 0;

	if (r->cycles_count > 0)
		while (day_of(&r->cycles[r->cycles_count - 1]) - day_of(&r->cycles[i]) >= DAYS_SHOWN &&
		       p->format != PAGE_CSV)
			i++;
	PAGE_TABLE(p, "days", columns);
	while (i < r->cycles_count) {
		struct report_cycle day = {.began = r->cycles[i].began};
		size_t first = i;

		for (; i < r->cycles_count && day_of(&r->cycles[i]) == day_of(&day); i++)
			add_cycle(&day, &r->cycles[i]);
		day_row(p, &day, (int64_t)(i - first));
	}
	page_table_end(p);
}

static void samples(const struct sim_report *r, struct page *p)
{
	static const struct page_column columns[] = {
		{"Elapsed s", true}, {"Simulated", false}, {"Cycle", true},     {"Sessions", true},
		{"Failures", true},  {"Requests", true},   {"In flight", true}, {"Queueing", true},
		{"p50 ms", true},    {"p95 ms", true},     {"p99 ms", true},    {"Memory MiB", true}};

	PAGE_TABLE(p, "samples", columns);
	for (size_t i = 0; i < r->samples_count; i++) {
		const struct run_sample *s = &r->samples[i];

		page_real(p, (double)s->elapsed_ms / 1000, 1);
		cell_time(p, s->simulated);
		page_int(p, s->cycle);
		page_int(p, s->sessions);
		page_int(p, s->failures);
		page_int(p, s->requests);
		page_int(p, s->in_flight);
		page_int(p, s->queueing);
		page_real(p, (double)s->p50_us / 1000, 1);
		page_real(p, (double)s->p95_us / 1000, 1);
		page_real(p, (double)s->p99_us / 1000, 1);
		page_real(p, (double)s->memory_bytes / (1 << 20), 1);
	}
	page_table_end(p);
}

/* Checkpoints are every few cycles; they matter to programs. */
static bool is_for_people(const struct run_event *e)
{
	return e->kind != RUN_CHECKPOINT;
}

static bool has_events_for_people(const struct sim_report *r)
{
	for (size_t i = 0; i < r->events_count; i++)
		if (is_for_people(&r->events[i]))
			return true;
	return false;
}

static void events(const struct sim_report *r, struct page *p)
{
	static const struct page_column columns[] = {
		{"At", false}, {"Cycle", true}, {"What", false}, {"In words", false}};

	PAGE_TABLE(p, "events", columns);
	for (size_t i = 0; i < r->events_count; i++) {
		if (p->format != PAGE_CSV && !is_for_people(&r->events[i]))
			continue;
		cell_time(p, r->events[i].at);
		page_int(p, r->events[i].cycle);
		page_cell(p, str_of(enum_run_event_kind.values[r->events[i].kind].text));
		page_cell(p, r->events[i].line);
	}
	page_table_end(p);
}

/* ---- how it was set up ---- */

static void row_real(struct page *p, const char *name, double v, const char *zero)
{
	page_cell(p, str_of(name));
	if (v == 0)
		page_cell(p, str_of(zero));
	else
		page_real(p, v, v == (double)(int64_t)v ? 0 : 2);
}

static void row_int(struct page *p, const char *name, int64_t v)
{
	page_cell(p, str_of(name));
	page_int(p, v);
}

static void row_time(struct page *p, const char *name, int64_t ms)
{
	page_cell(p, str_of(name));
	cell_time(p, ms);
}

static void settings(const struct sim_report *r, struct page *p)
{
	static const struct page_column columns[] = {{"Setting", false}, {"Value", false}};

	PAGE_TABLE(p, "settings", columns);
	row(p, "Run", r->run);
	row(p, "Scenario", r->scenario);
	row(p, "Population", r->population);
	row_int(p, "Agents", r->agents);
	row(p, "Target", r->target.n ? r->target : STR("none (--mock-api)"));
	row(p, "Records", r->store.n ? r->store : STR("none (--mock-db)"));
	row(p, "Seed", r->seed);
	row_real(p, "Time scale", r->time_scale, "as fast as it goes");
	row_real(p, "Requests a second, at most", r->rate, "no limit");
	row_int(p, "Requests at once, at most", r->burst);
	row_int(p, "Groups of connections", r->groups);
	row_int(p, "Threads", r->threads);
	row_int(p, "Cycles of warm-up", r->warmup_cycles);
	row_real(p, "Breaker opens above, % of agents", r->breaker_percent, "0");
	row_real(p, "Cycles planned", (double)r->cycles_planned, "until told to stop");
	row_real(p, "Most memory, MiB", (double)r->memory_peak_bytes / (1 << 20), "not known");
	row_time(p, "Begun", r->started);
	row(p, "Program", r->program);
	page_table_end(p);
}

/* ---- all of it ---- */

/* TABLE(name, "heading", whether it is only for CSV, whether there is any) */
#define TABLES(TABLE)                                                                                   \
	TABLE(thresholds, "Thresholds", false, r->thresholds_count > 0)                                 \
	TABLE(assumptions, "Assumed and measured", false, true)                                         \
	TABLE(outcomes, "How sessions ended", false, r->outcomes_count > 0)                             \
	TABLE(realism, "Beside published shoppers", false, HAS(r, sim_report, realism))                 \
	TABLE(profiles, "When they buy, beside published shoppers", false, r->realism.shapes_count > 0) \
	TABLE(cohorts, "Cohorts", false, r->cohorts_count > 0)                                          \
	TABLE(endpoints, "How long answers took", false, r->response.count > 0)                         \
	TABLE(failures, "Why sessions failed", false, r->failures_count > 0)                            \
	TABLE(days, "Day by day", false, r->cycles_count > 0)                                           \
	TABLE(hours, "By hour of the day", false, r->hours_count > 0)                                   \
	TABLE(weekdays, "By day of the week", false, r->weekdays_count > 0)                             \
	TABLE(events, "What happened", false, has_events_for_people(r))                                 \
	TABLE(cycles, "Cycle by cycle", true, r->cycles_count > 0)                                      \
	TABLE(samples, "Over time", true, r->samples_count > 0)                                         \
	TABLE(settings, "How it was set up", false, true)

static const char *const table_names[] = {
#define TABLE(name, heading, only_csv, any) #name,
	TABLES(TABLE)
#undef TABLE
		NULL,
};

const char *const *report_tables(void)
{
	return table_names;
}

static void tables(const struct sim_report *r, struct page *p)
{
#define TABLE(name, heading, only_csv, any)                    \
	if (p->format == PAGE_CSV || (!(only_csv) && (any))) { \
		page_heading(p, heading);                      \
		name(r, p);                                    \
	}
	TABLES(TABLE)
#undef TABLE
}

static void tile(struct buf *b, const char *label, struct buf *value)
{
	buf_z(b, "<div class=\"tile\"><b>");
	page_escape(b, buf_str(value));
	buf_fmt(b, "</b><span>%s</span></div>\n", label);
	buf_reset(value);
}

static void tiles(const struct sim_report *r, struct buf *b)
{
	struct buf v = BUF_INIT(256);
	int64_t sessions = 0, completed = 0;

	for (size_t i = 0; i < r->outcomes_count; i++) {
		sessions += r->outcomes[i].sessions;
		completed += r->outcomes[i].kind == SCENARIO_COMPLETED ? r->outcomes[i].sessions : 0;
	}
	buf_z(b, "<div class=\"tiles\">\n");
	words_count(&v, sessions);
	tile(b, "sessions", &v);
	words_percent(&v, sessions > 0 ? (double)completed / (double)sessions : 0);
	tile(b, "of them completed", &v);
	words_count(&v, r->totals.requests);
	tile(b, "requests", &v);
	words_count(&v, r->totals.requests_failed);
	tile(b, "of them failed", &v);
	if (r->response.count > 0) {
		words_ms(&v, r->response.p95_ms);
		tile(b, "95 of 100 answered within", &v);
	}
	words_count(&v, r->trips);
	tile(b, "times the breaker opened", &v);
	buf_z(b, "</div>\n");
	buf_free(&v);
}

static struct str title_of(const struct sim_report *r, struct buf *b)
{
	buf_fmt(b, "Simulated run: %.*s", STRF(HAS(r, sim_report, title) ? r->title : r->scenario));
	return buf_str(b);
}

static void doubts(const struct sim_report *r, struct page *p)
{
	if (r->doubts_count == 0)
		return;
	page_heading(p, "Before you believe it");
	if (p->format == PAGE_HTML)
		buf_z(p->b, "<div class=\"doubts\">\n");
	page_items(p, r->doubts, r->doubts_count);
	if (p->format == PAGE_HTML)
		buf_z(p->b, "</div>\n");
}

void report_page(const struct sim_report *r, struct page *p)
{
	struct buf title = BUF_INIT(8192);

	page_begin(p, title_of(r, &title));
	buf_reset(&title);
	buf_fmt(&title, "%.*s, ", STRF(r->run));
	words_hour(&title, r->started);
	buf_z(&title, " UTC");
	page_text(p, buf_str(&title));
	if (p->format == PAGE_HTML)
		tiles(r, p->b);
	page_items(p, r->summary, r->summary_count);
	doubts(r, p);
	if (p->format == PAGE_HTML)
		report_plots(r, p->b);
	tables(r, p);
	page_end(p);
	buf_free(&title);
}

/* ---- the formats ---- */

bool report_write(const struct sim_report *r, enum report_format format, struct str table, struct buf *b)
{
	static const enum page_format formats[] = {
		[REPORT_MARKDOWN] = PAGE_MARKDOWN, [REPORT_HTML] = PAGE_HTML, [REPORT_CSV] = PAGE_CSV};
	struct page p = {.b = b, .only = table};

	if (format == REPORT_JSON) {
		json_encode(&type_sim_report, r, 0, b);
		buf_c(b, '\n');
		return true;
	}
	p.format = formats[format];
	report_page(r, &p);
	return format != REPORT_CSV || p.found;
}

enum err report_save(const struct sim_report *r, struct str run_dir, struct problem *p)
{
	static const struct {
		enum report_format format;
		const char *name;
	} files[] = {{REPORT_MARKDOWN, "report.md"}, {REPORT_HTML, "report.html"}, {REPORT_JSON, "report.json"}};
	struct buf b = BUF_INIT(REPORT_BYTES_MAX);
	enum err e = OK;

	for (unsigned i = 0; !e && i < sizeof(files) / sizeof(files[0]); i++) {
		buf_reset(&b);
		report_write(r, files[i].format, (struct str){0}, &b);
		e = buf_ok(&b) ? wholefile_put(run_dir, files[i].name, 0644, buf_str(&b), p)
			       : problem_set(p, ERR_TOO_LARGE, "%s would be over %d bytes", files[i].name,
					     REPORT_BYTES_MAX);
	}
	buf_free(&b);
	return e;
}
