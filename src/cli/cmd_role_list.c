/*
 * role models, role presets: what a town's files say, listed.
 */
#include "cli/role.h"

#include "base/vec.h"
#include "cli/print.h"
#include "roles/cost.h"
#include "roles/provider.h"

#include <stdlib.h>

/* ---- models ---- */

struct listing {
	struct role_desk desk;
	struct cost_tables tables;
	VEC(struct role_model) rows;
};

static void put_price(struct role_model *row, const struct cost_tables *tables, const struct role_answer *answer)
{
	struct role_cost cost = role_cost_in(tables, answer);

	if (cost.usd_per_day >= 0)
		PUT(row, role_model, estimated_usd_per_day, (double)(int64_t)(cost.usd_per_day * 100 + 0.5) / 100);
}

static void put_answer(struct role_model *row, const struct role_answer *answer, struct arena *a)
{
	row->agent = arena_str(a, answer->agent);
	row->source = role_place(answer->at, rule_names[answer->rule], a);
	if (!str_eq(answer->runs, answer->agent))
		PUT(row, role_model, runs, arena_str(a, answer->runs));
	if (answer->model.n)
		PUT(row, role_model, model, arena_str(a, answer->model));
	if (answer->effort != EFFORT_UNSET)
		PUT(row, role_model, effort, str_of(effort_text(answer->effort)));
}

/* The last warning is the nearest to what stops it. */
static struct str trouble_of(const struct role_answer *answer, struct arena *a)
{
	if (answer->warning_count)
		return arena_str(a, answer->warnings[answer->warning_count - 1].text);
	return STR("its command is not installed");
}

static enum err no_rig(struct town *t, struct str name, struct arena *a, struct problem *p)
{
	return problem_set(p, ERR_NOT_FOUND, "%.*s", STRF(town_no_rig_text(t, name, a)));
}

static void list_role(struct listing *l, enum role role, struct str rig)
{
	const struct role_query q = {.role = str_of(role_texts[role]), .rig = rig};
	struct arena *a = l->desk.cli->arena;
	struct role_answer answer = {0};
	struct problem why = {0};
	struct role_model row = {.role = q.role, .source = STR("-")};
	enum err e = role_resolve(l->desk.town, &q, l->desk.state, a, &answer, &why);

	if (rig.n)
		PUT(&row, role_model, rig, rig);
	if (e)
		PUT(&row, role_model, trouble, arena_str(a, str_of(why.detail)));
	else
		put_answer(&row, &answer, a);
	if (!e)
		put_price(&row, &l->tables, &answer);
	if (!e && !answer.as_written)
		PUT(&row, role_model, trouble, trouble_of(&answer, a));
	*VEC_PUSH(&l->rows) = row;
}

static void list_roles(struct listing *l, struct str rig)
{
	for (int r = 0; r < ROLE_COUNT; r++)
		if (role_works_in_rig((enum role)r) == (rig.n > 0))
			list_role(l, (enum role)r, rig);
}

static enum err list_rigs(struct listing *l)
{
	struct cli *cli = l->desk.cli;
	struct str *names;
	size_t count;
	enum err e = town_rigs(l->desk.town, cli->arena, &names, &count, &cli->problem);

	list_roles(l, (struct str){0});
	for (size_t i = 0; i < count && !e; i++)
		list_roles(l, names[i]);
	return e;
}

enum err cmd_role_models(struct cli *cli, const void *args)
{
	const struct town_args *given = args;
	struct listing l = {0};
	struct role_models out = {0};
	enum err e = role_open(cli, given->town, &l.desk);

	if (e)
		return e;
	e = cost_tables_load(l.desk.files, l.desk.data, cli->arena, &l.tables, &cli->problem);
	town_refresh(l.desk.town);
	if (!e && given->rig.n && !town_rig(l.desk.town, given->rig))
		e = no_rig(l.desk.town, given->rig, cli->arena, &cli->problem);
	else if (!e && given->rig.n)
		list_roles(&l, given->rig);
	else if (!e)
		e = list_rigs(&l);
	out.items = l.rows.v;
	out.items_count = l.rows.n;
	if (!e)
		print_answer(cli, &type_role_models, &out, cli->verb->columns);
	VEC_FREE(&l.rows);
	role_close(&l.desk);
	return e;
}

/* ---- presets ---- */

struct catalogue {
	struct files *files;
	struct arena *arena;
	const struct agents *presets; /* what entries of config.json are filled from */
	VEC(struct role_preset) rows;
};

