/*
 * role cost: what the sessions of a town cost a day, by role; what they would under each cost tier; and the
 * budgets.
 *
 * A tier is tried as a person would: with GT_COST_TIER set, in a town of its own that reads the same files.
 */
#include "cli/role.h"

#include "base/vec.h"
#include "cli/print.h"
#include "roles/cost.h"

#include <stdlib.h>

/* To the cent: more would look like knowledge. */
static double cents(double usd)
{
	return (double)(int64_t)(usd * 100 + 0.5) / 100;
}

/* The sum over every role of a town and its rigs. */
struct bill {
	struct town *town;
	struct town_state *state;
	const struct role_cost_args *args;
	struct arena *arena;
	struct problem *problem;
	double usd_per_day;
	int64_t unpriced;
	const struct cost_tables *tables;
	bool keep; /* the lines too */
	VEC(struct role_cost_line) lines;
};

static int64_t sessions_of(const struct role_cost_args *args, enum role role)
{
	switch (role) {
	case ROLE_POLECAT:
		return args->polecats;
	case ROLE_CREW:
		return args->crew;
	case ROLE_DOG:
		return args->dogs;
	case ROLE_MAYOR:
	case ROLE_DEACON:
	case ROLE_WITNESS:
	case ROLE_REFINERY:
	case ROLE_BOOT:
		return 1;
	case ROLE_UNKNOWN:
		return 0;
	}
	return 0;
}

static void keep_line(struct bill *b, const struct role_query *q, const struct role_answer *answer,
		      const struct role_cost *cost, int64_t sessions)
{
	struct role_cost_line line = {
		.role = q->role, .agent = arena_str(b->arena, answer->runs), .sessions = sessions};

	if (q->rig.n)
		PUT(&line, role_cost_line, rig, q->rig);
	if (cost->model.n)
		PUT(&line, role_cost_line, model, arena_str(b->arena, cost->model));
	if (answer->effort != EFFORT_UNSET)
		PUT(&line, role_cost_line, effort, str_of(effort_text(answer->effort)));
	if (cost->usd_per_day >= 0)
		PUT(&line, role_cost_line, estimated_usd_per_day, cents(cost->usd_per_day * (double)sessions));
	if (cost->price)
		PUT(&line, role_cost_line, price,
		    arena_fmt(b->arena, "%s, %s", cost->price->source, cost->price->date));
	if (cost->usage)
		PUT(&line, role_cost_line, usage,
		    arena_fmt(b->arena, "%s, %s", cost->usage->source, cost->usage->date));
	*VEC_PUSH(&b->lines) = line;
}

static enum err add_role(struct bill *b, enum role role, struct str rig)
{
	const struct role_query q = {.role = str_of(role_texts[role]), .rig = rig};
	int64_t sessions = sessions_of(b->args, role);
	struct role_answer answer = {0};
	struct role_cost cost;
	enum err e = role_resolve(b->town, &q, b->state, b->arena, &answer, b->problem);

	if (e)
		return e;
	cost = role_cost_in(b->tables, &answer);
	if (cost.usd_per_day >= 0)
		b->usd_per_day += cost.usd_per_day * (double)sessions;
	else
		b->unpriced++;
	if (b->keep)
		keep_line(b, &q, &answer, &cost, sessions);
	return OK;
}

static enum err add_roles(struct bill *b, struct str rig)
{
	enum err e = OK;

	for (int r = 0; r < ROLE_COUNT && !e; r++)
		if (role_works_in_rig((enum role)r) == (rig.n > 0))
			e = add_role(b, (enum role)r, rig);
	return e;
}

static enum err add_town(struct bill *b)
{
	struct str *names;
	size_t count = 0;
	enum err e;

	town_refresh(b->town);
	if (b->args->rig.n)
		return add_roles(b, b->args->rig);
	e = town_rigs(b->town, b->arena, &names, &count, b->problem);
	if (!e)
		e = add_roles(b, (struct str){0});
	for (size_t i = 0; i < count && !e; i++)
		e = add_roles(b, names[i]);
	return e;
}

/* ---- tiers ---- */

struct tier_files {
	struct files files;
	struct files *system;
	const char *tier;
};

