/* See idempotency.h. */
#include "api/idempotency.h"

#include "api/runner.h"

#include <sodium.h>
#include <string.h>

enum { KEPT_MS = 86400000 };

bool idempotency_wanted(const struct call *c)
{
	return (c->route->flags & ROUTE_CREATES) && c->idempotency_key.n > 0;
}

void idempotency_of(const struct call *c, struct idempotency *out)
{
	uint64_t hash = str_hash_seed(str_of(c->route->name), (uint64_t)c->caller.tenant);
	hash = str_hash_seed(c->idempotency_key, hash);
	out->id = (int64_t)(hash >> 1) | 1;
	crypto_generichash(out->body_hash, sizeof out->body_hash, (const unsigned char *)c->body.p, c->body.n, NULL,
			   0);
}

enum err idempotency_match(struct call *c, const struct idempotency *i, const struct idempotency_row *row)
{
	if (row->created_ms + KEPT_MS < c->now_ms)
		return ERR_NOT_FOUND;
	bool same_key = row->tenant == c->caller.tenant && str_eqz(row->route, c->route->name) &&
			str_eq(row->key, c->idempotency_key);
	bool same_body = row->body_hash.n == sizeof i->body_hash &&
			 memcmp(row->body_hash.p, i->body_hash, sizeof i->body_hash) == 0;
	if (same_key && same_body)
		return OK;
	return call_fail(c, ERR_KEY_REUSED,
			 "this Idempotency-Key was used within 24 h with another body; take a new one");
}

enum err idempotency_replay(struct call *c, const struct idempotency_row *row)
{
	c->replayed = true;
	c->status = (int)row->status;
	if (c->route == &spec_routes[ROUTE_work_claim])
		return work_claim_replay(c, row->response);
	c->ready_json = arena_str(c->arena, row->response);
	return OK;
}

static struct str stored_answer(struct call *c)
{
	struct buf b = BUF_INIT(0);
	if (c->route == &spec_routes[ROUTE_work_claim])
		work_claim_stored(c->out, &b);
	else
		json_encode(c->route->out, c->out, 0, &b);
	struct str answer = arena_str(c->arena, buf_str(&b));
	buf_free(&b);
	return answer;
}

struct idempotency_row idempotency_row_of(struct call *c, const struct idempotency *i)
{
	struct str hash = arena_str(c->arena, (struct str){(const char *)i->body_hash, sizeof i->body_hash});
	return (struct idempotency_row){.id = i->id,
					.tenant = c->caller.tenant,
					.route = str_of(c->route->name),
					.key = c->idempotency_key,
					.body_hash = hash,
					.status = c->status ? c->status : c->route->status,
					.response = stored_answer(c),
					.created_ms = c->now_ms};
}
