/* See kept.h. */
#include "api/kept.h"

#include "api/reads.h"
#include "base/id.h"
#include "directory/agent.h"
#include "http/http.h"
#include "telemetry/metrics.h"

#include <string.h>

/* Groups of lists: this, and those of group_of(). */
enum { PUBLIC_AGENTS = 1 };
enum { TRUSTED_MS = 1000, MINUTE_MS = 60000, HOUR_MS = 3600000 };
/* What goes with an answer: whose it is; and who may see it, with how many statements it took above that. */
enum { TAG_TENANT, TAG_SHOWN, STATEMENTS_SHIFT = 8, VISIBILITY_MASK = 255 };

static int64_t mono_ms(void)
{
	return clock_mono_ns() / 1000000;
}

/* ---- keys ---- */

/* Kinds of answers: the first byte of their names. */
enum kind {
	OF_AGENT = 'a',
	OF_AGENTS = 'l',
	OF_CAPABILITIES = 'c',
	OF_SQUAD = 's',
	OF_MEMBER = 'm',
	OF_MEMBERS = 'n',
	OF_PLAN = 'p'
};

/* All answers of a kind that a tenant is given. */
static int64_t group_of(enum kind kind, int64_t tenant)
{
	return (int64_t)((uint64_t)tenant ^ (uint64_t)kind << 56);
}

/* Of a thing that has versions. */
static struct cache_key thing_key(char room[32], enum kind kind, int64_t id)
{
	room[0] = (char)kind;
	memcpy(room + 1, &id, sizeof id);
	struct cache_key key = cache_key((struct str){room, 1 + sizeof id});
	key.shared = true;
	return key;
}

/* Of what the tenant is told by this query, of that thing or, with 0, of all. */
static bool list_key(struct call *c, enum kind kind, int64_t of, struct kept *out)
{
	int64_t ids[] = {c->caller.tenant, of};
	struct str query = http_request_of(c).query;
	size_t head = 1 + sizeof ids;
	char *name = arena_alloc(c->arena, head + query.n);
	if (!name || head + query.n > CACHE_KEY_MAX)
		return false;
	name[0] = (char)kind;
	memcpy(name + 1, ids, sizeof ids);
	if (query.n)
		memcpy(name + head, query.p, query.n);
	out->key = cache_key((struct str){name, head + query.n});
	out->key.groups[0] = group_of(kind, c->caller.tenant);
	return true;
}

static bool agent_key(struct str ref, struct kept *out)
{
	int64_t id;
	if (!id_parse(ref, "ag_", &id)) /* a handle moves from one agent to another */
		return false;
	out->key = thing_key(out->room, OF_AGENT, id);
	return true;
}

static bool agents_key(struct call *c, struct kept *out)
{
	bool made = list_key(c, OF_AGENTS, 0, out);
	out->key.groups[1] = PUBLIC_AGENTS;
	return made;
}

/* What the call asks for. Returns for how long that is kept; 0: not at all. */
static int64_t key_of(struct call *c, struct kept *out)
{
	*out = (struct kept){0};
	switch (c->route - spec_routes) {
	case ROUTE_agent_show:
		return agent_key(((const struct agent_ref *)c->in)->id, out) ? 5 * MINUTE_MS : 0;
	case ROUTE_agent_list:
		return agents_key(c, out) ? MINUTE_MS : 0;
	case ROUTE_capability_list:
		return list_key(c, OF_CAPABILITIES, 0, out) ? HOUR_MS : 0;
	case ROUTE_squad_show:
		out->key = thing_key(out->room, OF_SQUAD, ((const struct squad_ref *)c->in)->id);
		return HOUR_MS;
	case ROUTE_squad_member_list:
		return list_key(c, OF_MEMBERS, ((const struct squad_member_list_in *)c->in)->id, out) ? HOUR_MS : 0;
	case ROUTE_squad_member_show:
		out->key = thing_key(out->room, OF_MEMBER, ((const struct squad_member_ref *)c->in)->id);
		return 24 * HOUR_MS;
	case ROUTE_plan_show:
		return list_key(c, OF_PLAN, 0, out) ? 5 * MINUTE_MS : 0;
	default:
		UNREACHABLE();
	}
}

/* ---- handing out ---- */

/* Believed for as long as everything committed is known to have been told. */
static void trust(struct app *app)
{
	if (store_kind(app->store) == STORE_POSTGRES)
		cache_trust(app->cache, follower_current_ns(app->follower) / 1000000 + TRUSTED_MS);
}

static void release(void *blob)
{
	struct cache_blob *b = blob;
	cache_blob_drop(&b);
}

static int64_t visibility_of(const struct cache_blob *b)
{
	return b->tags[TAG_SHOWN] & VISIBILITY_MASK;
}

static void hand_out(struct call *c, struct cache_blob *b)
{
	c->ready_blob = (struct call_blob){.body = b->body, .release = release, .owner = b};
	c->etag = b->etag;
	c->is_public = visibility_of(b) == VISIBLE_PUBLIC;
}

static bool is_for(const struct call *c, const struct cache_blob *b)
{
	return agent_is_readable(&c->caller, b->tags[TAG_TENANT], visibility_of(b));
}

static void count_hit(const struct call *c, const struct cache_blob *b)
{
	struct metrics *m = call_app(c)->metrics;
	unsigned answer = (unsigned)(c->route - spec_routes);
	metrics_add_at(m, METRIC_cache_hits_total, answer, 0, 1);
	metrics_add_at(m, METRIC_cache_statements_saved_total, answer, 0,
		       (uint64_t)b->tags[TAG_SHOWN] >> STATEMENTS_SHIFT);
}

