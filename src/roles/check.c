/*
 * All mistakes of a town: what each file says wrong by itself (found when it was read), what names lead nowhere,
 * and what would not run as its file says.
 */
#include "roles/check_priv.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PRESETS_OVERSEEN = 20, RIGS_OVERSEEN = 10 };

void mistake(struct check *c, enum severity severity, struct origin at, const char *fmt, ...)
{
	char text[512];
	va_list args;
	int n;

	if (c->faults.n == MISTAKES_MAX) {
		c->more++;
		return;
	}
	va_start(args, fmt);
	n = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	CHECK(n >= 0);
	if ((size_t)n >= sizeof(text))
		n = sizeof(text) - 1;
	*VEC_PUSH(&c->faults) = (struct fault){
		.severity = severity, .at = at, .text = arena_str(c->arena, (struct str){text, (size_t)n})};
}

struct str did_you_mean(struct check *c, const struct guess *g)
{
	return g->nearest.n ? arena_fmt(c->arena, "; did you mean %.*s?", STRF(g->nearest)) : (struct str){0};
}

/* ---- mayor/town.json ---- */

static void check_member(struct check *c, const struct doc *d, const char *key, const char *wanted)
{
	const struct node *n = node_member(d->root, str_of(key));
	struct place at = doc_place(d, n ? n : d->root);
	struct origin origin = {"mayor/town.json", at.line, at.column};

	if (!n || (n->kind == NODE_STRING && n->text.n == 0)) {
		if (!wanted)
			mistake(c, SEVERITY_ERROR, origin,
				"the town has no %s, and Gas Town does not take it for one", key);
		return;
	}
	if (n->kind != NODE_STRING || (wanted && !str_eqz(n->text, wanted)))
		mistake(c, SEVERITY_ERROR, origin, "%s must be %s", key, wanted ? wanted : "a text");
}

static void check_town_version(struct check *c, const struct doc *d)
{
	const struct node *n = node_member(d->root, STR("version"));
	struct place at = n ? doc_place(d, n) : (struct place){0};
	int64_t version;

	if (n && (n->kind != NODE_NUMBER || !str_to_i64(n->text, &version) || version > 2))
		mistake(c, SEVERITY_ERROR, (struct origin){"mayor/town.json", at.line, at.column},
			"version must be a number, at most 2");
}

static void check_town_file(struct check *c)
{
	struct files *f = town_files(c->town);
	struct arena *a = arena_new((size_t)1 << 29);
	struct str path = arena_fmt(a, "%.*s/mayor/town.json", STRF(town_dir(c->town))), text;
	struct problem p = {0};
	struct stamp stamp;
	struct doc d;
	enum err e = f->read(f, path.p, DOC_MAX_BYTES, a, &text, &stamp, &p);

	if (e == OK)
		e = doc_parse(STR("mayor/town.json"), text, a, &d, &p);
	if (e != OK) {
		mistake(c, SEVERITY_ERROR, (struct origin){"mayor/town.json", p.line, p.column}, "%s", p.detail);
	} else if (d.root->kind != NODE_OBJECT) {
		mistake(c, SEVERITY_ERROR, (struct origin){"mayor/town.json", 1, 1}, "the file must be an object");
	} else {
		check_member(c, &d, "type", "town");
		check_member(c, &d, "name", NULL);
		check_town_version(c, &d);
	}
	arena_destroy(&a);
}

/* ---- roles/ROLE.toml ---- */

/* Debian 12 has no TOML for C, and only Gas Town's daemon goes by them. */
static void check_override(struct check *c, struct str rig, enum role role)
{
	struct files *f = town_files(c->town);
	struct str shown =
		arena_fmt(c->arena, "%.*s%sroles/%s.toml", STRF(rig), rig.n ? "/" : "", role_texts[role]);
	struct str path = arena_fmt(c->arena, "%.*s/%.*s", STRF(town_dir(c->town)), STRF(shown));
	struct stamp stamp;

	if (path.p && f->stat(f, path.p, &stamp, NULL) == OK)
		mistake(c, SEVERITY_WARNING, (struct origin){shown.p, 0, 0},
			"tenfold does not read this file; a start_command in it is what Gas Town's daemon starts "
			"in "
			"place of a Claude agent");
}

