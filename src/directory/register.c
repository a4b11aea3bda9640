/*
 * See register.h. An entry goes through these steps until one refuses it:
 *
 *   its members ──► is its handle free? ──► its capabilities ──► its key ──► rows
 *                        └ taken: refused, left alone, or loaded and patched
 */
#include "directory/register.h"

#include "base/map.h"
#include "base/vec.h"
#include "directory/capability.h"
#include "directory/handle.h"
#include "directory/proof.h"

#include <stdlib.h>
#include <string.h>

enum { VERSION_FIRST = 1 };

static bool is_good(const struct agent_entry *e)
{
	return e->problem.err == OK;
}

static bool is_new(const struct agent_entry *e)
{
	return is_good(e) && !e->existed;
}

/* ---- its members ---- */

static void read_members(struct agent_entry *e)
{
	struct agent_patch patch;
	const struct call *c = e->c;
	e->row = (struct agent_full_row){.id = e->id,
					 .tenant = c->caller.tenant,
					 .type = e->in->type,
					 .visibility = e->in->visibility,
					 .tags = STR("[]"),
					 .capabilities = STR("[]"),
					 .version = VERSION_FIRST,
					 .created_ms = c->now_ms,
					 .updated_ms = c->now_ms};
	if (!is_good(e))
		return;
	agent_patch_of(e->in, &patch);
	agent_row_patch(&e->row, &patch, c->arena, &e->problem);
}

/* ---- is its handle free? ---- */

struct looking {
	struct db *db;
	struct arena *arena; /* for what is needed until the rows are written */
	struct agent_entry **entries;
	enum on_existing on_existing;
};

static enum err put_free(void *ctx, size_t i, const void *row)
{
	int *first_free = ctx;
	if (!row && *first_free < 0)
		*first_free = (int)i;
	return OK;
}

enum err agent_handle_taken(struct db *db, struct str handle, struct problem *p)
{
	struct handle_text others[HANDLE_OTHERS];
	struct agent_find_in wanted[HANDLE_OTHERS];
	int first_free = -1;
	handle_others(handle, others);
	for (int i = 0; i < HANDLE_OTHERS; i++)
		wanted[i].handle = str_of(others[i].text);
	enum err err = q_agent_find_each(db, wanted, HANDLE_OTHERS, put_free, &first_free);
	if (err)
		return err;
	if (first_free < 0)
		return problem_field(p, ERR_ALREADY_EXISTS, "handle", "'%.*s' is taken", STRF(handle));
	return problem_field(p, ERR_ALREADY_EXISTS, "handle", "'%.*s' is taken; '%s' is free", STRF(handle),
			     others[first_free].text);
}

static enum err put_existing(void *ctx, size_t i, const void *row)
{
	struct looking *l = ctx;
	const struct agent_find_out *found = row;
	struct agent_entry *e = l->entries[i];
	if (!found)
		return OK;
	bool own = found->tenant == e->row.tenant;
	e->existed = true;
	e->left = l->on_existing == EXISTING_SKIP;
	e->row.id = own ? found->id : 0; /* ids of others are not told */
	if (l->on_existing == EXISTING_UPDATE && !own)
		problem_field(&e->problem, ERR_ALREADY_EXISTS, "handle", "'%.*s' is another tenant's",
			      STRF(e->row.handle));
	return OK;
}

/* Those for which `wanted` holds, in a list of their own. */
static size_t pick(struct agent_entry *entries, size_t count, bool (*wanted)(const struct agent_entry *),
		   struct agent_entry **out)
{
	size_t n = 0;
	for (size_t i = 0; i < count; i++)
		if (wanted(&entries[i]))
			out[n++] = &entries[i];
	return n;
}

static bool is_found(const struct agent_entry *e)
{
	return is_good(e) && e->existed;
}

