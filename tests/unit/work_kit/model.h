/*
 * The queue a second time, as plainly as it can be said: one array of items, one of waits, every question answered
 * by looking through all of them. It shares no code with src/work/ but the enums of its API.
 *
 * Texts are numbers here (see model_text); types, teams, agents and keys are indexes of the test's. What the real
 * queue draws at random (ids, tokens, jitter) the model cannot know: it says where something was drawn (`drawn_id`,
 * `drawn_token`, `jitter_ms`), and the test gives it what it was, after judging it.
 */
#ifndef TENFOLD_TESTS_WORK_KIT_MODEL_H
#define TENFOLD_TESTS_WORK_KIT_MODEL_H

#include "work/work.h"

enum {
	M_ITEMS = 700,
	M_DEPENDS = 6,
	M_HISTORY = 64,
	M_WAITS = 16,
	M_TYPES = 4,
	M_HAPPENINGS = 4096,
	M_SERVED = 256,
	M_TURNS = 512
};
enum { M_NONE = -1, M_ANY = -2 };

struct m_entry {
	int64_t at_ms;
	int kind, agent, note;
	uint32_t attempt;
};

struct m_dependency {
	int64_t id;
	int on_failure;
};

struct m_item {
	int64_t id;
	int tenant, type, team, key, assignee, created_by, claimed_by;
	int state, priority, progress, outcome, note, backoff_kind;
	int64_t created_ms, changed_ms, run_at_ms, ready_ms, deadline_ms, lease_until_ms;
	int64_t lease_ms, max_attempts, backoff_base_ms, backoff_max_ms;
	uint32_t attempt, failures;
	struct work_token token;
	int depends_count;
	struct m_dependency depends[M_DEPENDS]; /* what it still waits for, or waited for when it ended */
	int history_count, folded;
	struct m_entry history[M_HISTORY];
	/* finished ones */
	int64_t finished_ms, cause;
	int result, error, used;
	bool ended_now;    /* in this batch */
	bool felled_noted; /* with the cause, which ended in the same batch before it */
	/* drawn by the real queue, not known here yet */
	bool drawn_token;
	int64_t jitter_ms; /* run_at_ms lies up to this much before what stands there */
};

struct m_wait {
	int who, tenant, agent, types_count, types[M_TYPES], team; /* types_count 0: any */
	int64_t until_ms, lease_ms;
	bool began_now; /* in this batch */
};

struct m_happening {
	int64_t id;
	int kind, state, agent, holder, progress;
	uint32_t attempt;
};

struct m_served {
	int who;
	int64_t id; /* 0: nothing */
};

/* When claims of no certain team, and of a certain type or not, were last given something of a queue. */
struct m_turn {
	int tenant, type, team, priority;
	bool of_type;
	int number;
};

struct model {
	int64_t now_ms;
	int count;
	struct m_item items[M_ITEMS];
	int waits_count;
	struct m_wait waits[M_WAITS]; /* longest waiting first */
	int happenings_count;
	struct m_happening happenings[M_HAPPENINGS]; /* of the batch */
	int served_count;
	struct m_served served[M_SERVED]; /* since the test looked */
	int turns_count, turns_given;
	struct m_turn turns[M_TURNS];
	uint32_t epoch;
	uint64_t max_live, max_waiting;
};

/* ---- texts ---- */

int model_text(struct str s); /* the same number for the same text; M_NONE for the empty one */
struct str model_text_str(int text);

/* ---- batches ---- */

void model_begin(struct model *m, int64_t now_ms);
void model_commit(struct model *m);
void model_undo(struct model *m, const struct model *before); /* `before` was copied before model_begin */
void model_restart(struct model *m, int64_t now_ms);          /* outside a batch: waits are gone, leases get time */

/* ---- commands: as in work.h ---- */

/* `proto` with everything but id; `proto->depends` as asked for, standing[] of those the model does not know live.
 */
enum err model_enqueue(struct model *m, const struct m_item *proto, bool is_new_queue_refused, int64_t id,
		       struct m_item **out, bool *existed);
struct m_claim {
	int tenant, agent, types_count, types[M_TYPES], team;
	int max;
	int64_t lease_ms;
};
int model_claim(struct model *m, const struct m_claim *c, int64_t *ids);
enum err model_wait(struct model *m, const struct m_claim *c, int64_t until_ms, int who);
void model_unwait(struct model *m, int who);
enum err model_progress(struct model *m, int tenant, int64_t id, const struct work_token *t, int percent, int note,
			int64_t extend_ms);
enum err model_extend(struct model *m, int tenant, int64_t id, const struct work_token *t, int64_t lease_ms,
		      int percent);
enum err model_settle(struct model *m, int tenant, int64_t id, const struct work_token *t, int outcome, int result,
		      int error, int used, bool retry);
void model_unclaim(struct model *m, int64_t id, const struct work_token *t);
enum err model_cancel(struct model *m, int tenant, int64_t id, int by, int reason);
enum err model_revive(struct model *m, int64_t id, int by);
/* The one thing that is due first; false when nothing is. */
bool model_tick(struct model *m);
int64_t model_next_due(const struct model *m);

/* ---- looking ---- */

struct m_item *model_find(struct model *m, int64_t id); /* finished ones too */
bool model_is_live(const struct m_item *i);
int model_count(const struct model *m, int tenant, int state); /* M_ANY: all tenants, all live states */
bool model_before(const struct m_item *a, const struct m_item *b);
bool model_claimable(const struct m_item *i, const struct m_claim *c);

#endif