static void add_word(struct buf *b, struct str word)
{
	if (word.n && b->n)
		buf_c(b, ' ');
	buf_str_add(b, word);
}

static struct str words(struct arena *a, struct str first, struct str second, struct str third)
{
	struct buf b = BUF_INIT(0);
	struct str all;

	add_word(&b, first);
	add_word(&b, second);
	add_word(&b, third);
	all = arena_str(a, buf_str(&b));
	buf_free(&b);
	return all;
}

static void list_agent(struct catalogue *c, const struct town_agent *agent)
{
	const struct runtime filled = town_agent_filled(agent, c->presets, c->arena), *r = &filled;
	struct role_preset row = {
		.name = agent->name,
		.command = r->command,
		.args = r->args.v,
		.args_count = r->args.n,
		.installed = r->command.n && c->files->executable(c->files, r->command),
		.source = role_place(agent->at, agent->is_preset ? "built in" : "cost tiers", c->arena)};
	struct str alone = words(c->arena, r->non_interactive.subcommand, r->non_interactive.prompt_flag,
				 r->non_interactive.output_flag);

	if (alone.n)
		PUT(&row, role_preset, alone, alone);
	if (r->resume.flag.n)
		PUT(&row, role_preset, resume, r->resume.flag);
	if (runtime_model(r).n)
		PUT(&row, role_preset, model, runtime_model(r));
	*VEC_PUSH(&c->rows) = row;
}

static int by_name(const void *a, const void *b)
{
	const struct role_preset *x = a, *y = b;

	return str_cmp(x->name, y->name);
}

/* Where names are looked up, first to last: what is found earlier hides what comes later. */
struct stacks {
	const struct agents *v[4];
	size_t n;
};

static const struct agents *presets_of(const struct stacks *s)
{
	return s->v[s->n - 2]; /* before those of the tiers */
}

static const struct town_agent *look_up(const struct stacks *s, struct str name)
{
	const struct town_agent *found = NULL;

	for (size_t i = 0; i < s->n && !found; i++)
		found = agents_find(s->v[i], name);
	return found;
}

static void list_all(struct catalogue *c, const struct stacks *s)
{
	for (size_t k = 0; k < s->n; k++)
		for (const struct agents *layer = s->v[k]; layer; layer = layer->under)
			for (size_t i = 0; i < layer->n; i++)
				if (look_up(s, layer->v[i].name) == &layer->v[i])
					list_agent(c, &layer->v[i]);
	if (c->rows.n)
		qsort(c->rows.v, c->rows.n, sizeof(*c->rows.v), by_name);
}

static enum err find_stacks(struct town *t, struct str rig_name, struct arena *a, struct stacks *out,
			    struct problem *p)
{
	const struct rig *rig = rig_name.n ? town_rig(t, rig_name) : NULL;

	if (rig_name.n && !rig)
		return no_rig(t, rig_name, a, p);
	*out = (struct stacks){0};
	if (rig)
		out->v[out->n++] = &rig->settings->agents;
	out->v[out->n++] = &town_settings(t)->agents;
	out->v[out->n++] = rig ? rig->registry : town_registry(t);
	out->v[out->n++] = tier_agents();
	return OK;
}

static void print_presets(struct cli *cli, struct files *files, const struct stacks *s)
{
	struct catalogue c = {.files = files, .arena = cli->arena, .presets = presets_of(s)};
	struct role_presets out = {0};

	list_all(&c, s);
	out.items = c.rows.v;
	out.items_count = c.rows.n;
	print_answer(cli, &type_role_presets, &out, cli->verb->columns);
	VEC_FREE(&c.rows);
}

/* Without a town, those that are built in. */
enum err cmd_role_presets(struct cli *cli, const void *args)
{
	const struct town_args *given = args;
	struct stacks s = {{presets_builtin(), tier_agents()}, 2};
	struct role_desk desk;
	enum err e = role_open(cli, given->town, &desk);

	if (e == ERR_NOT_FOUND && !given->town.n && !given->rig.n) {
		problem_clear(&cli->problem);
		print_presets(cli, files_of_system(), &s);
		return OK;
	}
	if (e)
		return e;
	town_refresh(desk.town);
	e = find_stacks(desk.town, given->rig, cli->arena, &s, &cli->problem);
	if (!e)
		print_presets(cli, desk.files, &s);
	role_close(&desk);
	return e;
}