static enum err find_handles(struct looking *l, struct agent_entry *entries, size_t count)
{
	size_t n = pick(entries, count, is_good, l->entries);
	struct agent_find_in *wanted = ARENA_ARRAY(l->arena, struct agent_find_in, n + 1);
	if (!wanted)
		return ERR_INTERNAL;
	for (size_t i = 0; i < n; i++)
		wanted[i].handle = l->entries[i]->row.handle;
	enum err err = n ? q_agent_find_each(l->db, wanted, n, put_existing, l) : OK;
	if (err || l->on_existing != EXISTING_REFUSE)
		return err;
	n = pick(entries, count, is_found, l->entries);
	for (size_t i = 0; i < n; i++) {
		err = agent_handle_taken(l->db, l->entries[i]->row.handle, &l->entries[i]->problem);
		if (err != ERR_ALREADY_EXISTS)
			return err;
	}
	return OK;
}

/* The same handle twice: the first has it. */
static enum err refuse_repeated(struct agent_entry *entries, size_t count)
{
	struct map first = {0};
	enum err err = OK;
	for (size_t i = 0; i < count && !err; i++) {
		struct agent_entry *e = &entries[i];
		if (!is_good(e))
			continue;
		struct agent_entry *other = map_get(&first, str_hash(e->row.handle));
		if (!other || !str_eq(other->row.handle, e->row.handle))
			map_put(&first, str_hash(e->row.handle), e);
		else if (other->c == e->c)
			problem_field(&e->problem, ERR_ALREADY_EXISTS, "handle", "stands twice in this call");
		else
			err = agent_handle_taken(e->c->db, e->row.handle, &e->problem);
		if (err == ERR_ALREADY_EXISTS)
			err = OK;
	}
	map_free(&first);
	return err;
}

/* ---- what is there, and is to be as given ---- */

static int by_id(const void *a, const void *b)
{
	const struct agent_entry *const *x = a, *const *y = b;
	return ((*x)->row.id > (*y)->row.id) - ((*x)->row.id < (*y)->row.id);
}

static enum err held(void *ctx, size_t i, const void *row)
{
	(void)ctx, (void)i, (void)row;
	return OK;
}

/* In the order of their ids, so that two calls do not wait for each other. */
static enum err hold_all(struct looking *l, size_t n)
{
	struct id_row *ids = ARENA_ARRAY(l->arena, struct id_row, n);
	if (!ids)
		return ERR_INTERNAL;
	qsort(l->entries, n, sizeof *l->entries, by_id);
	for (size_t i = 0; i < n; i++)
		ids[i].id = l->entries[i]->row.id;
	return q_agent_lock_each(l->db, ids, n, held, NULL);
}

static bool names_its_key(const struct agent_entry *e)
{
	unsigned char key[PROOF_KEY];
	return !HAS(e->in, agent_new, public_key) ||
	       (proof_bytes(e->in->public_key, key, sizeof key) &&
		str_eq(e->was.row.public_key, (struct str){(const char *)key, sizeof key}));
}

static enum err patch_existing(struct agent_entry *e)
{
	struct call *c = e->c;
	struct agent_patch patch;
	enum err err = directory_agent_load(c->db, e->row.id, c->arena, &e->was);
	if (err == ERR_NOT_FOUND)
		return ERR_STORE_BUSY; /* cleared away meanwhile: run again */
	if (err)
		return err;
	e->row = e->was.row;
	e->was_public = e->row.visibility == VISIBLE_PUBLIC;
	if (e->row.deleted_ms) {
		problem_field(&e->problem, ERR_ALREADY_EXISTS, "handle", "is that of a deleted agent for 30 days");
		return OK;
	}
	agent_patch_of(e->in, &patch);
	agent_row_patch(&e->row, &patch, c->arena, &e->problem);
	if (!names_its_key(e))
		problem_field(&e->problem, ERR_INVALID, "public_key",
			      "is not the agent's; POST /v1/agents/{id}/transfer changes it");
	e->changed = !agent_row_same(&e->row, &e->was.row);
	return OK;
}

static enum err patch_all(struct looking *l, struct agent_entry *entries, size_t count)
{
	size_t n = pick(entries, count, is_found, l->entries);
	if (n == 0)
		return OK;
	enum err err = hold_all(l, n);
	for (size_t i = 0; i < n && !err; i++)
		err = patch_existing(l->entries[i]);
	return err;
}

