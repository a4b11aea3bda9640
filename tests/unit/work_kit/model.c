/*
 * See model.h. Written to be seen to be right, not for speed; it follows work.h sentence by sentence, not the code
 * of src/work/.
 */
#include "model.h"

#include "base/id.h"
#include "base/magic.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- texts ---- */

static struct {
	char *bytes[200000];
	size_t n[200000];
	int count;
	int buckets[1 << 16], next[200000]; /* numbers + 1 */
} texts;

int model_text(struct str s)
{
	uint32_t h = 2166136261;
	int *slot;

	if (s.n == 0)
		return M_NONE;
	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * 16777619;
	slot = &texts.buckets[h & 0xffff];
	for (int t = *slot; t; t = texts.next[t - 1])
		if (texts.n[t - 1] == s.n && memcmp(texts.bytes[t - 1], s.p, s.n) == 0)
			return t - 1;
	CHECK(texts.count < 200000);
	texts.bytes[texts.count] = must_alloc(s.n);
	memcpy(texts.bytes[texts.count], s.p, s.n);
	texts.n[texts.count] = s.n;
	texts.next[texts.count] = *slot;
	return (*slot = ++texts.count) - 1;
}

struct str model_text_str(int text)
{
	return text < 0 ? (struct str){0} : (struct str){texts.bytes[text], texts.n[text]};
}

