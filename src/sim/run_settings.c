/* See run_settings.h. */
#include "sim/run_settings.h"

#include "base/rng.h"

#include <math.h>
#include <string.h>

enum { SEED_BITS = 40 };
#define TIME_SCALE_MAX 1e9
#define ARRIVALS_MAX   1e6
#define START_MAX_MS   INT64_C(190288396800000) /* the year 8000: the longest run ends before 10000 */

/* ---- one flag ---- */

static enum err read_time_scale(struct str text, double *out, struct problem *p)
{
	*out = 0;
	if (str_eqz(text, "max"))
		return OK;
	if (str_to_f64(text, out) && *out > 0 && *out <= TIME_SCALE_MAX)
		return OK;
	return problem_field(p, ERR_INVALID, "--time-scale", "must be a number above 0, or max, not \"%.*s\"",
			     STRF(text));
}

static enum err read_start(struct str text, struct arena *a, int64_t *out, struct problem *p)
{
	bool is_date = text.n == sizeof("2026-01-05") - 1;
	struct sim_run_start start = {0};
	struct str time = is_date ? arena_fmt(a, "%.*sT00:00:00Z", STRF(text)) : text;

	if (json_set_text(&type_sim_run_start, sim_run_start__at, time, a, &start, NULL))
		return problem_field(p, ERR_INVALID, "--start",
				     "must be a date such as 2026-01-05, or a time such as 2026-01-05T08:00:00Z, "
				     "not \"%.*s\"",
				     STRF(text));
	if (start.at < 0 || start.at > START_MAX_MS)
		return problem_field(p, ERR_INVALID, "--start", "must be from 1970 to 8000, not \"%.*s\"",
				     STRF(text));
	if (start.at % CALENDAR_HOUR_MS != 0)
		return problem_field(p, ERR_INVALID, "--start", "must be a whole hour: a cycle is one");
	*out = start.at;
	return OK;
}

static enum err read_on_open(struct str text, struct run_settings *out, struct problem *p)
{
	struct str rest, word = str_cut(text, '=', &rest);
	double s;

	out->on_open = str_eqz(word, "exit") ? ON_OPEN_EXIT : ON_OPEN_WAIT;
	if (!rest.p && (str_eqz(word, "wait") || str_eqz(word, "exit")))
		return OK;
	out->on_open = ON_OPEN_COOLDOWN;
	if (!str_eqz(word, "cooldown") || !str_to_f64(rest, &s) || !(s >= 0 && s <= 1e6))
		return problem_field(p, ERR_INVALID, "--on-open",
				     "must be wait, exit or cooldown=SECONDS, not \"%.*s\"", STRF(text));
	out->cooldown_ms = (int64_t)(s * 1000);
	return OK;
}

/* ---- arrivals ---- */

static bool read_rate(struct str text, double *out)
{
	return str_to_f64(text, out) && *out >= 0 && *out <= ARRIVALS_MAX;
}

static bool read_plan(struct str text, struct arrival_plan *out)
{
	struct str rest, to, kind = str_cut(text, ':', &rest);
	bool ramp = str_eqz(kind, "ramp"), read;

	*out = (struct arrival_plan){.poisson = str_eqz(kind, "poisson")};
	if (!ramp && !out->poisson && !str_eqz(kind, "constant"))
		return false;
	if (!ramp) {
		read = read_rate(rest, &out->from);
		out->to = out->from;
		return read && out->from > 0;
	}
	read = read_rate(str_cut(rest, '-', &to), &out->from);
	return read && read_rate(to, &out->to) && out->from + out->to > 0;
}

/* How long the run is going to take, in seconds; 0: it does not say. */
static double run_seconds(const struct run_settings *s)
{
	const struct sim_run_args *g = s->given;
	double by_hours = HAS(g, sim_run_args, hours) ? g->hours * 3600 : HUGE_VAL;
	double by_cycles = g->cycles > 0 ? (double)g->cycles * 3600 / s->time_scale : HUGE_VAL;
	double s_run = fmin(by_hours, by_cycles);

	return isinf(s_run) ? 0 : s_run;
}

static enum err read_arrivals(struct run_settings *out, struct problem *p)
{
	struct str text = out->given->arrivals;

	out->arrives = text.n > 0;
	if (!out->arrives)
		return OK;
	if (!read_plan(text, &out->arrivals))
		return problem_field(p, ERR_INVALID, "--arrivals",
				     "must be constant:R, ramp:A-B or poisson:R, in sessions a second, as "
				     "constant:2.5, not \"%.*s\"",
				     STRF(text));
	if (out->time_scale <= 0)
		return problem_field(p, ERR_INVALID, "--arrivals",
				     "needs real time to arrive in: --time-scale cannot be max");
	out->arrivals.over_s = run_seconds(out);
	if (out->arrivals.from != out->arrivals.to && out->arrivals.over_s <= 0)
		return problem_field(p, ERR_INVALID, "--arrivals", "a ramp needs --cycles or --hours: its length");
	return OK;
}

/* ---- all of them ---- */

static enum err check_together(const struct sim_run_args *g, struct problem *p)
{
	bool agents = HAS(g, sim_run_args, agents), file = HAS(g, sim_run_args, population);