/* ---- its capabilities ---- */

static bool has_capabilities(const struct agent_entry *e)
{
	return is_good(e) && !e->left && HAS(e->in, agent_new, capabilities);
}

static uint64_t hash_of(const struct agent_entry *e, struct str slug)
{
	return str_hash_seed(slug, (uint64_t)e->row.tenant);
}

/* Each slug of a tenant once, for all entries together. */
static size_t gather_slugs(struct agent_entry *const *entries, size_t n, struct map *places,
			   struct capability_find_in *slugs)
{
	size_t count = 0;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < entries[i]->in->capabilities_count; k++) {
			struct str slug = entries[i]->in->capabilities[k];
			if (!map_get(places, hash_of(entries[i], slug))) {
				slugs[count] = (struct capability_find_in){entries[i]->row.tenant, slug};
				map_put(places, hash_of(entries[i], slug), &slugs[count++]);
			}
		}
	return count;
}

static bool is_before(const struct agent_entry *e, size_t k)
{
	for (size_t i = 0; i < k; i++)
		if (str_eq(e->in->capabilities[i], e->in->capabilities[k]))
			return true;
	return false;
}

static void name_capabilities(struct agent_entry *e, const struct map *places,
			      const struct capability_find_in *slugs, const int64_t *ids)
{
	for (size_t k = 0; k < e->in->capabilities_count; k++) {
		struct str slug = e->in->capabilities[k];
		const struct capability_find_in *place = map_get(places, hash_of(e, slug));
		int64_t id = str_eq(place->slug, slug) && place->tenant == e->row.tenant ? ids[place - slugs] : 0;
		e->capabilities[k] = is_before(e, k) ? 0 : id; /* given twice, it is written once */
		if (id == 0)
			problem_field(&e->problem, ERR_INVALID, "capabilities",
				      "there is no capability '%.*s'; 'tenfold capability list' shows them",
				      STRF(slug));
	}
}

static enum err find_capabilities(struct looking *l, struct agent_entry *entries, size_t count)
{
	size_t n = pick(entries, count, has_capabilities, l->entries), most = 0;
	struct map places = {0};
	for (size_t i = 0; i < n; i++)
		most += l->entries[i]->in->capabilities_count;
	struct capability_find_in *slugs = ARENA_ARRAY(l->arena, struct capability_find_in, most + 1);
	int64_t *ids = ARENA_ARRAY(l->arena, int64_t, most + 1);
	if (!slugs || !ids)
		return ERR_INTERNAL;
	size_t distinct = gather_slugs(l->entries, n, &places, slugs);
	enum err err = capability_ids(l->db, slugs, distinct, ids);
	for (size_t i = 0; i < n && !err; i++) {
		struct agent_entry *e = l->entries[i];
		e->capabilities = ARENA_ARRAY(e->c->arena, int64_t, AGENT_CAPABILITIES_MAX);
		if (e->capabilities)
			name_capabilities(e, &places, slugs, ids);
		else
			err = ERR_INTERNAL;
	}
	map_free(&places);
	return err;
}

/* ---- its key ---- */

static enum err prove_key(struct agent_entry *e)
{
	struct call *c = e->c;
	const struct agent_new *in = e->in;
	if (!HAS(in, agent_new, public_key)) {
		if (HAS(in, agent_new, challenge_id) || HAS(in, agent_new, signature))
			problem_field(&e->problem, ERR_MISSING_FIELD, "public_key", "the key that is to be proven");
		return OK;
	}
	unsigned char *key = arena_alloc(c->arena, PROOF_KEY);
	if (!key)
		return ERR_INTERNAL;
	if (proof_asked_key(in->public_key, key, &e->problem))
		return OK;
	if (!HAS(in, agent_new, challenge_id) || !HAS(in, agent_new, signature)) {
		problem_field(&e->problem, ERR_MISSING_FIELD,
			      HAS(in, agent_new, signature) ? "challenge_id" : "signature",
			      "a public key is registered with a challenge (POST /v1/agents/challenge) and its "
			      "signature");
		return OK;
	}
	e->row.public_key = (struct str){(const char *)key, PROOF_KEY};
	e->row.key_proved_ms = c->now_ms;
	enum err err = proof_use(c->db, c->arena, in->challenge_id, key, in->signature, c->now_ms, &e->problem);
	return e->problem.err ? OK : err;
}

