/* See kept.h. */
#include "api/kept.h"

#include "base/id.h"
#include "directory/agent.h"
#include "http/http.h"
#include "telemetry/metrics.h"

#include <string.h>

/* Groups of lists. A tenant's id is none of these. */
enum { PUBLIC_AGENTS = 1 };
enum { TRUSTED_MS = 1000, TAG_TENANT = 0, TAG_VISIBILITY = 1 };

static int64_t mono_ms(void)
{
	return clock_mono_ns() / 1000000;
}

static int64_t agents_of(int64_t tenant)
{
	return tenant;
}

static int64_t capabilities_of(int64_t tenant)
{
	return -tenant;
}

/* ---- keys ---- */

static struct cache_key agent_key(char room[32], int64_t id)
{
	room[0] = 'a';
	memcpy(room + 1, &id, sizeof id);
	struct cache_key key = cache_key((struct str){room, 1 + sizeof id});
	key.shared = true;
	return key;
}

bool kept_agent_key(struct str ref, struct kept_key *out)
{
	int64_t id;
	if (!id_parse(ref, "ag_", &id))
		return false;
	out->key = agent_key(out->room, id);
	return true;
}

static bool list_key(struct call *c, char kind, struct kept_key *out)
{
	struct str query = http_request_of(c).query;
	size_t head = 1 + sizeof c->caller.tenant;
	char *name = arena_alloc(c->arena, head + query.n);
	if (!name || head + query.n > CACHE_KEY_MAX)
		return false;
	name[0] = kind;
	memcpy(name + 1, &c->caller.tenant, sizeof c->caller.tenant);
	if (query.n)
		memcpy(name + head, query.p, query.n);
	out->key = cache_key((struct str){name, head + query.n});
	return true;
}

bool kept_agents_key(struct call *c, struct kept_key *out)
{
	if (!list_key(c, 'l', out))
		return false;
	out->key.groups[0] = agents_of(c->caller.tenant);
	out->key.groups[1] = PUBLIC_AGENTS;
	return true;
}

bool kept_capabilities_key(struct call *c, struct kept_key *out)
{
	if (!list_key(c, 'c', out))
		return false;
	out->key.groups[0] = capabilities_of(c->caller.tenant);
	return true;
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

static void hand_out(struct call *c, struct cache_blob *b)
{
	c->ready_blob = (struct call_blob){.body = b->body, .release = release, .owner = b};
	c->etag = b->etag;
	c->is_public = b->tags[TAG_VISIBILITY] == VISIBLE_PUBLIC;
}

static bool is_for(const struct call *c, const struct cache_blob *b)
{
	return agent_is_readable(&c->caller, b->tags[TAG_TENANT], b->tags[TAG_VISIBILITY]);
}

enum err kept_here(struct call *c, const struct kept_key *k)
{
	struct app *app = call_app(c);
	trust(app);
	struct cache_blob *b = cache_get(app->cache, &k->key, mono_ms());
	metrics_add(app->metrics, b ? METRIC_cache_hits_total : METRIC_cache_misses_total, 1);
	if (!b)
		return ERR_NOT_CACHED;
	if (!is_for(c, b)) {
		cache_blob_drop(&b);
		return ERR_NOT_CACHED; /* which words he is refused with is said elsewhere */
	}
	hand_out(c, b);
	return OK;
}

bool kept_begin(struct call *c, const struct kept_key *k, struct cache_fill *fill)
{
	struct app *app = call_app(c);
	trust(app);
	struct cache_blob *b = cache_begin(app->cache, &k->key, mono_ms(), fill);
	if (b && is_for(c, b)) {
		hand_out(c, b);
		return true;
	}
	if (b)
		cache_blob_drop(&b);
	return false;
}

void kept_put(struct call *c, struct cache_fill *fill, int64_t version, int64_t tenant, int64_t visibility,
	      int64_t ttl_ms)
{
	if (!fill->cache)
		return;
	struct buf body = BUF_INIT(0);
	json_encode(c->route->out, c->out, 0, &body);
	if (!buf_ok(&body)) {
		kept_not(fill);
	} else {
		struct cache_blob *b =
			cache_blob_new(c->etag, buf_str(&body), version, (int64_t[CACHE_TAGS]){tenant, visibility});
		cache_put(fill, b, ttl_ms, mono_ms());
		hand_out(c, b);
	}
	buf_free(&body);
}

void kept_not(struct cache_fill *fill)
{
	if (fill->cache)
		cache_abandon(fill);
}

/* ---- what has changed ---- */

static void forget(struct app *app, int64_t tenant, int64_t entity, int64_t ref, bool public)
{
	char room[32];
	if (entity == ENTITY_AGENT || entity == ENTITY_LIVENESS) {
		struct cache_key key = agent_key(room, ref);
		cache_invalidate(app->cache, &key, 0, mono_ms());
		cache_invalidate_group(app->cache, agents_of(tenant));
		if (public)
			cache_invalidate_group(app->cache, PUBLIC_AGENTS);
	} else if (entity == ENTITY_CAPABILITY) {
		cache_invalidate_group(app->cache, capabilities_of(tenant));
	}
}

void kept_committed(void *ctx, const struct change_fact *facts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		forget(ctx, facts[i].tenant, facts[i].entity, facts[i].ref, facts[i].public);
}

enum err kept_follow(void *ctx, struct db *db, const struct change_row *rows, size_t count)
{
	(void)db;
	struct app *app = ctx;
	if (count == 0)
		cache_flush(app->cache, mono_ms());
	for (size_t i = 0; i < count; i++)
		forget(app, rows[i].tenant, rows[i].entity, rows[i].ref, rows[i].public);
	return OK;
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