static int text_f(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static int text_f(const char *fmt, ...)
{
	char line[512];
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	CHECK(n >= 0 && (size_t)n < sizeof(line));
	return model_text((struct str){line, (size_t)n});
}

/* At most so many bytes, and no broken character at the end. */
static int shorten(int text, size_t max)
{
	struct str s = model_text_str(text);
	size_t n = 0, step;

	if (s.n <= max)
		return text;
	while ((step = str_utf8_step((struct str){s.p + n, s.n - n})) && n + step <= max)
		n += step;
	return model_text((struct str){s.p, n});
}

/* ---- looking ---- */

bool model_is_live(const struct m_item *i)
{
	return i->state == WORK_BLOCKED || i->state == WORK_SCHEDULED || i->state == WORK_READY ||
	       i->state == WORK_LEASED;
}

struct m_item *model_find(struct model *m, int64_t id)
{
	for (int i = 0; i < m->count; i++)
		if (m->items[i].id == id)
			return &m->items[i];
	return NULL;
}

int model_count(const struct model *m, int tenant, int state)
{
	int n = 0;

	for (int i = 0; i < m->count; i++)
		n += model_is_live(&m->items[i]) && (tenant == M_ANY || m->items[i].tenant == tenant) &&
		     (state == M_ANY || m->items[i].state == state);
	return n;
}

bool model_before(const struct m_item *a, const struct m_item *b)
{
	if (a->priority != b->priority)
		return a->priority < b->priority;
	return a->ready_ms != b->ready_ms ? a->ready_ms < b->ready_ms : a->id < b->id;
}

bool model_claimable(const struct m_item *i, const struct m_claim *c)
{
	bool type = c->types_count == 0;

	for (int k = 0; k < c->types_count; k++)
		type |= c->types[k] == i->type;
	return i->state == WORK_READY && i->tenant == c->tenant && type &&
	       (c->team == M_ANY || c->team == i->team) && (i->assignee == M_NONE || i->assignee == c->agent);
}

/* ---- what happens to an item ---- */

static void happen(struct model *m, const struct m_item *i, int kind, int agent)
{
	CHECK(m->happenings_count < M_HAPPENINGS);
	m->happenings[m->happenings_count++] = (struct m_happening){.id = i->id,
								    .kind = kind,
								    .state = i->state,
								    .agent = agent,
								    .holder = i->claimed_by,
								    .progress = i->progress,
								    .attempt = i->attempt};
}

static void remember(struct model *m, struct m_item *i, int kind, int agent, int note)
{
	if (i->history_count == M_HISTORY) {
		memmove(i->history, i->history + 1, (M_HISTORY - 1) * sizeof(i->history[0]));
		i->history_count--;
		i->folded++;
	}
	i->history[i->history_count++] = (struct m_entry){.at_ms = m->now_ms,
							  .kind = kind,
							  .agent = agent,
							  .note = shorten(note, 160),
							  .attempt = i->attempt};
}

static void change(struct model *m, struct m_item *i, int state, int kind, int agent, int note)
{
	i->state = state;
	i->changed_ms = m->now_ms;
	if (state == WORK_READY && i->ready_ms == 0)
		i->ready_ms = m->now_ms;
	if (state != WORK_LEASED)
		i->lease_until_ms = 0;
	if (kind == M_NONE)
		return;
	remember(m, i, kind, agent, note);
	happen(m, i, kind, agent);
}

static void lease(struct model *m, struct m_item *i, int agent, int64_t lease_ms)
{
	i->attempt++;
	i->outcome = i->progress = 0;
	i->note = M_NONE;
	i->claimed_by = agent;
	i->drawn_token = true;
	i->lease_until_ms = m->now_ms + (lease_ms ? lease_ms : i->lease_ms);
	change(m, i, WORK_LEASED, EVENT_CLAIMED, agent, M_NONE);
}

static void end_wait(struct model *m, int w, int64_t id)
{
	CHECK(m->served_count < M_SERVED);
	m->served[m->served_count++] = (struct m_served){m->waits[w].who, id};
	memmove(&m->waits[w], &m->waits[w + 1], (size_t)(m->waits_count - w - 1) * sizeof(m->waits[0]));
	m->waits_count--;
}

static struct m_claim claim_of(const struct m_wait *w)
{
	struct m_claim c = {.tenant = w->tenant,
			    .agent = w->agent,
			    .types_count = w->types_count,
			    .team = w->team,
			    .lease_ms = w->lease_ms};

	memcpy(c.types, w->types, sizeof(c.types));
	return c;
}

static void offer(struct model *m, struct m_item *i)
{
	for (int w = 0; w < m->waits_count; w++) {
		struct m_claim c = claim_of(&m->waits[w]);

		if (!model_claimable(i, &c))
			continue;
		lease(m, i, c.agent, c.lease_ms);
		end_wait(m, w, i->id);
		return;
	}
}

static void make_ready(struct model *m, struct m_item *i, int kind, int agent, int note)
{
	change(m, i, WORK_READY, kind, agent, note);
	offer(m, i);
}

/* ---- ends, and those that depend on them ---- */

static void finish(struct model *m, struct m_item *i, int state, int agent, int note, int64_t cause)
{
	static const int kinds[] = {[WORK_COMPLETED] = EVENT_COMPLETED,
				    [WORK_FAILED] = EVENT_FAILED,
				    [WORK_CANCELLED] = EVENT_CANCELLED};

	i->finished_ms = m->now_ms;
	i->cause = cause;
	i->ended_now = true;
	i->felled_noted = false;
	change(m, i, state, kinds[state], agent, note);
}

static int dependency_at(const struct m_item *i, int64_t id)
{
	for (int d = 0; d < i->depends_count; d++)
		if (i->depends[d].id == id)
			return d;
	return -1;
}

static struct m_item *next_blocked_by(struct model *m, int64_t id)
{
	struct m_item *best = NULL;

	for (int k = 0; k < m->count; k++) {
		struct m_item *i = &m->items[k];

		if (i->state == WORK_BLOCKED && dependency_at(i, id) >= 0 && (!best || i->id < best->id))
			best = i;
	}
	return best;
}

static void fell(struct model *m, struct m_item *i, const struct m_item *dependency, int64_t cause)
{
	char id[ID_TEXT];

	id_format(id, "w_", cause);
	i->error =
		text_f("dependency %s %s", id,
		       dependency && dependency->ended_now && dependency->state == WORK_CANCELLED ? "was cancelled"
												  : "failed");
	i->result = i->used = M_NONE;
	finish(m, i, WORK_FAILED, M_NONE, i->error, cause);
	i->felled_noted = dependency && dependency->ended_now;
}

/* Breadth first: whoever ended first tells those that wait for it first, lowest id first. */
static void tell_dependents(struct model *m, struct m_item *ended)
{
	int64_t line[M_ITEMS];
	int n = 0;

	line[n++] = ended->id;
	for (int k = 0; k < n; k++) {
		const struct m_item *done = model_find(m, line[k]);
		struct m_item *i;

		while ((i = next_blocked_by(m, done->id))) {
			int d = dependency_at(i, done->id);

			if (done->state != WORK_COMPLETED && i->depends[d].on_failure == ON_FAILURE_FAIL) {
				fell(m, i, done, done->id);
				line[n++] = i->id;
				continue;
			}
			i->depends[d] = i->depends[--i->depends_count];
			if (i->depends_count > 0)
				continue;
			if (i->run_at_ms > m->now_ms)
				change(m, i, WORK_SCHEDULED, M_NONE, M_NONE, M_NONE);
			else
				make_ready(m, i, EVENT_READY, M_NONE, M_NONE);
		}
	}
}

static void end(struct model *m, struct m_item *i, int state, int agent, int note)
{
	finish(m, i, state, agent, note, 0);
	tell_dependents(m, i);
}

static int64_t backoff(struct m_item *i)
{
	int64_t wait = i->backoff_base_ms;

	if (i->backoff_kind == BACKOFF_FIXED)
		return wait;
	if (i->backoff_kind == BACKOFF_LINEAR) {
		wait = 0;
		for (uint32_t k = 0; k < i->failures && wait < i->backoff_max_ms; k++)
			wait += i->backoff_base_ms;
		return wait < i->backoff_max_ms ? wait : i->backoff_max_ms;
	}
	for (uint32_t k = 1; k < i->failures && wait < i->backoff_max_ms; k++)
		wait += wait;
	return i->jitter_ms = wait < i->backoff_max_ms ? wait : i->backoff_max_ms;
}

static void run_again(struct model *m, struct m_item *i, int kind, int note)
{
	i->run_at_ms = m->now_ms + backoff(i);
	change(m, i, WORK_SCHEDULED, kind, i->claimed_by, note);
}

/* ---- batches ---- */

/* Finished items are needed for revivals and late settles; a hundred of them are enough. */
static void forget_old(struct model *m)
{
	int finished = m->count - model_count(m, M_ANY, M_ANY), kept = 0;

	for (int i = 0; i < m->count; i++) {
		if (!model_is_live(&m->items[i]) && finished > 100) {
			finished--;
			continue;
		}
		if (kept != i)
			m->items[kept] = m->items[i];
		kept++;
	}
	m->count = kept;
}

void model_begin(struct model *m, int64_t now_ms)
{
	m->now_ms = now_ms;
	m->happenings_count = 0;
}

void model_commit(struct model *m)
{
	for (int i = 0; i < m->count; i++)
		m->items[i].ended_now = false;
	for (int w = 0; w < m->waits_count; w++)
		m->waits[w].began_now = false;
	forget_old(m);
}

/* Items are as before; waits that ended stay ended, and those that began in the batch end with nothing. */
void model_undo(struct model *m, const struct model *before)
{
	memcpy(m->items, before->items, (size_t)before->count * sizeof(m->items[0]));
	m->count = before->count;
	for (int w = m->waits_count; w-- > 0;)
		if (m->waits[w].began_now)
			end_wait(m, w, 0);
}

void model_restart(struct model *m, int64_t now_ms)
{
	m->waits_count = m->turns_count = 0;
	m->epoch++;
	for (int i = 0; i < m->count; i++) {
		struct m_item *item = &m->items[i];

		int64_t held_ms = item->lease_until_ms - item->changed_ms;
		int64_t least = now_ms + (held_ms < item->lease_ms ? held_ms : item->lease_ms);
		if (item->state == WORK_LEASED && item->lease_until_ms < least)
			item->lease_until_ms = least;
	}
}

/* ---- enqueue and revive ---- */

enum m_standing { LIVE, MET, BROKEN, UNKNOWN };

static enum m_standing standing(struct model *m, int tenant, int64_t id)
{
	const struct m_item *i = model_find(m, id);

	if (!i || i->tenant != tenant)
		return UNKNOWN;
	if (model_is_live(i))
		return LIVE;
	return i->state == WORK_COMPLETED ? MET : BROKEN;
}

/* Keeps of the item's dependencies what still counts, the stricter where one is named twice; returns the lowest id
 * of a broken one. */
static int64_t begin_waiting(struct model *m, struct m_item *i)
{
	struct m_dependency asked[M_DEPENDS];
	int count = i->depends_count;
	int64_t broken = 0;

	memcpy(asked, i->depends, sizeof(asked));
	i->depends_count = 0;
	for (int k = 0; k < count; k++) {
		bool fails = false;

		if (dependency_at(i, asked[k].id) >= 0)
			continue;
		for (int o = 0; o < count; o++)
			fails |= asked[o].id == asked[k].id && asked[o].on_failure == ON_FAILURE_FAIL;
		enum m_standing now = standing(m, i->tenant, asked[k].id);
		if (now == MET || (now == BROKEN && !fails))
			continue;
		if (now == BROKEN && (!broken || asked[k].id < broken))
			broken = asked[k].id;
		i->depends[i->depends_count++] =
			(struct m_dependency){asked[k].id, fails ? ON_FAILURE_FAIL : ON_FAILURE_IGNORE};
	}
	return broken;
}

static void start(struct model *m, struct m_item *i)
{
	i->changed_ms = m->now_ms;
	i->lease_until_ms = 0;
	i->state = i->depends_count > 0 ? WORK_BLOCKED : i->run_at_ms > m->now_ms ? WORK_SCHEDULED : WORK_READY;
	if (i->state == WORK_READY && i->ready_ms == 0)
		i->ready_ms = m->now_ms;
}

static struct m_item *live_with_key(struct model *m, const struct m_item *like)
{
	for (int k = 0; k < m->count; k++) {
		struct m_item *i = &m->items[k];

		if (model_is_live(i) && i->key == like->key && i->tenant == like->tenant && i->type == like->type &&
		    i->team == like->team)
			return i;
	}
	return NULL;
}

enum err model_enqueue(struct model *m, const struct m_item *proto, bool is_new_queue_refused, int64_t id,
		       struct m_item **out, bool *existed)
{
	struct m_item *i = proto->key == M_NONE ? NULL : live_with_key(m, proto);
	int64_t broken;

	*existed = i != NULL;
	*out = i;
	if (i)
		return OK;
	if ((uint64_t)model_count(m, M_ANY, M_ANY) >= m->max_live || is_new_queue_refused)
		return ERR_TOO_MANY;
	for (int k = 0; k < proto->depends_count; k++)
		if (standing(m, proto->tenant, proto->depends[k].id) == UNKNOWN)
			return ERR_INVALID;
	CHECK(m->count < M_ITEMS);
	*out = i = &m->items[m->count++];
	*i = *proto;
	i->id = id;
	i->created_ms = m->now_ms;
	i->note = i->claimed_by = M_NONE;
	broken = begin_waiting(m, i);
	start(m, i);
	happen(m, i, EVENT_ENQUEUED, i->created_by);
	if (broken) {
		fell(m, i, model_find(m, broken), broken);
		tell_dependents(m, i);
	} else if (i->state == WORK_READY) {
		offer(m, i);
	}
	return OK;
}

enum err model_revive(struct model *m, int64_t id, int by)
{
	struct m_item *i = model_find(m, id);

	if (model_is_live(i) || i->ended_now || i->state == WORK_COMPLETED ||
	    (i->key != M_NONE && live_with_key(m, i)))
		return ERR_CONFLICT;
	if ((uint64_t)model_count(m, M_ANY, M_ANY) >= m->max_live)
		return ERR_TOO_MANY;
	for (int k = 0; k < i->depends_count; k++)
		if (standing(m, i->tenant, i->depends[k].id) == UNKNOWN)
			return ERR_INVALID;
	for (int k = 0; k < i->depends_count; k++)
		if (standing(m, i->tenant, i->depends[k].id) == BROKEN &&
		    i->depends[k].on_failure == ON_FAILURE_FAIL)
			return ERR_CONFLICT;
	i->failures = 0;
	i->finished_ms = i->cause = 0;
	if (i->deadline_ms <= m->now_ms)
		i->deadline_ms = 0;
	begin_waiting(m, i);
	start(m, i);
	remember(m, i, EVENT_REVIVED, by, M_NONE);
	happen(m, i, EVENT_REVIVED, by);
	if (i->state == WORK_READY)
		offer(m, i);
	return OK;
}

/* ---- claims ---- */

static struct m_turn *turn_of(struct model *m, const struct m_claim *c, const struct m_item *i)
{
	bool of_type = c->types_count > 0;

	for (int k = 0; k < m->turns_count; k++) {
		struct m_turn *t = &m->turns[k];

		if (t->tenant == i->tenant && t->type == i->type && t->team == i->team &&
		    t->priority == i->priority && t->of_type == of_type)
			return t;
	}
	return NULL;
}

static void takes_turn(struct model *m, const struct m_claim *c, const struct m_item *i)
{
	struct m_turn *t = turn_of(m, c, i);

	if (!t) {
		CHECK(m->turns_count < M_TURNS);
		t = &m->turns[m->turns_count++];
		*t = (struct m_turn){i->tenant, i->type, i->team, i->priority, c->types_count > 0, 0};
	}
	t->number = ++m->turns_given;
}

static bool before_in_turn(struct model *m, const struct m_claim *c, const struct m_item *a, const struct m_item *b)
{
	const struct m_turn *one = turn_of(m, c, a), *other = turn_of(m, c, b);
	int a_number = one ? one->number : 0, b_number = other ? other->number : 0;

	if (c->team != M_ANY || a->priority != b->priority || a_number == b_number)
		return model_before(a, b);
	return a_number < b_number;
}

/* Of a type, or of all, what anybody may take. */
static struct m_item *first_of(struct model *m, const struct m_claim *c, int type)
{
	struct m_item *first = NULL;

	for (int k = 0; k < m->count; k++) {
		struct m_item *i = &m->items[k];

		if (model_claimable(i, c) && i->assignee == M_NONE && (type == M_ANY || type == i->type) &&
		    (!first || before_in_turn(m, c, i, first)))
			first = i;
	}
	return first;
}

static struct m_item *best_of(struct model *m, const struct m_claim *c)
{
	struct m_item *best = c->types_count == 0 ? first_of(m, c, M_ANY) : NULL;

	for (int k = 0; k < c->types_count; k++) {
		struct m_item *i = first_of(m, c, c->types[k]);

		if (i && (!best || model_before(i, best)))
			best = i;
	}
	for (int k = 0; k < m->count; k++) {
		struct m_item *i = &m->items[k];

		if (model_claimable(i, c) && i->assignee != M_NONE && (!best || model_before(i, best)))
			best = i;
	}
	return best;
}

int model_claim(struct model *m, const struct m_claim *c, int64_t *ids)
{
	int n = 0;

	while (n < c->max) {
		struct m_item *best = best_of(m, c);

		if (!best)
			break;
		if (best->assignee == M_NONE && c->team == M_ANY)
			takes_turn(m, c, best);
		lease(m, best, c->agent, c->lease_ms);
		ids[n++] = best->id;
	}
	return n;
}

enum err model_wait(struct model *m, const struct m_claim *c, int64_t until_ms, int who)
{
	struct m_wait *w = &m->waits[m->waits_count];

	if ((uint64_t)m->waits_count >= m->max_waiting)
		return ERR_TOO_MANY;
	m->waits_count++;
	*w = (struct m_wait){.who = who,
			     .tenant = c->tenant,
			     .agent = c->agent,
			     .types_count = c->types_count,
			     .team = c->team,
			     .until_ms = until_ms,
			     .lease_ms = c->lease_ms,
			     .began_now = true};
	memcpy(w->types, c->types, sizeof(w->types));
	return OK;
}

void model_unwait(struct model *m, int who)
{
	for (int w = 0; w < m->waits_count; w++)
		if (m->waits[w].who == who) {
			end_wait(m, w, 0);
			m->served_count--; /* it is not told */
			return;
		}
}

static bool same_token(const struct work_token *a, const struct work_token *b)
{
	return a->attempt == b->attempt && a->epoch == b->epoch && a->random == b->random;
}

/* Known here: live, or ended in this batch. */
static struct m_item *at_hand(struct model *m, int tenant, int64_t id)
{
	struct m_item *i = model_find(m, id);

	return i && i->tenant == tenant && (model_is_live(i) || i->ended_now) ? i : NULL;
}

static bool holds(const struct m_item *i, const struct work_token *t)
{
	return i->state == WORK_LEASED && same_token(&i->token, t);
}

static enum err held(struct model *m, int tenant, int64_t id, const struct work_token *t, struct m_item **out)
{
	*out = at_hand(m, tenant, id);
	if (!*out)
		return ERR_NOT_FOUND;
	if (holds(*out, t))
		return OK;
	return (*out)->state == WORK_CANCELLED ? ERR_CANCELLED : ERR_STALE_TOKEN;
}

enum err model_progress(struct model *m, int tenant, int64_t id, const struct work_token *t, int percent, int note,
			int64_t extend_ms)
{
	struct m_item *i;
	enum err err = held(m, tenant, id, t, &i);

	if (err)
		return err;
	i->progress = percent;
	if (note != M_NONE)
		i->note = shorten(note, 200);
	if (extend_ms)
		i->lease_until_ms = m->now_ms + extend_ms;
	happen(m, i, EVENT_PROGRESS, i->claimed_by);
	return OK;
}

enum err model_extend(struct model *m, int tenant, int64_t id, const struct work_token *t, int64_t lease_ms,
		      int percent)
{
	struct m_item *i;
	enum err err = held(m, tenant, id, t, &i);

	if (err)
		return err;
	i->lease_until_ms = m->now_ms + lease_ms;
	if (percent < 0)
		return OK;
	i->progress = percent;
	happen(m, i, EVENT_PROGRESS, i->claimed_by);
	return OK;
}

static void fail_attempt(struct model *m, struct m_item *i, int error, int used, bool retry)
{
	int note = error;

	i->failures++;
	if (retry && i->failures < i->max_attempts) {
		run_again(m, i, EVENT_RETRYING, error);
		return;
	}
	if (retry) {
		struct str s = model_text_str(shorten(error, 160));

		note = text_f("no attempts left: %.*s", STRF(s));
	}
	i->error = error;
	i->result = M_NONE;
	i->used = used;
	end(m, i, WORK_FAILED, i->claimed_by, note);
}

enum err model_settle(struct model *m, int tenant, int64_t id, const struct work_token *t, int outcome, int result,
		      int error, int used, bool retry)
{
	struct m_item *i = at_hand(m, tenant, id);

	if (!i)
		return ERR_NOT_FOUND;
	if (!holds(i, t)) {
		if (i->outcome && same_token(&i->token, t))
			return i->outcome == outcome + 1 ? OK : ERR_ALREADY_SETTLED;
		return i->state == WORK_CANCELLED ? ERR_CANCELLED : ERR_STALE_TOKEN;
	}
	i->outcome = outcome + 1;
	if (outcome == OUTCOME_RELEASED) {
		make_ready(m, i, EVENT_RELEASED, i->claimed_by, M_NONE);
	} else if (outcome == OUTCOME_FAILED) {
		fail_attempt(m, i, error, used, retry);
	} else {
		i->progress = 100;
		i->result = result;
		i->error = M_NONE;
		i->used = used;
		end(m, i, WORK_COMPLETED, i->claimed_by, M_NONE);
	}
	return OK;
}

void model_unclaim(struct model *m, int64_t id, const struct work_token *t)
{
	struct m_item *i = model_find(m, id);
	int agent;

	if (!i || !holds(i, t))
		return;
	agent = i->claimed_by;
	i->claimed_by = M_NONE;
	i->attempt--;
	i->token.attempt--; /* it is the last claim's number, and that one never was */
	make_ready(m, i, EVENT_RELEASED, agent, model_text(STR("the answer did not arrive")));
}

enum err model_cancel(struct model *m, int tenant, int64_t id, int by, int reason)
{
	struct m_item *i = at_hand(m, tenant, id);

	if (!i)
		return ERR_NOT_FOUND;
	if (i->state == WORK_CANCELLED)
		return OK;
	if (!model_is_live(i))
		return ERR_CONFLICT;
	i->error = reason;
	i->result = i->used = M_NONE;
	end(m, i, WORK_CANCELLED, by, reason);
	return OK;
}

/* ---- time ---- */

static int64_t due(const struct m_item *i)
{
	int64_t at = INT64_MAX;

	if (!model_is_live(i))
		return at;
	if (i->deadline_ms)
		at = i->deadline_ms;
	if (i->state == WORK_SCHEDULED && i->run_at_ms < at)
		at = i->run_at_ms;
	if (i->state == WORK_LEASED && i->lease_until_ms < at)
		at = i->lease_until_ms;
	return at;
}

static struct m_item *first_due(struct model *m)
{
	struct m_item *first = NULL;

	for (int k = 0; k < m->count; k++) {
		struct m_item *i = &m->items[k];

		if (due(i) != INT64_MAX &&
		    (!first || due(i) < due(first) || (due(i) == due(first) && i->id < first->id)))
			first = i;
	}
	return first;
}

static int first_wait(const struct model *m)
{
	int first = m->waits_count ? 0 : -1;

	for (int w = 1; w < m->waits_count; w++)
		if (m->waits[w].until_ms < m->waits[first].until_ms)
			first = w;
	return first;
}

static void lapse(struct model *m, struct m_item *i)
{
	i->failures++;
	if (i->failures < i->max_attempts) {
		run_again(m, i, EVENT_LAPSED, M_NONE);
		return;
	}
	i->error = text_f("lease lapsed, no attempts left: %u of %d failed", i->failures, (int)i->max_attempts);
	i->result = i->used = M_NONE;
	end(m, i, WORK_FAILED, i->claimed_by, i->error);
}

static void apply(struct model *m, struct m_item *i)
{
	if (i->deadline_ms && i->deadline_ms <= m->now_ms) {
		i->error = model_text(STR("deadline passed"));
		i->result = i->used = M_NONE;
		end(m, i, WORK_FAILED, M_NONE, i->error);
	} else if (i->state == WORK_SCHEDULED) {
		make_ready(m, i, EVENT_READY, M_NONE, M_NONE);
	} else {
		lapse(m, i);
	}
}

bool model_tick(struct model *m)
{
	struct m_item *i = first_due(m);
	int w = first_wait(m);

	if (i && due(i) <= m->now_ms)
		apply(m, i);
	else if (w >= 0 && m->waits[w].until_ms <= m->now_ms)
		end_wait(m, w, 0);
	else
		return false;
	return true;
}

int64_t model_next_due(const struct model *m)
{
	int64_t at = INT64_MAX;
	int w = first_wait(m);

	for (int k = 0; k < m->count; k++)
		if (due(&m->items[k]) < at)
			at = due(&m->items[k]);
	return w >= 0 && m->waits[w].until_ms < at ? m->waits[w].until_ms : at;
}