static enum err prove_keys(struct agent_entry *entries, size_t count)
{
	enum err err = OK;
	for (size_t i = 0; i < count && !err; i++)
		if (is_new(&entries[i]))
			err = prove_key(&entries[i]);
	return err;
}

/* ---- rows ---- */

struct rows {
	VEC(struct agent_row) agents;
	VEC(struct agent_change_row) changes;
	VEC(struct agent_liveness_insert_in) liveness;
	VEC(struct agent_capability_row) capabilities;
	VEC(struct id_row) capabilities_gone;
	VEC(struct agent_card_row) cards;
};

static void rows_free(struct rows *r)
{
	VEC_FREE(&r->agents);
	VEC_FREE(&r->changes);
	VEC_FREE(&r->liveness);
	VEC_FREE(&r->capabilities);
	VEC_FREE(&r->capabilities_gone);
	VEC_FREE(&r->cards);
}

static size_t distinct_capabilities(const struct agent_entry *e)
{
	size_t n = 0;
	for (size_t k = 0; k < e->in->capabilities_count; k++)
		n += e->capabilities[k] != 0;
	return n;
}

static const struct agent_capability *shown_capability(const struct agent_entry *e, struct str slug)
{
	for (size_t i = 0; i < e->was.shown.capabilities_count; i++)
		if (str_eq(e->was.shown.capabilities[i].capability, slug))
			return &e->was.shown.capabilities[i];
	return NULL;
}

static bool same_capabilities(const struct agent_entry *e)
{
	if (distinct_capabilities(e) != e->was.shown.capabilities_count)
		return false;
	for (size_t k = 0; k < e->in->capabilities_count; k++)
		if (!shown_capability(e, e->in->capabilities[k]))
			return false;
	return true;
}

/* What stays keeps its endpoint. */
static void add_capabilities(const struct agent_entry *e, struct rows *r)
{
	for (size_t k = 0; e->capabilities && k < e->in->capabilities_count; k++) {
		if (e->capabilities[k] == 0)
			continue;
		const struct agent_capability *was = shown_capability(e, e->in->capabilities[k]);
		bool reached = was && HAS(was, agent_capability, endpoint);
		*VEC_PUSH(&r->capabilities) =
			(struct agent_capability_row){.agent = e->row.id,
						      .capability = e->capabilities[k],
						      .endpoint = reached ? was->endpoint : (struct str){0},
						      .created_ms = e->c->now_ms};
	}
}

/* As agent_get would read them. */
static struct str capabilities_json(const struct agent_entry *e, struct arena *a)
{
	struct buf b = BUF_INIT(0);
	buf_c(&b, '[');
	for (size_t k = 0; e->capabilities && k < e->in->capabilities_count; k++)
		if (e->capabilities[k])
			buf_fmt(&b, "%s{\"capability\":\"%.*s\"}", b.n > 1 ? "," : "",
				STRF(e->in->capabilities[k]));
	buf_c(&b, ']');
	struct str text = arena_str(a, buf_str(&b));
	buf_free(&b);
	return text;
}

static void add_new(struct agent_entry *e, struct rows *r)
{
	e->row.capabilities = capabilities_json(e, e->c->arena);
	*VEC_PUSH(&r->agents) = agent_row_new(&e->row);
	*VEC_PUSH(&r->liveness) = (struct agent_liveness_insert_in){e->row.id, e->row.tenant};
	add_capabilities(e, r);
	if (HAS(e->in, agent_new, card))
		*VEC_PUSH(&r->cards) = (struct agent_card_row){e->row.id, e->in->card};
}

