/* See cost.h. The store sums by squad, member and model; here those are folded into what was asked for. */
#include "squads/cost.h"

#include "base/clock.h"
#include "base/map.h"
#include "base/vec.h"
#include "squads/squad.h"

#include <inttypes.h>
#include <stdlib.h>

enum { SUMS_MAX = 1000, MICRO = 1000000, USD_MAX = 2000, MS_PER_DAY = 86400000 };

/* ---- one call ---- */

static int64_t micro(double usd)
{
	return (int64_t)(usd * MICRO + 0.5);
}

/* A price that nobody asks for is a mistake in a file: none is known then. With this, no product overflows. */
static void list_price(const struct price *p, struct cost_entry_row *row)
{
	if (!p || p->input > USD_MAX || p->cache_read > USD_MAX || p->output > USD_MAX)
		return;
	row->listed = true;
	row->input_price = micro(p->input);
	row->cached_price = micro(p->cache_read);
	row->output_price = micro(p->output);
}

/* Tokens times millionths of a dollar for a million of them. */
static int64_t price_tokens(const struct cost_entry_row *row)
{
	int64_t fresh = row->input - row->cached;
	return (fresh * row->input_price + row->cached * row->cached_price + row->output * row->output_price +
		MICRO / 2) /
	       MICRO;
}

void cost_of_call(const struct cost_tables *list, const struct model_call *call, struct cost_entry_row *row)
{
	row->provider = call->provider;
	row->model = call->model;
	row->counted = HAS(call, model_call, input_tokens) && HAS(call, model_call, output_tokens);
	row->input = row->counted ? call->input_tokens : 0;
	row->output = row->counted ? call->output_tokens : 0;
	row->cached = HAS(call, model_call, cached_tokens) ? call->cached_tokens : 0;
	if (row->cached > row->input)
		row->cached = row->input;
	list_price(price_in(list, call->model, call->provider), row);
	row->priced = HAS(call, model_call, micro_usd) || (row->counted && row->listed);
	if (row->priced)
		row->micro_usd = HAS(call, model_call, micro_usd) ? call->micro_usd : price_tokens(row);
}

/* ---- months ---- */

enum err cost_month(struct str text, int64_t now_ms, int64_t *from_ms, int64_t *until_ms, struct problem *p)
{
	struct clock_date now = clock_date(now_ms);
	struct str rest, year = str_cut(text, '-', &rest);
	int64_t y = now.year, m = now.month;
	bool good = !text.n || (year.n == 4 && rest.n == 2 && str_to_i64(year, &y) && str_to_i64(rest, &m));
	if (!good || y < 1970 || m < 1 || m > 12)
		return problem_field(p, ERR_INVALID, "month", "must be a year and a month, such as 2026-11");
	*from_ms = clock_day(y, (int)m, 1) * MS_PER_DAY;
	*until_ms = *from_ms + clock_month_days(y, (int)m) * (int64_t)MS_PER_DAY;
	return OK;
}

/* ---- sums ---- */

struct folding {
	struct call *c;
	enum cost_by by;
	struct map places; /* hash of what is summed by, to 1 + its place */
	VEC(struct cost_sum) sums;
	struct cost_sum total;
};

static uint64_t key_of(const struct folding *f, const struct cost_sum_row *row)
{
	if (f->by == COST_BY_MODEL)
		return str_hash_seed(row->model, str_hash(row->provider));
	return (uint64_t)(f->by == COST_BY_MEMBER ? row->member : row->squad);
}

/* What its calls have in common. */
static void name(const struct folding *f, const struct cost_sum_row *row, struct cost_sum *sum)
{
	struct arena *a = f->c->arena;
	struct str called = {0};
	if (f->by == COST_BY_SQUAD) {
		PUT(sum, cost_sum, squad, row->squad);
		called = row->squad_name;
	}
	if (f->by == COST_BY_MEMBER && row->member) {
		PUT(sum, cost_sum, member, row->member);
		called = row->member_name;
	}
	if (called.n)
		PUT(sum, cost_sum, name, arena_str(a, called));
	if (f->by == COST_BY_MODEL) {
		PUT(sum, cost_sum, provider, arena_str(a, row->provider));
		PUT(sum, cost_sum, model, arena_str(a, row->model));
	}
}

static struct cost_sum *sum_for(struct folding *f, const struct cost_sum_row *row)
{
	struct cost_sum *sum;
	uint64_t key = key_of(f, row);
	uintptr_t place = (uintptr_t)map_get(&f->places, key);
	if (place)
		return &f->sums.v[place - 1];
	sum = VEC_PUSH(&f->sums);
	*sum = (struct cost_sum){0};
	map_put(&f->places, key, (void *)(uintptr_t)f->sums.n);
	name(f, row, sum);
	return sum;
}

