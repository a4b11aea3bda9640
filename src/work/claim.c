/* Leases given, and given back because the answer never arrived. */
#include "work/work_priv.h"

size_t work_claim(struct work *w, const struct work_claim *claim, struct item **out)
{
	struct name *agent;
	struct item *item;
	size_t n = 0;

	CHECK(w->batch.open && claim->agent.n > 0);
	ready_begin(w, claim);
	agent = name_get(&w->names, claim->agent);
	while (n < claim->max && (item = ready_next(w))) {
		item_is_leased(w, item, agent, claim->lease_ms);
		out[n++] = item;
	}
	name_drop(&w->names, &agent);
	return n;
}

/* The history keeps both the claim and its return: what subscribers heard must be found there. */
void work_unclaim(struct work *w, int64_t id, const struct work_token *t)
{
	struct item *item = work_find(w, id);
	struct name *agent;

	CHECK(w->batch.open);
	if (!item || item->state != WORK_LEASED || !token_fits(item, t))
		return;
	batch_touch(w, item);
	agent = name_keep(item->claimed_by);
	item_set_claimed_by(w, item, NULL);
	item->attempt--;
	item_becomes_ready(w, item, EVENT_RELEASED, agent, STR("the answer did not arrive"));
	name_drop(&w->names, &agent);
}
