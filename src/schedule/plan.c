/* See plan.h. */
#include "schedule/plan.h"

#include "base/magic.h"
#include "base/str.h"

enum { MINUTE_MS = 60000 };

static int64_t next_of(const struct plan_rule *r, int64_t at_ms)
{
	return cron_next_ms(r->cron, r->zone, at_ms);
}

int64_t plan_due_ms(const struct plan_rule *r, int64_t at_ms)
{
	if (r->jitter_ms == 0)
		return at_ms;
	const int64_t words[2] = {r->id, at_ms};
	int64_t gap_ms = next_of(r, at_ms) - at_ms;
	int64_t most_ms = r->jitter_ms < gap_ms ? r->jitter_ms + 1 : gap_ms;
	uint64_t draw = str_hash((struct str){(const char *)words, sizeof words});
	return at_ms + (int64_t)(draw % (uint64_t)most_ms);
}

/* How many fires there are from one of a time on, before another time. */
static int64_t count_until(const struct plan_rule *r, int64_t at_ms, int64_t until_ms)
{
	int64_t n = 0;
	for (; at_ms < until_ms; at_ms = next_of(r, at_ms))
		n++;
	return n;
}

/* The n-th last fire before a time, or the one of `from` when there are not more than n from there on. Looks back
 * twice as far each time, so that a year of minutes costs no more than an hour of them. */
static int64_t nth_last(const struct plan_rule *r, int64_t from_ms, int64_t until_ms, int64_t n)
{
	int64_t back_ms = n * MINUTE_MS, at_ms, count;
	do {
		at_ms = back_ms >= until_ms - from_ms ? from_ms : next_of(r, until_ms - back_ms - 1);
		count = count_until(r, at_ms, until_ms);
		back_ms *= 2;
	} while (count < n && at_ms != from_ms);
	for (; count > n; count--)
		at_ms = next_of(r, at_ms);
	return at_ms;
}

static void note(struct plan_todo *out, int64_t since_ms, int64_t at_ms, bool is_missed)
{
	CHECK(out->count < PLAN_FIRES_MAX);
	out->fires[out->count++] = (struct plan_fire){.at_ms = at_ms, .since_ms = since_ms, .is_missed = is_missed};
}

/* Deals with the fires before a time, which were missed. Returns the first that was not; *since_ms is from when on
 * that one stands for others. */
static int64_t plan_missed(const struct plan_rule *r, int64_t from_ms, int64_t until_ms, int64_t now_ms,
			   int64_t *since_ms, struct plan_todo *out)
{
	int64_t last_ms = nth_last(r, from_ms, until_ms, 1), next_ms = next_of(r, last_ms);
	*since_ms = next_ms;
	switch (r->missed) {
	case MISSED_SKIP:
		note(out, from_ms, last_ms, true);
		return next_ms;
	case MISSED_ONCE:
		if (plan_due_ms(r, next_ms) <= now_ms)
			*since_ms = from_ms;
		else
			note(out, from_ms, last_ms, false);
		return next_ms;
	case MISSED_ALL:
		*since_ms = nth_last(r, from_ms, until_ms, r->missed_max);
		if (*since_ms > from_ms)
			note(out, from_ms, nth_last(r, from_ms, *since_ms, 1), true);
		return *since_ms;
	}
	UNREACHABLE();
}

void plan_make(const struct plan_rule *r, int64_t from_ms, int64_t now_ms, struct plan_todo *out)
{
	int64_t missed_until_ms = now_ms - r->missed_after_ms - r->jitter_ms, at_ms = from_ms, since_ms = from_ms;
	out->count = 0;
	if (from_ms < missed_until_ms)
		at_ms = plan_missed(r, from_ms, missed_until_ms, now_ms, &since_ms, out);
	while (out->count < PLAN_FIRES_MAX && plan_due_ms(r, at_ms) <= now_ms) {
		note(out, since_ms, at_ms, false);
		at_ms = since_ms = next_of(r, at_ms);
	}
	out->next_ms = at_ms;
}

enum plan_start plan_overlap(enum schedule_overlap policy, unsigned unfinished)
{
	if (unfinished == 0)
		return PLAN_START;
	switch (policy) {
	case OVERLAP_ALLOW:
		return PLAN_START;
	case OVERLAP_SKIP:
		return PLAN_LEAVE;
	case OVERLAP_QUEUE:
		return unfinished == 1 ? PLAN_WAIT : PLAN_LEAVE;
	}
	UNREACHABLE();
}