static void add(struct cost_sum *sum, const struct cost_sum_row *row)
{
	sum->calls += row->calls;
	sum->unknown += row->calls - row->priced;
	sum->input_tokens += row->input;
	sum->cached_tokens += row->cached;
	sum->output_tokens += row->output;
	sum->micro_usd += row->micro_usd;
}

static enum err fold(void *ctx, const void *found)
{
	struct folding *f = ctx;
	add(sum_for(f, found), found);
	add(&f->total, found);
	return OK;
}

/* Nothing called costs nothing; of what is not known no zero is told. */
static void say(struct arena *a, struct cost_sum *sum)
{
	bool some = sum->calls == 0 || sum->unknown < sum->calls;
	if (!some) {
		sum->cost = STR("unknown");
		return;
	}
	PUT(sum, cost_sum, micro_usd, sum->micro_usd);
	sum->cost = arena_fmt(a, "%sUSD %" PRId64 ".%06" PRId64, sum->unknown ? "at least " : "",
			      sum->micro_usd / MICRO, sum->micro_usd % MICRO);
}

static int most_first(const void *a, const void *b)
{
	const struct cost_sum *one = a, *other = b;
	if (one->micro_usd != other->micro_usd)
		return one->micro_usd > other->micro_usd ? -1 : 1;
	return (one->calls < other->calls) - (one->calls > other->calls);
}

static enum err unfold(struct folding *f, enum err err, struct cost_report *out)
{
	size_t count = f->sums.n < SUMS_MAX ? f->sums.n : SUMS_MAX;
	struct arena *a = f->c->arena;
	out->sums = ARENA_ARRAY(a, struct cost_sum, count);
	out->sums_count = out->sums ? count : 0;
	out->more = f->sums.n > count;
	if (f->sums.n > 1)
		qsort(f->sums.v, f->sums.n, sizeof(*f->sums.v), most_first);
	for (size_t i = 0; i < out->sums_count; i++) {
		out->sums[i] = f->sums.v[i];
		say(a, &out->sums[i]);
	}
	out->total = f->total;
	say(a, &out->total);
	VEC_FREE(&f->sums);
	map_free(&f->places);
	return err ? err : out->sums ? OK : ERR_INTERNAL;
}

/* ---- entries ---- */

struct entries {
	struct arena *arena;
	struct map steps; /* id to its name, a struct str of the arena */
	struct cost_entry *v;
	size_t count;
};

static enum err take_step(void *ctx, const void *found)
{
	struct entries *e = ctx;
	const struct cost_step_names_out *row = found;
	struct str *name = ARENA_NEW(e->arena, struct str);
	if (!name)
		return ERR_INTERNAL;
	*name = arena_str(e->arena, row->name);
	map_put(&e->steps, (uint64_t)row->id, name);
	return OK;
}

/* The step's and the member's, where they are still there. */
static void name_entry(struct entries *e, const struct cost_entry_of_execution_out *row, struct cost_entry *to)
{
	const struct str *step = map_get(&e->steps, (uint64_t)row->step);
	if (step)
		PUT(to, cost_entry, step_name, *step);
	if (row->member)
		PUT(to, cost_entry, member, row->member);
	if (row->member_name.n)
		PUT(to, cost_entry, member_name, arena_str(e->arena, row->member_name));
}

static enum err take_entry(void *ctx, const void *found)
{
	struct entries *e = ctx;
	const struct cost_entry_of_execution_out *row = found;
	struct cost_entry *to = &e->v[e->count++];
	*to = (struct cost_entry){.id = row->id,
				  .at = row->at_ms,
				  .step = row->step,
				  .attempt = row->attempt,
				  .provider = arena_str(e->arena, row->provider),
				  .model = arena_str(e->arena, row->model)};
	name_entry(e, row, to);
	if (row->counted) {
		PUT(to, cost_entry, input_tokens, row->input);
		PUT(to, cost_entry, cached_tokens, row->cached);
		PUT(to, cost_entry, output_tokens, row->output);
	}
	if (row->listed) {
		PUT(to, cost_entry, input_price, row->input_price);
		PUT(to, cost_entry, cached_price, row->cached_price);
		PUT(to, cost_entry, output_price, row->output_price);
	}
	if (row->priced)
		PUT(to, cost_entry, micro_usd, row->micro_usd);
	return OK;
}

