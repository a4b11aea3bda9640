/* See callers.h. */
#include "server/callers.h"

#include "api/app.h"
#include "base/rng.h"
#include "limits/limits.h"

#include <inttypes.h>

enum { TENANT_SHOWN_MAX = 64 };

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

enum err callers_authenticate(struct call *c, struct str secret, struct str tenant)
{
	struct app *app = call_app(c);
	enum err err =
		keyring_authenticate(app->keyring, secret, tenant, clock_now_ms(app->clock), c->arena, &c->caller);
	if (!err && !c->caller.key && (c->route->flags & ROUTE_OPEN))
		act_in_default(c);
	if (err == ERR_UNAUTHENTICATED)
		return call_fail(c, err, "the server does not know this key, or it has expired or been revoked");
	if (err == ERR_FORBIDDEN)
		return call_fail(c, err,
				 "this key belongs to another tenant; --tenant (X-Tenant) is for admin keys");
	if (err == ERR_NOT_FOUND)
		return call_fail(c, err, "there is no tenant '%.*s'; 'tenfold tenant list' shows them",
				 tenant.n < TENANT_SHOWN_MAX ? (int)tenant.n : TENANT_SHOWN_MAX, tenant.p);
	return err;
}

/* ---- how much ---- */

enum { OF_KEYS, OF_AGENTS };

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

/* All keys of an agent share what it may ask for. */
static struct limits_key whose(const struct call *c, const char **policy)
{
	if (c->caller.agent) {
		*policy = "agent";
		return limits_id(OF_AGENTS, c->caller.agent);
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
	struct limits_answer a =
		limits_take(call_app(c)->limits, clock_mono_ns() / 1000000, key, c->caller.tier, 1);
	out->limit = a.limit;
	out->remaining = a.remaining;
	out->window_s = a.window_s;
	out->reset_s = a.reset_s;
	out->retry_after_s = a.retry_after_s;
	if (a.allowed)
		return OK;
	return call_fail(c, ERR_RATE_LIMITED, "this %s may make %" PRId64 " calls in %d s; come again in %d s",
			 out->policy, a.limit, a.window_s, a.retry_after_s);
}
