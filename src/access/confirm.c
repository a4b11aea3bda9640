/* See confirm.h. */
#include "access/confirm.h"

#include "store/queries.h"

struct asked {
	struct call *const *calls;
	enum err *outcomes;
	struct id_row *keys;
	size_t *of; /* which call's each is */
	size_t count;
};

static enum err judge(void *ctx, size_t i, const void *row)
{
	const struct asked *asked = ctx;
	const struct key_row *key = row;
	struct call *c = asked->calls[asked->of[i]];
	if (!key || key->revoked_ms || (key->expires_ms && key->expires_ms <= c->now_ms))
		asked->outcomes[asked->of[i]] =
			call_fail(c, ERR_UNAUTHENTICATED, "this key has expired or been revoked");
	return OK;
}

enum err confirm_callers(struct call *const *calls, enum err *outcomes, size_t count)
{
	struct arena *a = calls[0]->arena;
	struct asked asked = {calls, outcomes, ARENA_ARRAY(a, struct id_row, count), ARENA_ARRAY(a, size_t, count),
			      0};
	if (!asked.keys || !asked.of)
		return ERR_INTERNAL;
	for (size_t i = 0; i < count; i++) {
		outcomes[i] = OK;
		if (!calls[i]->caller.key)
			continue;
		asked.keys[asked.count].id = calls[i]->caller.key;
		asked.of[asked.count++] = i;
	}
	return asked.count ? q_key_get_each(calls[0]->db, asked.keys, asked.count, judge, &asked) : OK;
}

enum err confirm_caller(struct call *c)
{
	enum err outcome, err = confirm_callers(&c, &outcome, 1);
	return err ? err : outcome;
}
