/*
 * A town: its slots, made when they are first needed. town_refresh() only counts a generation; each file is looked
 * at when somebody asks for it, so that a spawn in one of a thousand rigs costs what it costs in one of ten.
 */
#include "roles/command_priv.h"
#include "roles/town_priv.h"

#include <string.h>

struct look town_look(struct town *t)
{
	return (struct look){.files = t->files,
			     .scratch = t->scratch,
			     .generation = t->generation,
			     .changes = &t->changes,
			     .under = presets_builtin()};
}

struct str town_dir(const struct town *t)
{
	return t->dir;
}

struct files *town_files(struct town *t)
{
	return t->files;
}

void town_refresh(struct town *t)
{
	CHECK_OBJ(t, TOWN_MAGIC);
	t->generation++;
}

const struct settings *town_settings(struct town *t)
{
	struct look l = town_look(t);

	return &slot_look(&t->settings, &l)->settings;
}

const struct agents *town_registry(struct town *t)
{
	struct look l = town_look(t);

	return &slot_look(&t->registry, &l)->agents;
}

/* ---- accounts ---- */

static void put_together(struct town *t, const struct accounts *accounts, const struct quota *quota)
{
	free(t->accounts_with_quota);
	t->accounts_with_quota = must_alloc((accounts->n + 1) * sizeof(*t->accounts_with_quota));
	for (size_t i = 0; i < accounts->n; i++) {
		struct account *one = &t->accounts_with_quota[i];

		*one = accounts->v[i];
		for (size_t k = 0; k < quota->n; k++)
			if (str_eq(quota->v[k].handle, one->handle)) {
				one->status = quota->v[k].status;
				one->resets_at = quota->v[k].resets_at;
			}
	}
	t->accounts_version = t->accounts.version;
	t->quota_version = t->quota.version;
}

const struct accounts *town_accounts(struct town *t)
{
	struct look l = town_look(t);
	const struct accounts *accounts = &slot_look(&t->accounts, &l)->accounts;
	const struct quota *quota = &slot_look(&t->quota, &l)->quota;

	if (t->accounts_version != t->accounts.version || t->quota_version != t->quota.version)
		put_together(t, accounts, quota);
	t->accounts_shown = *accounts;
	t->accounts_shown.v = t->accounts_with_quota;
	return &t->accounts_shown;
}

/* ---- faults ---- */

static void collect(struct town *t, const struct slot *s)
{
	if (!s->content)
		return;
	if (s->state == FILE_KEPT || s->state == FILE_LOST)
		*VEC_PUSH(&t->faults) = &s->trouble;
	for (size_t i = 0; i < s->content->fault_count; i++)
		*VEC_PUSH(&t->faults) = &s->content->faults[i];
}

static int by_place(const void *a, const void *b)
{
	return fault_order(*(const struct fault *const *)a, *(const struct fault *const *)b);
}

static void collect_all(struct town *t)
{
	const struct rig_entry *r;

	t->faults.n = 0;
	collect(t, &t->settings);
	collect(t, &t->registry);
	collect(t, &t->accounts);
	collect(t, &t->quota);
	collect(t, &t->rig_names);
	for (size_t i = 0; (r = map_next(&t->rigs, &i));)
		for (; r; r = r->same_hash) {
			collect(t, &r->settings);
			collect(t, &r->registry);
		}
	if (t->faults.n)
		qsort(t->faults.v, t->faults.n, sizeof(*t->faults.v), by_place);
}

size_t town_fault_count(struct town *t)
{
	if (t->faults_of != t->changes)
		collect_all(t);
	t->faults_of = t->changes;
	return t->faults.n;
}

const struct fault *town_fault(struct town *t, size_t i)
{
	CHECK(i < town_fault_count(t));
	return t->faults.v[i];
}

/* ---- opening and closing ---- */

static bool is_there(struct files *files, struct str dir, const char *name)
{
	struct slot s;
	struct stamp stamp;
	enum err e;

	slot_init(&s, FILE_TOWN_SETTINGS, dir, name, 0);
	e = files->stat(files, s.path, &stamp, NULL);
	slot_free(&s);
	return e != ERR_NOT_FOUND;
}