static void check_overrides(struct check *c)
{
	for (unsigned role = 0; role < ROLE_COUNT; role++) {
		check_override(c, (struct str){0}, (enum role)role);
		for (size_t i = 0; role_works_in_rig((enum role)role) && i < c->rig_count; i++)
			check_override(c, c->rigs[i], (enum role)role);
	}
}

/* ---- the rest ---- */

static void look_at_layer(struct check *c, const struct agents *a)
{
	if (a->source.path)
		check_agents(c, a, a);
}

static void check_files(struct check *c)
{
	const struct settings *s = town_settings(c->town);

	check_settings(c, s, NULL);
	check_agents(c, &s->agents, town_registry(c->town));
	look_at_layer(c, town_registry(c->town));
	for (size_t i = 0; i < c->rig_count; i++) {
		const struct rig *rig = town_rig(c->town, c->rigs[i]);

		if (!rig)
			continue;
		check_settings(c, rig->settings, rig);
		check_agents(c, &rig->settings->agents, rig->registry);
		look_at_layer(c, rig->registry);
	}
}

/* Where people lose the overview, says the note this was made from. */
static void check_numbers(struct check *c)
{
	const struct settings *s = town_settings(c->town);
	size_t presets = s->agents.n + town_registry(c->town)->n;

	if (presets > PRESETS_OVERSEEN)
		mistake(c, SEVERITY_HINT, (struct origin){s->source.path, 0, 0},
			"%zu agents are defined; beyond %d it is hard to see which does what", presets,
			PRESETS_OVERSEEN);
	if (c->rig_count > RIGS_OVERSEEN)
		mistake(c, SEVERITY_HINT, (struct origin){s->source.path, 0, 0},
			"%zu rigs have files of their own; `tenfold role consolidate` says what of them could "
			"stand in "
			"the town's",
			c->rig_count);
}

static void take_faults_of_files(struct check *c)
{
	for (size_t i = 0; i < town_fault_count(c->town); i++) {
		const struct fault *f = town_fault(c->town, i);

		mistake(c, f->severity, f->at, "%.*s", STRF(f->text));
	}
}

static int by_order(const void *a, const void *b)
{
	return fault_order(a, b);
}

/* Sorted, each once. */
static void hand_over(struct check *c)
{
	struct check_report *out = c->out;

	if (c->faults.n)
		qsort(c->faults.v, c->faults.n, sizeof(*c->faults.v), by_order);
	out->faults = ARENA_ARRAY(c->arena, struct fault, c->faults.n + 1);
	for (size_t i = 0; out->faults && i < c->faults.n; i++) {
		struct fault *f = &c->faults.v[i];

		if (out->count && fault_order(&out->faults[out->count - 1], f) == 0)
			continue;
		out->faults[out->count++] = *f;
		out->errors += f->severity == SEVERITY_ERROR;
		out->warnings += f->severity == SEVERITY_WARNING;
		out->hints += f->severity == SEVERITY_HINT;
	}
	if (out->faults && c->more)
		out->faults[out->count++] = (struct fault){
			.severity = SEVERITY_ERROR, .text = arena_fmt(c->arena, "and %zu more mistakes", c->more)};
	VEC_FREE(&c->faults);
}

enum err role_check(struct town *t, struct arena *a, struct check_report *out, struct problem *p)
{
	struct check c = {.town = t, .arena = a, .out = out};
	enum err e;

	*out = (struct check_report){.all_run = true};
	e = town_rigs(t, a, &c.rigs, &c.rig_count, p);
	if (e != OK)
		return e;
	check_town_file(&c);
	town_accounts(t);
	check_files(&c);
	check_numbers(&c);
	check_overrides(&c);
	take_faults_of_files(&c);
	check_spawns(&c);
	hand_over(&c);
	return arena_overflowed(a) ? problem_set(p, ERR_TOO_LARGE, "there are more mistakes than fit into memory")
				   : OK;
}
