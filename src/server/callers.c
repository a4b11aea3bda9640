/* See callers.h. */
#include "server/callers.h"

#include "api/app.h"
#include "api/identify.h"
#include "base/rng.h"
#include "limits/limits.h"

#include <inttypes.h>

/* Who registers without a key becomes one of the tenant that every store has. */
static void act_in_default(struct call *c)
{
	struct keyring_tenant tenant;
	CHECK(keyring_find_tenant(call_app(c)->keyring, STR("default"), c->arena, &tenant));
	c->caller.tenant = tenant.id;
	c->caller.tenant_name = tenant.name;
}

unsigned callers_keyless(const struct serve_params *params)
{
	return (params->public_directory ? ROUTE_PUBLIC : 0u) | (params->open_registration ? ROUTE_OPEN : 0u);
}

/* Where others make keys, too, one that is not known here is looked for in the store; so is a tenant. */
static bool may_be_elsewhere(struct app *app, struct str secret, enum err err)
{
	return store_kind(app->store) == STORE_POSTGRES &&
	       (err == ERR_NOT_FOUND ||
		(err == ERR_UNAUTHENTICATED && keyring_look(app->keyring, secret, 0) == KEY_UNKNOWN));
}

enum err callers_authenticate(struct call *c, struct str secret, struct str tenant)
{
	struct app *app = call_app(c);
	if ((c->route->flags & ROUTE_SIGNED) || (!secret.n && (identify_is_signed(c) || http_ticket_of(c).n))) {
		c->caller = (struct caller){.tier = TIER_ANONYMOUS, .unproven = true};
		return ERR_NOT_CACHED;
	}
	enum err err =
		keyring_authenticate(app->keyring, secret, tenant, clock_now_ms(app->clock), c->arena, &c->caller);
	if (!err && !c->caller.key && (c->route->flags & ROUTE_OPEN))
		act_in_default(c);
	if (err && may_be_elsewhere(app, secret, err)) {
		c->caller = (struct caller){.tier = TIER_ANONYMOUS, .unproven = true};
		return ERR_NOT_CACHED;
	}
	return err ? identify_refuse(c, secret, tenant, err) : OK;
}

/* As long as nothing has changed, and nothing has expired, this costs two loads. */
enum err callers_recheck(struct call *c, int64_t *again_ms)
{
	struct app *app = call_app(c);
	if (!c->caller.key)
		return OK;
	int64_t now_ms = clock_now_ms(app->clock);
	uint64_t revision = keyring_revision(app->keyring);
	*again_ms = c->caller.expires_ms ? c->caller.expires_ms - now_ms + 1 : 0;
	if (revision == c->caller.revision && (!c->caller.expires_ms || *again_ms > 1))
		return OK;
	enum key_stand stand = keyring_look_id(app->keyring, c->caller.key, now_ms);
	c->caller.revision = revision;
	return stand == KEY_IN_FORCE ? OK : identify_refuse_key(c, stand);
}

/* ---- how much ---- */

enum { OF_KEYS, OF_AGENTS, OF_USERS };

/* A minute's calls may come at once. */
static struct limits_tier tier(int64_t per_minute)
{
	return (struct limits_tier){.per_minute = per_minute, .burst = per_minute};
}

struct limits *callers_limits(const struct serve_params *params)
{
	struct limits_tier tiers[] = {[TIER_UNLIMITED] = {0},
				      [TIER_ANONYMOUS] = tier(params->limit_anonymous),
				      [TIER_REGISTERED] = tier(params->limit_registered),
				      [TIER_VERIFIED] = tier(params->limit_verified),
				      [TIER_PARTNER] = tier(params->limit_partner)};
	return limits_new(&(struct limits_config){
		.tiers = tiers, .tier_count = sizeof(tiers) / sizeof(tiers[0]), .seed = rng_system_word()});
}

/* All keys of an agent share what it may ask for, and so do all sessions of a person. */
static struct limits_key whose(const struct call *c, const char **policy)
{
	if (c->caller.agent) {
		*policy = "agent";
		return limits_id(OF_AGENTS, c->caller.agent);
	}
	if (c->caller.user) {
		*policy = "user";
		return limits_id(OF_USERS, c->caller.user);
	}
	if (c->caller.key) {
		*policy = "key";
		return limits_id(OF_KEYS, c->caller.key);
	}
	*policy = "address";
	return limits_address(c->address);
}

enum err callers_admit(struct call *c, struct rate *out)
{
	if (c->caller.tier == TIER_UNLIMITED)
		return OK;
	struct limits_key key = whose(c, &out->policy);
	struct limits_answer a = limits_take(call_app(c)->limits, clock_mono_ns() / 1000000, key, c->caller.tier,
					     c->caller.unproven ? 0 : 1);
	out->limit = a.limit;
	out->remaining = a.remaining;
	out->window_s = a.window_s;
	out->reset_s = a.reset_s;
	out->retry_after_s = a.retry_after_s;
	if (a.allowed && !(c->caller.unproven && a.limit && a.remaining == 0))
		return OK; /* of addresses that guessed too often nothing is looked up */
	return call_fail(c, ERR_RATE_LIMITED, "this %s may make %" PRId64 " calls in %d s; come again in %d s",
			 out->policy, a.limit, a.window_s, a.retry_after_s);
}