	if (g->resume && g->fresh)
		return problem_field(p, ERR_USAGE, "--fresh", "goes without --resume: it begins another run");
	if (g->checkpoint.n && !g->resume)
		return problem_field(p, ERR_USAGE, "--resume", "\"%.*s\" is meant for --resume",
				     STRF(str_clip(g->checkpoint, 64)));
	if (agents + file + g->from_directory > 1)
		return problem_field(p, ERR_USAGE, file ? "--population" : "--from-directory",
				     "one of --agents, --population and --from-directory says who takes part");
	if (g->mock_api && g->target.n)
		return problem_field(p, ERR_USAGE, "--target", "is not asked with --mock-api: give one of them");
	if (g->mock_db && g->store.n)
		return problem_field(p, ERR_USAGE, "--store", "is not written with --mock-db: give one of them");
	return OK;
}

/* In a check nobody is there to say how it goes on. */
static struct str on_open_of(const struct sim_run_args *given)
{
	return !HAS(given, sim_run_args, on_open) && given->fail_if_count ? STR("exit") : given->on_open;
}

/* A resume has that of the run; until that is known, none is drawn. */
static void draw_seed(struct sim_run_args *given)
{
	if (!HAS(given, sim_run_args, seed) && !given->resume)
		PUT(given, sim_run_args, seed, (int64_t)(rng_system_word() >> (64 - SEED_BITS)));
}

enum err run_settings_read(struct sim_run_args *given, struct arena *a, struct run_settings *out, struct problem *p)
{
	enum err e = check_together(given, p);

	*out = (struct run_settings){.given = given};
	if (!e)
		e = read_time_scale(given->time_scale, &out->time_scale, p);
	if (!e)
		e = read_start(given->start, a, &out->start_ms, p);
	if (!e)
		e = read_on_open(on_open_of(given), out, p);
	if (!e)
		e = read_arrivals(out, p);
	if (e)
		return e;
	draw_seed(given);
	out->seed = (uint64_t)given->seed;
	out->seed_text = arena_fmt(a, "%lld", (long long)given->seed);
	return OK;
}

/* ---- a resume ---- */

uint64_t run_settings_of_process(void)
{
	return BIT(sim_run_args, checkpoint) | BIT(sim_run_args, key) | BIT(sim_run_args, dir) |
	       BIT(sim_run_args, resume) | BIT(sim_run_args, fresh) | BIT(sim_run_args, dashboard) |
	       BIT(sim_run_args, json) | BIT(sim_run_args, metrics) | BIT(sim_run_args, alert_webhook) |
	       BIT(sim_run_args, alert_format) | BIT(sim_run_args, alert_email) | BIT(sim_run_args, alert_smtp) |
	       BIT(sim_run_args, alert_from);
}

/* Who takes part and what they decide. */
static uint64_t of_the_run(void)
{
	return BIT(sim_run_args, scenario) | BIT(sim_run_args, set) | BIT(sim_run_args, cohort) |
	       BIT(sim_run_args, agents) | BIT(sim_run_args, population) | BIT(sim_run_args, from_directory) |
	       BIT(sim_run_args, start) | BIT(sim_run_args, arrivals) | BIT(sim_run_args, warmup_cycles) |
	       BIT(sim_run_args, idle) | BIT(sim_run_args, seed) | BIT(sim_run_args, store) |
	       BIT(sim_run_args, mock_db);
}

static bool is_same(uint32_t field, const struct sim_run_args *a, const struct sim_run_args *b)
{
	struct buf left = BUF_INIT(0), right = BUF_INIT(0);
	bool same;

	json_show_field(&type_sim_run_args, field, a, &left);
	json_show_field(&type_sim_run_args, field, b, &right);
	same = str_eq(buf_str(&left), buf_str(&right));
	buf_free(&left);
	buf_free(&right);
	return same;
}

static void take_field(struct sim_run_args *to, const struct sim_run_args *from, uint32_t field)
{
	const struct json_type *t = &type_sim_run_args;
	uint32_t next = field + 1 < t->field_count ? t->fields[field + 1].offset : t->seen_offset;
	uint32_t at = t->fields[field].offset;

	memcpy((char *)to + at, (const char *)from + at, next - at);
	to->seen |= from->seen & UINT64_C(1) << field;
}

static enum err refuse_change(uint32_t field, struct problem *p)
{
	struct buf flag = BUF_INIT(0);
	enum err e;

	buf_z(&flag, "--");
	for (const char *c = type_sim_run_args.fields[field].name; *c; c++)
		buf_c(&flag, *c == '_' ? '-' : *c);
	e = problem_field(
		p, ERR_CONFLICT, buf_cstr(&flag),
		"is not what the run was begun with: leave it out, or begin a run of its own with --fresh");
	buf_free(&flag);
	return e;
}

enum err run_settings_take_over(struct sim_run_args *given, const struct sim_run_args *before, struct problem *p)
{
	for (uint32_t i = 0; i < type_sim_run_args.field_count; i++) {
		uint64_t bit = UINT64_C(1) << i;

		if (run_settings_of_process() & bit)
			continue;
		if (!(given->seen & bit))
			take_field(given, before, i);
		else if ((of_the_run() & bit) && !is_same(i, given, before))
			return refuse_change(i, p);
	}
	return OK;
}