static const char *tier_env(struct files *f, const char *name)
{
	const struct tier_files *t = (const struct tier_files *)(const void *)f;

	return str_eqz(STR("GT_COST_TIER"), name) ? t->tier : t->system->env(t->system, name);
}

/* Roles that cannot be resolved are left out here: the town's own list tells of them. */
static double cost_of_tier(const struct bill *own, const char *tier)
{
	struct files *system = town_files(own->town);
	struct tier_files files = {*system, system, tier};
	struct problem ignored = {0};
	struct bill b = {.state = own->state,
			 .tables = own->tables,
			 .args = own->args,
			 .arena = own->arena,
			 .problem = &ignored};

	files.files.env = tier_env;
	if (town_open(&files.files, town_dir(own->town), (struct str){0}, &b.town, &ignored) != OK)
		return 0;
	add_town(&b);
	town_close(&b.town);
	return b.usd_per_day;
}

static void add_tiers(const struct bill *b, struct role_cost_report *out)
{
	out->tiers = ARENA_ARRAY(b->arena, struct role_cost_tier, tier_count);
	for (unsigned i = 0; i < tier_count && out->tiers; i++) {
		struct role_cost_tier *t = &out->tiers[out->tiers_count++];

		t->tier = str_of(tiers[i].name);
		t->estimated_usd_per_day = cents(cost_of_tier(b, tiers[i].name));
		t->doc = str_of(tiers[i].doc);
	}
}

/* ---- budgets ---- */

static void put_budget(const struct budget *from, struct arena *a, struct role_budget_line *to)
{
	static const int states[] = {[BUDGET_NONE] = BUDGET_STATE_WITHIN,
				     [BUDGET_WITHIN] = BUDGET_STATE_WITHIN,
				     [BUDGET_WARN] = BUDGET_STATE_WARN,
				     [BUDGET_OVER] = BUDGET_STATE_OVER};

	to->budget = arena_str(a, from->key);
	to->usd_per_day = from->usd_per_day;
	to->spent_usd = cents(from->spent);
	to->guessed_usd = cents(from->guessed);
	to->state = states[from->standing];
	PUT(to, role_budget_line, source, role_place(from->at, "", a));
}

static void add_budgets(const struct bill *b, struct str rig, struct role_cost_report *out)
{
	size_t count = 0;
	const struct budget *found = role_budgets(b->town, rig, b->state, b->arena, &count);

	out->budgets = ARENA_ARRAY(b->arena, struct role_budget_line, count);
	for (size_t i = 0; i < count && out->budgets; i++)
		put_budget(&found[i], b->arena, &out->budgets[out->budgets_count++]);
}

/* ---- the verb ---- */

static void put_bill(const struct bill *b, struct role_cost_report *out)
{
	char today[DAY_TEXT];
	struct files *files = town_files(b->town);

	day_of_ms(files->now_ms(files), today);
	*out = (struct role_cost_report){
		.estimated_usd_per_day = cents(b->usd_per_day),
		.recorded_usd_today = town_state_spent_usd(b->state, str_of(today), b->args->rig, (struct str){0}),
		.unpriced = b->unpriced,
		.roles = b->lines.v,
		.roles_count = b->lines.n,
	};
	add_tiers(b, out);
}

enum err cmd_role_cost(struct cli *cli, const void *args)
{
	const struct role_cost_args *given = args;
	struct role_cost_report out;
	struct cost_tables tables;
	struct role_desk desk;
	enum err e = role_open(cli, given->town, &desk);
	struct bill b = {.tables = &tables,
			 .town = desk.town,
			 .state = desk.state,
			 .args = given,
			 .arena = cli->arena,
			 .problem = &cli->problem,
			 .keep = true};

	if (e)
		return e;
	e = cost_tables_load(desk.files, desk.data, cli->arena, &tables, &cli->problem);
	if (!e)
		e = add_town(&b);
	if (!e) {
		put_bill(&b, &out);
		add_budgets(&b, given->rig, &out);
		print_answer(cli, &type_role_cost_report, &out, cli->verb->columns);
	}
	VEC_FREE(&b.lines);
	role_close(&desk);
	return e;
}
