/* See accounts.h. */
#include "accounts/accounts.h"

#include "accounts/ticket.h"
#include "base/clock.h"
#include "base/magic.h"

#include <inttypes.h>

enum { OF_ACCOUNT, OF_ADDRESS };
/* OWASP ASVS 4.0, 2.2.1: at most 100 failed tries an hour at one account. */
enum { AGAIN_PER_MINUTE = 1, ADDRESS_FACTOR = 10 };

struct user_accounts *accounts_new(const struct accounts_config *config, bool exclusive)
{
	struct user_accounts *a = NEW(struct user_accounts);
	int64_t tries = config->tries;
	struct limits_tier tiers[] = {
		[OF_ACCOUNT] = {tries ? AGAIN_PER_MINUTE : 0, tries ? tries : 1},
		[OF_ADDRESS] = {tries ? ADDRESS_FACTOR * AGAIN_PER_MINUTE : 0, tries ? ADDRESS_FACTOR * tries : 1},
	};
	a->config = *config;
	a->tries = limits_new(&(struct limits_config){
		.tiers = tiers, .tier_count = sizeof tiers / sizeof tiers[0], .seed = config->seed});
	if (exclusive)
		a->tickets = tickets_new();
	return a;
}

void accounts_destroy(struct user_accounts **a)
{
	if (!*a)
		return;
	limits_destroy(&(*a)->tries);
	tickets_destroy(&(*a)->tickets);
	free(*a);
	*a = NULL;
}

static enum err refuse(struct call *c, const struct limits_answer *why, const char *what)
{
	c->problem.retry_after_s = why->retry_after_s;
	call_fail(c, ERR_RATE_LIMITED, "too many tries %s; come again in %" PRId32 " s", what, why->retry_after_s);
	c->problem.retry_after_s = why->retry_after_s;
	return ERR_RATE_LIMITED;
}

enum err accounts_admit(struct user_accounts *a, struct call *c, struct str name)
{
	int64_t now_ms = clock_mono_ns() / 1000000;
	struct limits_key address = limits_id(OF_ADDRESS, limits_address(c->address).id);
	struct limits_answer answer = limits_take(a->tries, now_ms, address, OF_ADDRESS, 1);
	if (!answer.allowed)
		return refuse(c, &answer, "from this address");
	if (!name.n)
		return OK;
	struct limits_key account = limits_id(OF_ACCOUNT, (int64_t)(str_hash(name) >> 1));
	answer = limits_take(a->tries, now_ms, account, OF_ACCOUNT, 1);
	return answer.allowed ? OK : refuse(c, &answer, "at this account");
}

enum scope accounts_scope(enum user_role role)
{
	switch (role) {
	case USER_MEMBER:
		return SCOPE_WORKER;
	case USER_ADMIN:
	case USER_OWNER:
		return SCOPE_OPERATOR;
	}
	UNREACHABLE();
}