static struct town *town_new(struct files *files, struct str dir)
{
	struct town *t = NEW(struct town);
	char *own = must_alloc(dir.n + 2);
	struct str folder = {own, dir.n + 1};

	memcpy(own, dir.p, dir.n);
	own[dir.n] = '/';
	t->magic = TOWN_MAGIC;
	t->files = files;
	t->dir = (struct str){own, dir.n};
	t->scratch = arena_new((size_t)1 << 30);
	t->generation = 1;
	slot_init(&t->settings, FILE_TOWN_SETTINGS, folder, "settings/config.json", folder.n);
	slot_init(&t->registry, FILE_REGISTRY, folder, "settings/agents.json", folder.n);
	slot_init(&t->accounts, FILE_ACCOUNTS, folder, "mayor/accounts.json", folder.n);
	slot_init(&t->quota, FILE_QUOTA, folder, "mayor/quota.json", folder.n);
	slot_init(&t->rig_names, FILE_RIG_NAMES, folder, "mayor/rigs.json", folder.n);
	return t;
}

/* The part before the last '/'; "/" is its own. */
static struct str parent(struct str dir)
{
	while (dir.n && dir.p[dir.n - 1] != '/')
		dir.n--;
	return dir.n > 1 ? (struct str){dir.p, dir.n - 1} : dir;
}

static enum err find_upwards(struct files *files, struct str from, struct str *out, struct problem *p)
{
	for (struct str dir = from; dir.n; dir = dir.n > 1 ? parent(dir) : (struct str){0})
		if (is_there(files, dir, "/mayor/town.json")) {
			*out = dir;
			return OK;
		}
	return problem_set(
		p, ERR_NOT_FOUND,
		"no town here: neither %.*s nor a folder above it has mayor/town.json; name one with --town",
		STRF(from));
}

static enum err look_in(struct files *files, struct str dir, struct problem *p)
{
	if (is_there(files, dir, "/mayor/town.json") || is_there(files, dir, "/settings/config.json"))
		return OK;
	return problem_set(
		p, ERR_NOT_FOUND,
		"%.*s is no town: it has neither mayor/town.json nor settings/config.json; name the folder "
		"that has",
		STRF(dir));
}

enum err town_open(struct files *files, struct str dir, struct str from, struct town **out, struct problem *p)
{
	struct arena *a;
	struct str whole;
	enum err e;

	if (dir.n >= TOWN_PATH_MAX || from.n >= TOWN_PATH_MAX)
		return problem_set(p, ERR_INVALID, "the path of a town has at most %d bytes", TOWN_PATH_MAX - 1);
	a = arena_new(1 << 20);
	/* Agents are told it as GT_ROOT, so it has to mean the same everywhere. */
	whole = dir.n && dir.p[0] == '/' ? path_join(a, &dir, 1) : path_join(a, (struct str[]){from, dir}, 2);
	e = dir.n ? look_in(files, whole, p) : find_upwards(files, whole, &whole, p);
	if (e == OK)
		*out = town_new(files, whole);
	arena_destroy(&a);
	return e;
}

void town_close(struct town **town)
{
	struct town *t = *town;
	struct rig_entry *r;

	if (!t)
		return;
	CHECK_OBJ(t, TOWN_MAGIC);
	for (size_t i = 0; (r = map_next(&t->rigs, &i));)
		while (r) {
			struct rig_entry *next = r->same_hash;

			rig_entry_free(&r);
			r = next;
		}
	map_free(&t->rigs);
	rig_entry_free(&t->here);
	slot_free(&t->settings);
	slot_free(&t->registry);
	slot_free(&t->accounts);
	slot_free(&t->quota);
	slot_free(&t->rig_names);
	commands_forget(t);
	map_free(&t->commands);
	free(t->accounts_with_quota);
	VEC_FREE(&t->faults);
	arena_destroy(&t->scratch);
	free((void *)(uintptr_t)t->dir.p);
	free(t);
	*town = NULL;
}
