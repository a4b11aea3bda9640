/* See wallet.h. */
#include "shop/wallet.h"

#include "shop/catalogue.h"

enum { DAY_MS = 86400000, THURSDAY = 3 /* 1970-01-01, counted from Monday */ };

static const uint64_t offers_seed = 0x73686f70; /* every shop gives the same customer the same */

void wallet_of(struct str customer, int64_t now_ms, struct wallet *out)
{
	const struct offer_rules *rules = &offers_default;
	int64_t period_ms = (int64_t)rules->period_days * DAY_MS;
	struct offers offers;

	_Static_assert(COUPON_FRONT == 50 && COUPON_OTHER == 150, "the pools of offers_default");
	out->cycle = (now_ms + THURSDAY * (int64_t)DAY_MS) / period_ms;
	out->starts_ms = out->cycle * period_ms - THURSDAY * (int64_t)DAY_MS;
	out->next_ms = out->starts_ms + period_ms;
	out->until_ms = out->starts_ms + (int64_t)rules->expiry_days * DAY_MS;
	offers_of(rules, offers_seed, (uint32_t)str_hash(customer), (uint32_t)out->cycle, &offers);
	out->count = offers.count;
	out->short_by = offers.short_front + offers.short_other;
	for (uint32_t i = 0; i < offers.count; i++)
		out->coupons[i] = coupon_of(offers.offer[i]);
}

const struct coupon *wallet_find(const struct wallet *w, int64_t id)
{
	for (uint32_t i = 0; i < w->count; i++)
		if (coupon_id(&w->coupons[i]) == id)
			return &w->coupons[i];
	return NULL;
}