static enum err add_changed_card(struct agent_entry *e, struct rows *r)
{
	struct agent_card_get_in wanted = {e->row.id, e->row.tenant};
	struct agent_card_get_out was = {0};
	if (!HAS(e->in, agent_new, card))
		return OK;
	enum err err = q_agent_card_get(e->c->db, &wanted, e->c->arena, &was);
	if (err && err != ERR_NOT_FOUND)
		return err;
	if (!err && str_eq(was.card, e->in->card))
		return OK;
	e->changed = true;
	*VEC_PUSH(&r->cards) = (struct agent_card_row){e->row.id, e->in->card};
	return OK;
}

static enum err add_existing(struct agent_entry *e, struct rows *r)
{
	enum err err = add_changed_card(e, r);
	if (e->capabilities && !same_capabilities(e)) {
		e->changed = true;
		*VEC_PUSH(&r->capabilities_gone) = (struct id_row){e->row.id};
		add_capabilities(e, r);
	}
	if (!e->changed)
		return err;
	e->row.version++;
	e->row.updated_ms = e->c->now_ms;
	*VEC_PUSH(&r->changes) = agent_row_change(&e->row);
	return err;
}

static int by_handle(const void *a, const void *b)
{
	return str_cmp(((const struct agent_row *)a)->handle, ((const struct agent_row *)b)->handle);
}

static int by_row_id(const void *a, const void *b)
{
	int64_t one = ((const struct agent_change_row *)a)->id, other = ((const struct agent_change_row *)b)->id;
	return (one > other) - (one < other);
}

/* In one order whoever writes, so that those who want the same agents at the same time wait for each other and not in
 * a ring. */
static enum err write_rows(struct db *db, const struct rows *r)
{
	if (r->agents.n)
		qsort(r->agents.v, r->agents.n, sizeof(*r->agents.v), by_handle);
	if (r->changes.n)
		qsort(r->changes.v, r->changes.n, sizeof(*r->changes.v), by_row_id);
	enum err err = r->agents.n ? q_agent_insert(db, r->agents.v, r->agents.n) : OK;
	if (!err && r->liveness.n)
		err = q_agent_liveness_insert(db, r->liveness.v, r->liveness.n);
	if (!err && r->changes.n)
		err = q_agent_update(db, r->changes.v, r->changes.n);
	if (!err && r->capabilities_gone.n)
		err = q_agent_capability_delete_all(db, r->capabilities_gone.v, r->capabilities_gone.n);
	if (!err && r->capabilities.n)
		err = q_agent_capability_put(db, r->capabilities.v, r->capabilities.n);
	if (!err && r->cards.n)
		err = q_agent_card_put(db, r->cards.v, r->cards.n);
	return err;
}

static enum err gather_rows(struct agent_entry *entries, size_t count, enum on_existing on_existing, struct rows *r)
{
	enum err err = OK;
	for (size_t i = 0; i < count && !err; i++) {
		if (is_new(&entries[i]))
			add_new(&entries[i], r);
		else if (is_good(&entries[i]) && on_existing == EXISTING_UPDATE)
			err = add_existing(&entries[i], r);
	}
	return err;
}

enum err agents_register(enum on_existing on_existing, struct agent_entry *entries, size_t count)
{
	struct call *first = entries[0].c;
	struct looking l = {first->db, first->arena, ARENA_ARRAY(first->arena, struct agent_entry *, count),
			    on_existing};
	if (!l.entries)
		return ERR_INTERNAL;
	for (size_t i = 0; i < count; i++)
		read_members(&entries[i]);
	enum err err = refuse_repeated(entries, count);
	if (!err)
		err = find_handles(&l, entries, count);
	if (!err && on_existing == EXISTING_UPDATE)
		err = patch_all(&l, entries, count);
	if (!err)
		err = find_capabilities(&l, entries, count);
	if (!err)
		err = prove_keys(entries, count);
	struct rows rows = {0};
	if (!err)
		err = gather_rows(entries, count, on_existing, &rows);
	if (!err)
		err = write_rows(first->db, &rows);
	rows_free(&rows);
	return err;
}