/* To another's question the answer is no, in words that are said elsewhere. */
static bool take(struct call *c, struct cache_blob *b)
{
	if (b && is_for(c, b)) {
		count_hit(c, b);
		hand_out(c, b);
		return true;
	}
	if (b)
		cache_blob_drop(&b);
	return false;
}

enum err kept_here(struct call *c, const void *in, void *out)
{
	struct app *app = call_app(c);
	struct kept k;
	(void)in, (void)out; /* they are the call's */
	if (!key_of(c, &k) || !reads_may_be_kept(c))
		return ERR_NOT_CACHED;
	trust(app);
	return take(c, cache_get(app->cache, &k.key, mono_ms())) ? OK : ERR_NOT_CACHED;
}

bool kept_begin(struct call *c, struct kept *k)
{
	struct app *app = call_app(c);
	if (key_of(c, k) && reads_may_be_kept(c)) {
		trust(app);
		k->statements = db_statements(c->db);
		if (take(c, cache_begin(app->cache, &k->key, mono_ms(), &k->fill)))
			return true;
	}
	metrics_add_at(app->metrics, METRIC_cache_misses_total, (unsigned)(c->route - spec_routes), 0, 1);
	return false;
}

void kept_put(struct call *c, struct kept *k, int64_t version, int64_t tenant, int64_t visibility)
{
	struct kept again;
	if (!k->fill.cache)
		return;
	struct buf body = BUF_INIT(0);
	json_encode(c->route->out, c->out, 0, &body);
	if (!buf_ok(&body)) {
		kept_not(k, OK);
	} else {
		int64_t statements = (int64_t)(db_statements(c->db) - k->statements);
		int64_t tags[CACHE_TAGS] = {tenant, visibility | statements << STATEMENTS_SHIFT};
		struct cache_blob *b = cache_blob_new(c->etag, buf_str(&body), version, tags);
		cache_put(&k->fill, b, key_of(c, &again), mono_ms());
		hand_out(c, b);
	}
	buf_free(&body);
}

enum err kept_not(struct kept *k, enum err why)
{
	if (k->fill.cache)
		cache_abandon(&k->fill);
	return why;
}

/* ---- what has changed ---- */

static void forget_thing(struct app *app, enum kind kind, int64_t id)
{
	char room[32];
	struct cache_key key = thing_key(room, kind, id);
	cache_invalidate(app->cache, &key, 0, mono_ms());
}

static void forget_list(struct app *app, enum kind kind, int64_t tenant)
{
	cache_invalidate_group(app->cache, group_of(kind, tenant));
}

static void forget(struct app *app, int64_t tenant, enum change_entity entity, int64_t ref, bool public)
{
	switch (entity) {
	case ENTITY_AGENT:
	case ENTITY_LIVENESS:
		forget_thing(app, OF_AGENT, ref);
		forget_list(app, OF_AGENTS, tenant);
		if (public)
			cache_invalidate_group(app->cache, PUBLIC_AGENTS);
		return;
	case ENTITY_CAPABILITY:
		forget_list(app, OF_CAPABILITIES, tenant);
		return;
	case ENTITY_SQUAD:
		forget_thing(app, OF_SQUAD, ref);
		return;
	case ENTITY_SQUAD_MEMBER:
		forget_thing(app, OF_MEMBER, ref);
		forget_list(app, OF_MEMBERS, tenant);
		return;
	case ENTITY_PLAN:
		forget_list(app, OF_PLAN, tenant);
		return;
	case ENTITY_ATTESTATION:
	case ENTITY_KEY:
	case ENTITY_WEBHOOK:
	case ENTITY_HOOK:
		return;
	}
	UNREACHABLE();
}

void kept_committed(void *ctx, const struct change_fact *facts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		forget(ctx, facts[i].tenant, (enum change_entity)facts[i].entity, facts[i].ref, facts[i].public);
}

enum err kept_follow(void *ctx, struct db *db, const struct change_row *rows, size_t count)
{
	(void)db;
	struct app *app = ctx;
	if (count == 0)
		cache_flush(app->cache, mono_ms());
	for (size_t i = 0; i < count; i++)
		forget(app, rows[i].tenant, (enum change_entity)rows[i].entity, rows[i].ref, rows[i].public);
	return OK;
}

/* Of what is kept, squads change on the queue's thread. */
void kept_relayed(struct call *c)
{
	struct str rest, segment = {0};
	int64_t squad;
	rest = c->path;
	for (int i = 0; i < 4; i++) /* "", "v1", "squads", the id */
		segment = str_cut(rest, '/', &rest);
	if (id_parse(segment, "sq_", &squad))
		forget_thing(call_app(c), OF_SQUAD, squad);
}

/* ---- figures ---- */

static double figure(void *ctx, size_t offset)
{
	struct cache_stats stats;
	cache_stats_get(((struct app *)ctx)->cache, mono_ms(), &stats);
	return (double)*(const uint64_t *)(const void *)((const char *)&stats + offset);
}

static double entries(void *ctx, unsigned index1, unsigned index2)
{
	(void)index1, (void)index2;
	return figure(ctx, offsetof(struct cache_stats, entries));
}

static double bytes(void *ctx, unsigned index1, unsigned index2)
{
	(void)index1, (void)index2;
	return figure(ctx, offsetof(struct cache_stats, bytes));
}

static double shared_open(void *ctx, unsigned index1, unsigned index2)
{
	(void)index1, (void)index2;
	struct cache_stats stats;
	cache_stats_get(((struct app *)ctx)->cache, mono_ms(), &stats);
	return stats.shared_open;
}

void kept_show(struct app *app)
{
	metrics_compute(app->metrics, METRIC_cache_entries, entries, app);
	metrics_compute(app->metrics, METRIC_cache_bytes, bytes, app);
	metrics_compute(app->metrics, METRIC_cache_shared_open, shared_open, app);
}
