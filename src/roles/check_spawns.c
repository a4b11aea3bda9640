/*
 * What would be started: every question that the files have a line for is asked, and what would not run as its line
 * says is told once, however many spawns it concerns.
 */
#include "roles/check_priv.h"

#include "base/map.h"

enum { NAMES_ASKED_MAX = 100 }; /* of one list and rig; that what they name exists is checked for all of them */

/* A mistake that spawns run into. */
struct concern {
	struct concern *same_hash;
	struct fault fault;
	struct str first; /* the first spawn, "witness of alpha" */
	size_t spawns;
};

struct spawns {
	struct check *c;
	struct arena *answers; /* emptied after each */
	struct map concerns;
	VEC(struct concern *) in_order;
};

static uint64_t hash_of_place(struct origin at)
{
	return str_hash_seed(str_of(at.path), (uint64_t)at.line << 32 ^ (uint64_t)at.column);
}

static uint64_t hash_of(const struct fault *f)
{
	return str_hash_seed(f->text, hash_of_place(f->at));
}

static struct str spawn_text(struct arena *a, const struct role_query *q)
{
	struct str who = q->name.n ? q->name : q->type;

	return arena_fmt(a, "%.*s%s%.*s%s%.*s", STRF(q->role), who.n ? " " : "", STRF(who), q->rig.n ? " of " : "",
			 STRF(q->rig));
}

static void concern(struct spawns *s, const struct role_query *q, const struct fault *f)
{
	uint64_t hash = hash_of(f);
	struct concern *one = map_get(&s->concerns, hash);

	while (one && fault_order(&one->fault, f) != 0)
		one = one->same_hash;
	if (one) {
		one->spawns++;
		return;
	}
	one = ARENA_NEW(s->c->arena, struct concern);
	if (!one)
		return;
	*one = (struct concern){.fault = *f, .first = spawn_text(s->c->arena, q), .spawns = 1};
	one->fault.text = arena_str(s->c->arena, f->text);
	one->same_hash = map_put(&s->concerns, hash, one);
	*VEC_PUSH(&s->in_order) = one;
}

static void ask(struct spawns *s, const struct role_query *q)
{
	struct role_answer answer;
	enum err e = role_resolve(s->c->town, q, NULL, s->answers, &answer, NULL);

	s->c->out->all_run &= e == OK && answer.as_written;
	for (size_t i = 0; i < answer.warning_count; i++) {
		answer.warnings[i].severity = answer.as_written ? SEVERITY_WARNING : SEVERITY_ERROR;
		concern(s, q, &answer.warnings[i]);
	}
	if (e != OK)
		concern(s, q, &answer.refusal);
	arena_reset(s->answers);
}

static void ask_named(struct spawns *s, struct role_query q, const struct mappings *names)
{
	for (size_t i = 0; i < names->n && i < NAMES_ASKED_MAX; i++) {
		q.name = names->v[i].key;
		ask(s, &q);
	}
}

static void ask_types(struct spawns *s, struct role_query q, const struct mappings *types)
{
	for (size_t i = 0; i < types->n && i < NAMES_ASKED_MAX; i++) {
		q.type = types->v[i].key;
		ask(s, &q);
	}
}

static void ask_in_rig(struct spawns *s, struct str rig)
{
	const struct settings *of_rig = town_rig(s->c->town, rig)->settings, *of_town = town_settings(s->c->town);

	for (unsigned role = 0; role < ROLE_COUNT; role++)
		if (role_works_in_rig((enum role)role))
			ask(s, &(struct role_query){.role = str_of(role_texts[role]), .rig = rig});
	ask_named(s, (struct role_query){.role = STR("crew"), .rig = rig}, &of_rig->worker_agents);
	ask_named(s, (struct role_query){.role = STR("crew"), .rig = rig}, &of_town->worker_agents);
	ask_named(s, (struct role_query){.role = STR("polecat"), .rig = rig}, &of_rig->polecat_agents);
	ask_named(s, (struct role_query){.role = STR("polecat"), .rig = rig}, &of_town->polecat_agents);
	ask_types(s, (struct role_query){.role = STR("polecat"), .rig = rig}, &of_rig->type_agents);
	ask_types(s, (struct role_query){.role = STR("polecat"), .rig = rig}, &of_town->type_agents);
}

/* What the files' own mistakes are about is told by them. */
static void note_places(const struct check *c, struct map *told)
{
	for (size_t i = 0; i < c->faults.n; i++)
		if (c->faults.v[i].severity != SEVERITY_HINT && c->faults.v[i].at.line)
			map_put(told, hash_of_place(c->faults.v[i].at), told);
}

static void tell(struct spawns *s)
{
	struct map told = {0};

	note_places(s->c, &told);
	for (size_t i = 0; i < s->in_order.n; i++) {
		const struct concern *one = s->in_order.v[i];
		struct str more = {0};

		if (map_get(&told, hash_of_place(one->fault.at)))
			continue;
		if (one->spawns > 1)
			more = arena_fmt(s->c->arena, " and %zu more", one->spawns - 1);
		mistake(s->c, one->fault.severity, one->fault.at, "%.*s%.*s: %.*s", STRF(one->first), STRF(more),
			STRF(one->fault.text));
	}
	map_free(&told);
}

void check_spawns(struct check *c)
{
	struct spawns s = {.c = c, .answers = arena_new((size_t)16 << 20)};

	for (unsigned role = 0; role < ROLE_COUNT; role++)
		if (!role_works_in_rig((enum role)role))
			ask(&s, &(struct role_query){.role = str_of(role_texts[role])});
	for (size_t i = 0; i < c->rig_count; i++)
		if (town_rig(c->town, c->rigs[i]))
			ask_in_rig(&s, c->rigs[i]);
	tell(&s);
	map_free(&s.concerns);
	VEC_FREE(&s.in_order);
	arena_destroy(&s.answers);
}
