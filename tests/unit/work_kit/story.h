/*
 * What the stories about the queue are told with: a queue, a clock held in the hand, and short words for commands.
 *
 * A story is always inside a batch; story_at() commits it, checks the queue's invariants and begins the next one.
 */
#ifndef TENFOLD_TESTS_WORK_KIT_STORY_H
#define TENFOLD_TESTS_WORK_KIT_STORY_H

#include "harness.h"

#include "work/work.h"

enum { T0 = 1000000000, STORY_SERVED = 16 };

struct story {
	struct work *w;
	struct rng rng;
	int64_t now_ms;
	uint32_t epoch;
	uint64_t max_live, max_waiting, max_queues;
	/* waits that ended: who, and what they got (0: nothing) */
	int served_count;
	void *served_who[STORY_SERVED];
	int64_t served_id[STORY_SERVED];
	struct problem problem; /* of the last command that had one */
};

struct story *story_new(void);
struct story *story_limited(uint64_t max_live, uint64_t max_waiting, uint64_t max_queues);
void story_end(struct story **s);
void story_at(struct story *s, int64_t ms);       /* since T0 */
void story_undo(struct story *s);                 /* and begins the next batch at the same time */
void story_tick(struct story *s, int64_t ms);     /* story_at, then all that is due */
void story_swap(struct story *s, struct work *w); /* another queue, as after a restart; inside a batch then */
struct work *story_work(struct story *s);         /* a fresh one of its next epoch */

/* A spec of tenant 1 with the defaults of the API. Its key is its body. */
struct work_spec a_spec(const char *type);
struct item *add(struct story *s, struct work_spec spec);
struct item *add_type(struct story *s, const char *type);
enum err refuse_add(struct story *s, struct work_spec spec);
struct item *add_after(struct story *s, const char *type, const struct item *dependency, int on_failure);

struct item *claim(struct story *s, const char *agent, const char *type); /* NULL: there is none */
struct work_claim a_claim(const char *agent, const struct str *types, size_t types_count);
struct work_waiter *wait_for(struct story *s, const struct work_claim *c, int64_t until_ms, void *who);

enum err settle(struct story *s, const struct item *item, struct work_token t, enum work_outcome outcome);
enum err fail_for_good(struct story *s, const struct item *item, const char *error);
void complete(struct story *s, const struct item *item);
void cancel(struct story *s, const struct item *item);

struct work_change change_of(struct story *s, int64_t id); /* in this batch; fails when there is none */
bool is_changed(struct story *s, int64_t id);
/* "enqueued claimed …" */
void assert_happened(struct story *s, const char *kinds);
void assert_history(const struct item *item, const char *kinds);
struct work_history_entry last_entry(const struct item *item);

#endif