/* One more is read than is wanted, which tells whether there are more. */
static enum err read_entries(struct call *c, const struct execution_cost_in *asked, struct cost_report *out)
{
	size_t count = (size_t)asked->entries;
	struct entries e = {.arena = c->arena, .v = ARENA_ARRAY(c->arena, struct cost_entry, count + 1)};
	struct cost_entry_of_execution_in in = {asked->id, asked->entries + 1};
	enum err err = e.v ? q_cost_step_names(c->db, &(struct id_row){asked->id}, take_step, &e) : ERR_INTERNAL;
	if (!err)
		err = q_cost_entry_of_execution(c->db, &in, take_entry, &e);
	map_free(&e.steps);
	PUT(out, cost_report, entries, e.v);
	out->entries_count = e.count < count ? e.count : count;
	out->more = out->more || e.count > count;
	return err;
}

/* ---- reports ---- */

enum err cost_of_execution(struct call *c, const struct execution_cost_in *in, struct cost_report *out)
{
	struct folding f = {.c = c, .by = (enum cost_by)in->by};
	enum err err = q_cost_sum_of_execution(c->db, &(struct id_row){in->id}, fold, &f);
	err = unfold(&f, err, out);
	return err || !in->entries ? err : read_entries(c, in, out);
}

/* The month as it was asked for, or the one we are in. */
static void name_month(struct call *c, int64_t from_ms, struct cost_report *out)
{
	struct clock_date first = clock_date(from_ms);
	PUT(out, cost_report, month, arena_fmt(c->arena, "%04" PRId64 "-%02d", first.year, first.month));
}

enum err cost_of_squad(struct call *c, const struct squad_cost_in *in, struct cost_report *out)
{
	struct folding f = {.c = c, .by = (enum cost_by)in->by};
	struct cost_sum_of_squad_in asked = {.squad = in->id};
	struct squad_row row;
	enum err err = cost_month(in->month, c->now_ms, &asked.from_ms, &asked.until_ms, &c->problem);
	if (err)
		return err;
	err = squad_read(c, in->id, &row);
	if (!err)
		err = q_cost_sum_of_squad(c->db, &asked, fold, &f);
	name_month(c, asked.from_ms, out);
	return unfold(&f, err, out);
}

enum err cost_of_tenant(struct call *c, const struct costs_in *in, struct cost_report *out)
{
	struct folding f = {.c = c, .by = (enum cost_by)in->by};
	struct cost_sum_of_tenant_in asked = {.tenant = c->caller.tenant};
	enum err err = cost_month(in->month, c->now_ms, &asked.from_ms, &asked.until_ms, &c->problem);
	if (err)
		return err;
	err = q_cost_sum_of_tenant(c->db, &asked, fold, &f);
	name_month(c, asked.from_ms, out);
	return unfold(&f, err, out);
}

/* ---- budgets ---- */

enum err budget_show(struct call *c, int64_t squad, struct squad_budget *out)
{
	struct cost_spent_of_squad_in asked = {.squad = squad};
	struct cost_spent_of_squad_out spent = {0};
	struct squad_budget_get_out budget;
	struct squad_row row;
	enum err err = q_squad_get(c->db, &(struct id_row){squad}, c->arena, &row);
	if (err == ERR_NOT_FOUND || (!err && row.tenant != c->caller.tenant))
		return call_fail(c, ERR_NOT_FOUND, "there is no such squad here");
	if (!err)
		err = cost_month((struct str){0}, c->now_ms, &asked.from_ms, &asked.until_ms, &c->problem);
	if (!err)
		err = q_cost_spent_of_squad(c->db, &asked, c->arena, &spent);
	if (err)
		return err;
	out->squad = squad;
	out->spent_micro_usd = spent.micro_usd;
	err = q_squad_budget_get(c->db, &(struct id_row){squad}, c->arena, &budget);
	if (!err) {
		PUT(out, squad_budget, micro_usd, budget.micro_usd);
		out->is_spent = spent.micro_usd >= budget.micro_usd;
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err budget_set(struct call *c, const struct squad_budget_in *in, struct squad_budget *out)
{
	struct squad_budget_insert_in row = {in->id, c->caller.tenant, in->micro_usd, c->now_ms};
	enum err err = budget_show(c, in->id, out);
	if (!err)
		err = q_squad_budget_delete(c->db, &(struct id_row){in->id}, 1);
	if (!err && HAS(in, squad_budget_in, micro_usd))
		err = q_squad_budget_insert(c->db, &row, 1);
	*out = (struct squad_budget){0};
	return err ? err : budget_show(c, in->id, out);
}
