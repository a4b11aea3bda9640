/*
 * The queue against its model: random histories of every command, in batches that are committed, undone, or lost to
 * a crash, with a clock that jumps. After every step both say the same about everything, and the queue's own
 * invariants hold; after every commit the rows a store would hold are what is in memory.
 *
 * TENFOLD_SEED=... replays a history, TENFOLD_STEPS=... makes it longer.
 */
#include "harness.h"

#include "base/id.h"
#include "work_kit/model.h"
#include "work_kit/rows.h"

enum { STEPS = 200000, TENANTS = 2, TYPES = 3, TEAMS = 2, AGENTS = 4, KEYS = 5, PAST = 64 };
enum { MAX_LIVE = 320, MAX_WAITING = 6, MAX_QUEUES = 15, PHASE_STEPS = 3000 };

static const char *const types[] = {"build", "review", "deploy"}, *const teams[] = {"core", "web"};
static const char *const agents[] = {"ada", "grace", "edsger", "barbara"};
static const char *const keys[] = {"a", "b", "c", "d", "e"};

/* What a stretch of history is like: with few items each lives through much, with one queue its sets grow large. */
static const struct phase {
	int most_live, tenants, types, priorities;
	unsigned named; /* percent of items that have a team, an assignee, a deadline, dependencies: more is more
			   varied */
} phases[] = {
	{5, 2, 2, 4, 30}, {60, TENANTS, TYPES, 4, 100}, {MAX_LIVE, 1, 1, 1, 10}, {120, TENANTS, TYPES, 4, 60},
	{1, 1, 1, 1, 10},
};

struct past {
	int64_t id;
	struct work_token token;
};

struct world {
	struct work *w;
	struct model *m, *before;
	struct rows rows;
	struct rng rng, dice; /* the queue's, the test's */
	int64_t now_ms;
	uint32_t epoch;
	unsigned long step;
	bool in_batch;
	struct work_waiter *waits[1 << 16]; /* by their `who` */
	int next_who;
	struct m_served served[M_SERVED]; /* by the queue, not compared yet */
	int served_count;
	size_t happenings_seen;
	struct map ids, tokens; /* ever made */
	struct past past[PAST];
	bool known[TENANTS][TYPES][TEAMS + 1];
	int queues;
	const struct phase *phase;
	const char *doing;
	unsigned long done[32]; /* how often each command succeeded */
};

/* ---- telling ---- */

#define AGREE(condition, ...)                                                                     \
	do {                                                                                      \
		if (!(condition)) {                                                               \
			print_error("step %lu, %s: %s: ", world->step, world->doing, #condition); \
			print_error(__VA_ARGS__);                                                 \
			print_error("\n");                                                        \
			fail();                                                                   \
		}                                                                                 \
	} while (0)

static uint64_t below(struct world *world, uint64_t n)
{
	return rng_below(&world->dice, n);
}

static bool chance(struct world *world, unsigned percent)
{
	return below(world, 100) < percent;
}

static struct str name_of(const char *const *names, int i)
{
	return i < 0 ? (struct str){0} : str_of(names[i]);
}

static int index_of(const char *const *names, int count, struct str s)
{
	for (int i = 0; i < count; i++)
		if (str_eqz(s, names[i]))
			return i;
	return M_NONE;
}

static int agent_of(const struct name *n)
{
	return index_of(agents, AGENTS, name_str(n));
}

/* ---- what the queue calls ---- */

static bool key_is(void *ctx, const struct item *item, struct str key)
{
	struct world *world = ctx;
	const struct m_item *i = model_find(world->m, item->id);

	return str_eq(name_of(keys, i->key), key);
}

static void served(void *ctx, void *who, struct item *const *items, size_t count)
{
	struct world *world = ctx;
	int number = (int)((struct work_waiter **)who - world->waits);

	world->waits[number] = NULL;
	AGREE(count <= 1 && world->served_count < M_SERVED, "%zu items", count);
	world->served[world->served_count++] = (struct m_served){number, count ? items[0]->id : 0};
}

/* ---- comparing ---- */

#define SAME(name, real, model)                                                                              \
	AGREE((int64_t)(real) == (int64_t)(model), "item %lld %s: %lld, model %lld", (long long)i->id, name, \
	      (long long)(real), (long long)(model))

static void compare_history(struct world *world, const struct item *item, const struct m_item *i)
{
	struct str blob = work_blob_str(item->history);
	struct work_history_entry e;

	for (int k = 0; k < i->history_count; k++) {
		const struct m_entry *m = &i->history[k];

		AGREE(work_history_next(&blob, &e), "item %lld history ends at %d", (long long)i->id, k);
		SAME("history at", e.at_ms, m->at_ms);
		SAME("history kind", e.kind, m->kind);
		SAME("history attempt", e.attempt, m->attempt);
		SAME("history folded", e.folded, k == 0 ? i->folded : 0);
		SAME("history agent", index_of(agents, AGENTS, e.agent), m->agent);
		SAME("history note", model_text(e.note), m->note);
	}
	SAME("bytes behind the history", blob.n, 0);
}

static void compare_depends(struct world *world, const struct item *item, const struct m_item *i)
{
	struct str blob = work_blob_str(item->depends);
	struct work_depends_entry e;
	int n = 0;

	for (; work_depends_next(&blob, &e); n++) {
		bool found = false;

		for (int d = 0; d < i->depends_count; d++)
			found |= i->depends[d].id == e.id && i->depends[d].on_failure == e.on_failure;
		AGREE(found, "item %lld waits for %lld", (long long)i->id, (long long)e.id);
	}
	SAME("depends", n, i->depends_count);
}

static void compare_item(struct world *world, const struct item *item, const struct m_item *i)
{
	AGREE(item != NULL, "item %lld is missing", (long long)i->id);
	SAME("tenant", item->queue->tenant, i->tenant + 1);
	SAME("type", index_of(types, TYPES, name_str(item->queue->type)), i->type);
	SAME("team", index_of(teams, TEAMS, name_str(item->queue->team)), i->team);
	SAME("state", item->state, i->state);
	SAME("priority", item->priority, i->priority);
	SAME("progress", item->progress, i->progress);
	SAME("outcome", item->outcome, i->outcome);
	SAME("backoff_kind", item->backoff_kind, i->backoff_kind);
	SAME("created_ms", item->created_ms, i->created_ms);
	SAME("changed_ms", item->changed_ms, i->changed_ms);
	SAME("run_at_ms", item->run_at_ms, i->run_at_ms);
	SAME("ready_ms", item->ready_ms, i->ready_ms);
	SAME("deadline_ms", item->deadline_ms, i->deadline_ms);
	SAME("lease_until_ms", item->lease_until_ms, i->lease_until_ms);
	SAME("lease_ms", item->lease_ms, i->lease_ms);
	SAME("max_attempts", item->max_attempts, i->max_attempts);
	SAME("backoff_base_ms", item->backoff_base_ms, i->backoff_base_ms);
	SAME("backoff_max_ms", item->backoff_max_ms, i->backoff_max_ms);
	SAME("attempt", item->attempt, i->attempt);
	SAME("failures", item->failures, i->failures);
	SAME("assignee", agent_of(item->assignee), i->assignee);
	SAME("created_by", agent_of(item->created_by), i->created_by);
	SAME("claimed_by", agent_of(item->claimed_by), i->claimed_by);
	SAME("note", model_text(work_blob_str(item->note)), i->note);
	SAME("has a key", item->key_hash != 0, i->key >= 0);
	if (i->attempt > 0)
		SAME("token", item->token_random, i->token.random);
	compare_depends(world, item, i);
	if (i->changed_ms == world->now_ms || world->step % 16 == 0)
		compare_history(world, item, i);
}

static void compare_items(struct world *world)
{
	struct model *m = world->m;
	int64_t oldest = 0;

	for (int k = 0; k < m->count; k++) {
		struct m_item *i = &m->items[k];
		struct work_change c;

		if (model_is_live(i))
			compare_item(world, work_find(world->w, i->id), i);
		else
			AGREE(!work_find(world->w, i->id), "item %lld is finished", (long long)i->id);
		if (i->ended_now)
			compare_item(world, work_finished_now(world->w, i->id, &c), i);
		if (i->state == WORK_READY && (!oldest || i->ready_ms < oldest))
			oldest = i->ready_ms;
	}
	AGREE(work_oldest_ready_ms(world->w, 0) == oldest, "%lld", (long long)oldest);
}

static void compare_counts(struct world *world)
{
	for (int s = WORK_BLOCKED; s <= WORK_CANCELLED; s++) {
		int all = s <= WORK_LEASED ? model_count(world->m, M_ANY, s) : 0;

		AGREE(work_count(world->w, (enum work_state)s) == (uint64_t)all, "state %d: %d", s, all);
		for (int t = 0; t < TENANTS; t++)
			AGREE(work_count_tenant(world->w, t + 1, (enum work_state)s) ==
				      (uint64_t)(s <= WORK_LEASED ? model_count(world->m, t, s) : 0),
			      "state %d tenant %d", s, t);
	}
	AGREE(work_waiting(world->w) == (uint64_t)world->m->waits_count, "%d", world->m->waits_count);
	AGREE(work_next_due_ms(world->w) == model_next_due(world->m), "%lld", (long long)model_next_due(world->m));
}

static void compare_happenings(struct world *world)
{
	size_t n;
	const struct work_happening *h = work_happenings(world->w, &n);

	AGREE(n == (size_t)world->m->happenings_count, "%zu, model %d", n, world->m->happenings_count);
	for (; world->happenings_seen < n; world->happenings_seen++) {
		const struct work_happening *real = &h[world->happenings_seen];
		const struct m_happening *i = &world->m->happenings[world->happenings_seen];

		SAME("happening id", real->id, i->id);
		SAME("happening kind", real->kind, i->kind);
		SAME("happening state", real->state, i->state);
		SAME("happening attempt", real->attempt, i->attempt);
		SAME("happening progress", real->progress, i->progress);
		SAME("happening agent", agent_of(real->agent), i->agent);
		SAME("happening holder", agent_of(real->holder), i->holder);
		SAME("happening at", real->at_ms, world->now_ms);
	}
}

static int by_who(const void *a, const void *b)
{
	return ((const struct m_served *)a)->who - ((const struct m_served *)b)->who;
}

static void compare_served(struct world *world, bool in_order)
{
	struct model *m = world->m;

	AGREE(world->served_count == m->served_count, "%d, model %d", world->served_count, m->served_count);
	if (!in_order) {
		qsort(world->served, (size_t)world->served_count, sizeof(world->served[0]), by_who);
		qsort(m->served, (size_t)m->served_count, sizeof(m->served[0]), by_who);
	}
	for (int k = 0; k < m->served_count; k++)
		AGREE(world->served[k].who == m->served[k].who && world->served[k].id == m->served[k].id,
		      "%d got %lld, model %d got %lld", world->served[k].who, (long long)world->served[k].id,
		      m->served[k].who, (long long)m->served[k].id);
	world->served_count = m->served_count = 0;
}

/* What the queue drew: judged, then told to the model. */
static void adopt(struct world *world)
{
	for (int k = 0; k < world->m->count; k++) {
		struct m_item *i = &world->m->items[k];
		const struct item *item = i->drawn_token || i->jitter_ms ? work_find(world->w, i->id) : NULL;

		if (!item)
			continue;
		if (i->drawn_token) {
			i->token = work_token_of(item);
			SAME("token attempt", i->token.attempt, i->attempt);
			SAME("token epoch", i->token.epoch, world->epoch);
			AGREE(!map_put(&world->tokens, i->token.random, world), "item %lld: a token twice",
			      (long long)i->id);
			world->past[below(world, PAST)] = (struct past){i->id, i->token};
		}
		if (i->jitter_ms) {
			AGREE(item->run_at_ms <= i->run_at_ms && item->run_at_ms >= i->run_at_ms - i->jitter_ms,
			      "item %lld runs at %lld", (long long)i->id, (long long)item->run_at_ms);
			i->run_at_ms = item->run_at_ms;
		}
		i->drawn_token = false;
		i->jitter_ms = 0;
	}
}

static void compare(struct world *world)
{
	const char *fault = work_broken_invariant(world->w);

	AGREE(!fault, "%s", fault);
	compare_items(world);
	compare_counts(world);
	if (world->in_batch)
		compare_happenings(world);
}

/* ---- batches, restarts ---- */

static struct work *new_work(struct world *world)
{
	struct work_env env = {.ctx = world,
			       .rng = &world->rng,
			       .epoch = ++world->epoch,
			       .max_live = MAX_LIVE,
			       .max_waiting = MAX_WAITING,
			       .max_queues = MAX_QUEUES,
			       .key_is = key_is,
			       .served = served};

	return work_new(&env);
}

static void begin(struct world *world)
{
	static const int64_t most[] = {1, 2, 5, 40, 40, 200};

	world->doing = "begin";
	world->now_ms += (int64_t)below(world, (uint64_t)most[below(world, 6)]);
	memcpy(world->before, world->m, sizeof(*world->m));
	work_begin(world->w, world->now_ms);
	model_begin(world->m, world->now_ms);
	world->in_batch = true;
	world->happenings_seen = 0;
}

static void compare_change(struct world *world, const struct work_change *c)
{
	const struct m_item *i = model_find(world->m, c->item->id);
	int felled = 0;

	SAME("is_live", c->is_live, model_is_live(i));
	if (c->is_live)
		return;
	SAME("result", model_text(c->result), i->result);
	SAME("error", model_text(c->error), i->error);
	SAME("used", model_text(c->used), i->used);
	SAME("cause", c->cause, i->cause);
	SAME("finished_ms", c->finished_ms, i->finished_ms);
	for (int k = 0; k < world->m->count; k++)
		felled += world->m->items[k].ended_now && world->m->items[k].felled_noted &&
			  world->m->items[k].cause == i->id;
	SAME("felled", c->felled_count, felled);
	for (size_t k = 0; k < c->felled_count; k++)
		SAME("felled item", model_find(world->m, c->felled[k])->cause, i->id);
}

/* Finished items the model has forgotten leave the rows too. */
static void forget_done(struct world *world)
{
	struct row *row;
	int64_t gone[M_ITEMS];
	int n = 0;

	for (size_t i = 0; (row = map_next(&world->rows.done, &i));)
		if (!model_find(world->m, row->l.id))
			gone[n++] = row->l.id;
	while (n > 0)
		rows_forget_done(&world->rows, gone[--n]);
}

static void commit(struct world *world)
{
	struct work_change c;
	const char *fault;

	world->doing = "commit";
	for (size_t i = 0; work_next_change(world->w, &i, &c);)
		compare_change(world, &c);
	fault = rows_apply(&world->rows, world->w);
	AGREE(!fault, "%s", fault);
	work_commit(world->w);
	model_commit(world->m);
	forget_done(world);
	world->in_batch = false;
	compare(world);
	for (int k = 0; k < world->m->count; k++) {
		const struct item *item = work_find(world->w, world->m->items[k].id);

		fault = item ? rows_differ(&world->rows, world->w, item) : NULL;
		AGREE(!fault, "item %lld and its row: %s", (long long)item->id, fault);
	}
	AGREE(world->rows.live.count == (size_t)model_count(world->m, M_ANY, M_ANY), "%zu rows",
	      world->rows.live.count);
}

static void undo(struct world *world)
{
	world->doing = "undo";
	work_undo(world->w);
	model_undo(world->m, world->before);
	world->in_batch = false;
	compare_served(world, false);
	compare(world);
}

/* The process dies, in the middle of a batch as likely as not, and another one loads the rows. */
static void restart(struct world *world)
{
	struct problem p = {0};
	enum err err;

	world->doing = "restart";
	if (world->in_batch)
		model_undo(world->m, world->before);
	world->in_batch = false;
	world->now_ms += 10;
	work_destroy(&world->w);
	world->w = new_work(world);
	err = rows_load(&world->rows, world->w, world->now_ms, &world->dice, &p);
	AGREE(!err, "%s", p.detail);
	model_restart(world->m, world->now_ms);
	world->m->served_count = world->served_count = 0;
	memset(world->waits, 0, sizeof(world->waits));
	memset(world->known, 0, sizeof(world->known));
	world->queues = (int)world->rows.queues.n;
	for (size_t i = 0; i < world->rows.queues.n; i++) {
		const struct row_queue *q = &world->rows.queues.v[i];

		world->known[q->tenant - 1][index_of(types, TYPES, str_of(q->type))]
			    [1 + index_of(teams, TEAMS, str_of(q->team))] = true;
	}
	compare(world);
}

/* ---- choosing ---- */

static struct m_item *any_item(struct world *world)
{
	return world->m->count ? &world->m->items[below(world, (uint64_t)world->m->count)] : NULL;
}

static struct m_item *item_in(struct world *world, int state)
{
	struct m_item *i = NULL;

	for (int tries = 0; tries < 30; tries++)
		if ((i = any_item(world)) && i->state == state)
			return i;
	return i;
}

/* Nearly always the right one. */
static int tenant_for(struct world *world, const struct m_item *i)
{
	return chance(world, 4) ? 1 - i->tenant : i->tenant;
}

/* A claim that was given out: the present holder's, or an older one. */
static struct past some_claim(struct world *world)
{
	struct m_item *i = item_in(world, WORK_LEASED);
	struct past past = world->past[below(world, PAST)];

	if (i && !chance(world, 20))
		return (struct past){i->id, i->token};
	for (int tries = 0; tries < 5; tries++)
		if ((i = any_item(world)) && i->ended_now)
			return (struct past){i->id, i->token};
	if (i && chance(world, 30))
		past.id = i->id;
	if (chance(world, 10))
		past.token.random++;
	return past;
}

static int tenant_of_claim(struct world *world, const struct past *past)
{
	const struct m_item *i = model_find(world->m, past->id);

	return i ? tenant_for(world, i) : 0;
}

static bool named(struct world *world, unsigned percent)
{
	return chance(world, percent * world->phase->named / 100);
}

static int maybe(struct world *world, int count, unsigned percent)
{
	return named(world, percent) ? (int)below(world, (uint64_t)count) : M_NONE;
}

static const char *const words[] = {
	"",
	"it broke",
	"disk full",
	"A long story. It began when the compiler met a template that expanded into another template, which in "
	"turn "
	"expanded into a third; and so on, until the machine had no memory left, \xe2\x80\x94 and no \xc3\xa9lan "
	"either; then \xf0\x9f\x94\xa5\xf0\x9f\x94\xa5\xf0\x9f\x94\xa5 fire \xf0\x9f\x94\xa5\xf0\x9f\x94\xa5.",
};

static struct str some_words(struct world *world)
{
	return str_of(words[below(world, COUNT_OF(words))]);
}

/* ---- commands ---- */

static void choose_depends(struct world *world, struct m_item *proto)
{
	int n = named(world, 40) ? 1 + (int)below(world, M_DEPENDS) : 0;

	for (int k = 0; k < n; k++) {
		struct m_item *i = chance(world, 70) ? item_in(world, WORK_BLOCKED) : any_item(world);

		if (!i || (i->tenant != proto->tenant && !chance(world, 2)))
			continue;
		proto->depends[proto->depends_count++] =
			(struct m_dependency){chance(world, 1) ? 12345 : i->id,
					      (int)below(world, 3) == 0 ? ON_FAILURE_IGNORE : ON_FAILURE_FAIL};
	}
}

static struct m_item choose_item(struct world *world)
{
	static const int64_t bases[] = {0, 1, 7, 20, UINT32_MAX}, maxima[] = {0, 5, 30, 50, UINT32_MAX};
	const struct phase *f = world->phase;
	struct m_item i = {.tenant = (int)below(world, (uint64_t)f->tenants),
			   .type = (int)below(world, (uint64_t)f->types),
			   .team = maybe(world, TEAMS, 50),
			   .key = maybe(world, KEYS, 30),
			   .assignee = maybe(world, AGENTS, 20),
			   .created_by = maybe(world, AGENTS, 70),
			   .priority = (int)below(world, (uint64_t)f->priorities),
			   .max_attempts = 1 + (int64_t)below(world, 4),
			   .lease_ms = 1 + (int64_t)below(world, 60),
			   .backoff_kind = (int)below(world, 3),
			   .backoff_base_ms = bases[below(world, chance(world, 3) ? 5 : 4)],
			   .backoff_max_ms = maxima[below(world, chance(world, 3) ? 5 : 4)]};

	if (f->most_live == 1 || chance(world, 1))
		i.max_attempts = 60000; /* a long history */
	if (chance(world, 30))
		i.run_at_ms = world->now_ms - 20 + (int64_t)below(world, chance(world, 20) ? 2000 : 80);
	if (named(world, 15))
		i.deadline_ms = world->now_ms - 5 + (int64_t)below(world, 150);
	choose_depends(world, &i);
	return i;
}

static int standing_of(struct world *world, int tenant, int64_t id)
{
	const struct m_item *i = model_find(world->m, id);

	if (!i || i->tenant != tenant || model_is_live(i))
		return DEPENDENCY_LIVE;
	return i->state == WORK_COMPLETED ? DEPENDENCY_MET : DEPENDENCY_BROKEN;
}

static void check_new(struct world *world, const struct item *item, const struct m_item *proto)
{
	bool *known = &world->known[proto->tenant][proto->type][proto->team + 1];
	char text[ID_TEXT];
	int64_t back;

	AGREE(!map_put(&world->ids, (uint64_t)item->id, world), "id %lld twice", (long long)item->id);
	AGREE(id_slot(item->id) == item->queue->slot, "id %lld", (long long)item->id);
	id_format(text, "w_", item->id);
	AGREE(id_parse(str_of(text), "w_", &back) && back == item->id, "%s", text);
	AGREE(work_new_body(world->w, item) == &types[proto->type], "item %lld", (long long)item->id);
	world->queues += !*known;
	*known = true;
}

static enum err do_enqueue(struct world *world)
{
	struct m_item proto = choose_item(world), *i;
	struct work_spec_dependency depends[M_DEPENDS];
	struct work_spec s = {.tenant = proto.tenant + 1,
			      .type = name_of(types, proto.type),
			      .team = name_of(teams, proto.team),
			      .priority = proto.priority,
			      .key = name_of(keys, proto.key),
			      .run_at_ms = proto.run_at_ms,
			      .deadline_ms = proto.deadline_ms,
			      .max_attempts = proto.max_attempts,
			      .lease_ms = proto.lease_ms,
			      .backoff_kind = proto.backoff_kind,
			      .backoff_base_ms = proto.backoff_base_ms,
			      .backoff_max_ms = proto.backoff_max_ms,
			      .assignee = name_of(agents, proto.assignee),
			      .created_by = name_of(agents, proto.created_by),
			      .depends = depends,
			      .depends_count = (size_t)proto.depends_count,
			      .body = &types[proto.type]};
	bool existed, m_existed, refused;
	struct item *item = NULL;
	struct problem p = {0};
	enum err err, m_err;

	if (model_count(world->m, M_ANY, M_ANY) >= world->phase->most_live && !chance(world, 1))
		return ERR_TOO_MANY;
	for (int k = 0; k < proto.depends_count; k++)
		depends[k] = (struct work_spec_dependency){proto.depends[k].id, proto.depends[k].on_failure,
							   standing_of(world, proto.tenant, proto.depends[k].id)};
	refused = !world->known[proto.tenant][proto.type][proto.team + 1] && world->queues >= MAX_QUEUES;
	err = work_enqueue(world->w, &s, &item, &existed, &p);
	m_err = model_enqueue(world->m, &proto, refused, item ? item->id : 0, &i, &m_existed);
	AGREE(err == m_err && err == p.err, "%d, model %d, problem %d", (int)err, (int)m_err, (int)p.err);
	if (err)
		return err;
	AGREE(existed == m_existed && item->id == i->id, "item %lld, model %lld", (long long)item->id,
	      (long long)i->id);
	if (!existed)
		check_new(world, item, &proto);
	return OK;
}

static struct m_claim choose_claim(struct world *world)
{
	struct m_claim c = {.tenant = (int)below(world, (uint64_t)world->phase->tenants),
			    .agent = (int)below(world, AGENTS),
			    .types_count = (int)below(world, M_TYPES),
			    .team = maybe(world, TEAMS, 30),
			    .max = 1 + (int)below(world, 4),
			    .lease_ms = chance(world, 30) ? 1 + (int64_t)below(world, 30) : 0};

	if (c.team == M_NONE && !chance(world, 20))
		c.team = M_ANY;
	for (int k = 0; k < c.types_count; k++)
		c.types[k] = (int)below(world, TYPES); /* one may stand there twice */
	return c;
}

static struct work_claim real_claim(const struct m_claim *c, struct str *claimed_types)
{
	for (int k = 0; k < c->types_count; k++)
		claimed_types[k] = str_of(types[c->types[k]]);
	return (struct work_claim){.tenant = c->tenant + 1,
				   .agent = str_of(agents[c->agent]),
				   .types = claimed_types,
				   .types_count = (size_t)c->types_count,
				   .team = c->team == M_ANY    ? (struct str){0}
					   : c->team == M_NONE ? STR("")
							       : str_of(teams[c->team]),
				   .max = (size_t)c->max,
				   .lease_ms = c->lease_ms};
}

static enum err do_wait(struct world *world, const struct m_claim *c, const struct work_claim *claim)
{
	int64_t until = world->now_ms + (int64_t)below(world, 60);
	int who = world->next_who++ & 0xffff;
	enum err err = work_wait(world->w, claim, until, &world->waits[who], &world->waits[who]);
	enum err m_err = model_wait(world->m, c, until, who);

	AGREE(err == m_err, "%d, model %d", (int)err, (int)m_err);
	return err;
}

static enum err do_claim(struct world *world)
{
	struct m_claim c = choose_claim(world);
	struct str claimed_types[M_TYPES];
	struct work_claim claim = real_claim(&c, claimed_types);
	struct item *items[8];
	int64_t ids[8];
	size_t n = work_claim(world->w, &claim, items);
	int m_n = model_claim(world->m, &c, ids);

	AGREE(n == (size_t)m_n, "%zu, model %d", n, m_n);
	for (size_t k = 0; k < n; k++)
		AGREE(items[k]->id == ids[k], "%zu: %lld, model %lld", k, (long long)items[k]->id,
		      (long long)ids[k]);
	return n == 0 && chance(world, 60) ? do_wait(world, &c, &claim) : OK;
}

static enum err do_unwait(struct world *world)
{
	int who;

	if (!world->m->waits_count)
		return ERR_NOT_FOUND;
	who = world->m->waits[below(world, (uint64_t)world->m->waits_count)].who;
	work_unwait(world->w, &world->waits[who]);
	AGREE(!world->waits[who], "%d", who);
	model_unwait(world->m, who);
	return OK;
}

static void agree_on(struct world *world, enum err err, enum err m_err, const struct item *item, int64_t id)
{
	AGREE(err == m_err, "%d, model %d", (int)err, (int)m_err);
	AGREE(err ? !item : item && item->id == id, "item %lld", (long long)id);
}

static enum err do_progress(struct world *world)
{
	struct past past = some_claim(world);
	int tenant = tenant_of_claim(world, &past), percent = (int)below(world, 101);
	int64_t extend_ms = chance(world, 50) ? 1 + (int64_t)below(world, 50) : 0;
	struct str note = some_words(world);
	struct item *item = NULL;
	enum err err;

	if (!note.n)
		note.p = NULL;
	err = work_progress(world->w, tenant + 1, past.id, &past.token, percent, note, extend_ms, &item);
	agree_on(world, err,
		 model_progress(world->m, tenant, past.id, &past.token, percent, model_text(note), extend_ms), item,
		 past.id);
	return err;
}

static enum err do_extend(struct world *world)
{
	struct past past = some_claim(world);
	int tenant = tenant_of_claim(world, &past), percent = (int)below(world, 102) - 1;
	int64_t lease_ms = 1 + (int64_t)below(world, 50);
	struct item *item = NULL;
	enum err err = work_extend(world->w, tenant + 1, past.id, &past.token, lease_ms, percent, &item);

	agree_on(world, err, model_extend(world->m, tenant, past.id, &past.token, lease_ms, percent), item,
		 past.id);
	return err;
}

static enum err do_settle(struct world *world)
{
	struct past past = some_claim(world);
	int tenant = tenant_of_claim(world, &past);
	bool lasts = world->phase->most_live == 1; /* a long life: many attempts, no end */
	struct work_ending e = {.outcome = (enum work_outcome)(lasts ? 1 + below(world, 2) : below(world, 3)),
				.result = STR("{\"ok\":true}"),
				.error = some_words(world),
				.used = STR("{}"),
				.retry = lasts || !chance(world, 15)};
	struct item *item = NULL;
	enum err err = work_settle(world->w, tenant + 1, past.id, &past.token, &e, &item);
	enum err m_err = model_settle(world->m, tenant, past.id, &past.token, (int)e.outcome, model_text(e.result),
				      model_text(e.error), model_text(e.used), e.retry);

	agree_on(world, err, m_err, item, past.id);
	return err;
}

static enum err do_unclaim(struct world *world)
{
	struct past past = some_claim(world);

	work_unclaim(world->w, past.id, &past.token);
	model_unclaim(world->m, past.id, &past.token);
	return OK;
}

static enum err do_cancel(struct world *world)
{
	struct m_item *i = world->phase->most_live == 1 ? item_in(world, WORK_CANCELLED) : any_item(world);
	int by = maybe(world, AGENTS, 80), tenant = i ? tenant_for(world, i) : 0;
	int64_t id = i ? i->id : 99;
	struct str reason = some_words(world);
	struct item *item = NULL;
	enum err err = work_cancel(world->w, tenant + 1, id, name_of(agents, by), reason, &item);

	agree_on(world, err, model_cancel(world->m, tenant, id, by, model_text(reason)), item, id);
	return err;
}

static enum err do_revive(struct world *world)
{
	struct m_item *i = chance(world, 10) ? any_item(world)
					     : item_in(world, chance(world, 50) ? WORK_FAILED : WORK_CANCELLED);
	struct row *row = i ? map_get(&world->rows.done, (uint64_t)i->id) : NULL;
	struct work_spec_dependency depends[M_DEPENDS];
	struct work_depends_entry e;
	struct problem p = {0};
	struct item *item = NULL;
	int by = maybe(world, AGENTS, 80);
	struct str blob;
	size_t n = 0;
	int64_t id;
	enum err err;

	if (!row)
		return ERR_NOT_FOUND;
	id = i->id;
	blob = row->l.depends;
	for (; work_depends_next(&blob, &e); n++)
		depends[n] = (struct work_spec_dependency){e.id, e.on_failure, standing_of(world, i->tenant, e.id)};
	err = work_revive(world->w, &row->l, depends, n, name_of(agents, by), &item, &p);
	agree_on(world, err, model_revive(world->m, id, by), item, id);
	AGREE(err == p.err, "%d, problem %d", (int)err, (int)p.err);
	return err;
}

static enum err tick_once(struct world *world)
{
	bool more = work_tick(world->w, 1), did = model_tick(world->m);

	adopt(world);
	AGREE(more == (model_next_due(world->m) <= world->now_ms), "%d", more);
	return did ? OK : ERR_NOT_FOUND;
}

/* Often all that is due, so that the last of it, the waits' ends, come too. */
static enum err do_tick(struct world *world)
{
	enum err err = tick_once(world);

	for (bool all = chance(world, 40); !err && all;)
		err = tick_once(world);
	return err;
}

static bool list_has(const struct m_item *i, const struct work_filter *f)
{
	return model_is_live(i) && i->tenant + 1 == f->tenant && (f->state < 0 || f->state == i->state) &&
	       (f->priority < 0 || f->priority == i->priority) &&
	       (!f->type.p || str_eq(f->type, name_of(types, i->type))) &&
	       (!f->team.p || str_eq(f->team, name_of(teams, i->team))) &&
	       (!f->agent.p || (i->state == WORK_LEASED && str_eq(f->agent, name_of(agents, i->claimed_by))) ||
		str_eq(f->agent, name_of(agents, i->assignee)));
}

static const struct m_item *newest_below(struct world *world, int tenant, int64_t below_id)
{
	const struct m_item *best = NULL;

	for (int k = 0; k < world->m->count; k++) {
		const struct m_item *i = &world->m->items[k];

		if (model_is_live(i) && i->tenant == tenant && i->id < below_id && (!best || i->id > best->id))
			best = i;
	}
	return best;
}

static enum err do_list(struct world *world)
{
	struct work_filter f = {.tenant = 1 + (int64_t)below(world, TENANTS),
				.state = chance(world, 40) ? (int)below(world, 7) : -1,
				.priority = chance(world, 30) ? (int)below(world, 4) : -1,
				.type = name_of(types, maybe(world, TYPES, 40)),
				.team = chance(world, 20) ? STR("") : name_of(teams, maybe(world, TEAMS, 20)),
				.agent = name_of(agents, maybe(world, AGENTS, 40))};
	struct m_item *from = any_item(world);
	int64_t below_id = from && chance(world, 70) ? from->id : INT64_MAX, stopped;
	size_t visit = 1 + below(world, 200), max = 1 + below(world, 10), n = 0;
	struct item *items[10];
	size_t real = work_list(world->w, &f, below_id, visit, max, items, &stopped);
	const struct m_item *i = NULL;

	while (visit-- > 0 && n < max && (i = newest_below(world, (int)f.tenant - 1, below_id))) {
		below_id = i->id;
		if (!list_has(i, &f))
			continue;
		AGREE(n < real && items[n]->id == i->id, "place %zu: model %lld", n, (long long)i->id);
		n++;
	}
	AGREE(n == real, "%zu, model %zu", real, n);
	i = newest_below(world, (int)f.tenant - 1, below_id);
	if (stopped || real) /* a name nobody has needs no visits */
		AGREE(stopped == (i ? below_id : 0), "%lld", (long long)stopped);
	while (!stopped && i && !list_has(i, &f))
		i = newest_below(world, (int)f.tenant - 1, i->id);
	AGREE(stopped || !i, "%lld was not reached", (long long)i->id);
	return OK;
}

static enum err do_find_key(struct world *world)
{
	int tenant = (int)below(world, TENANTS), type = (int)below(world, TYPES), team = maybe(world, TEAMS, 50);
	int key = (int)below(world, KEYS);
	const struct item *item =
		work_find_key(world->w, tenant + 1, str_of(types[type]), name_of(teams, team), str_of(keys[key]));
	const struct m_item *found = NULL;

	for (int k = 0; k < world->m->count; k++) {
		const struct m_item *i = &world->m->items[k];

		if (model_is_live(i) && i->tenant == tenant && i->type == type && i->team == team && i->key == key)
			found = i;
	}
	AGREE(found ? item && item->id == found->id : !item, "key %s", keys[key]);
	return found ? OK : ERR_NOT_FOUND;
}

static const struct {
	const char *name;
	enum err (*fn)(struct world *);
	unsigned weight;
} commands[] = {
	{"enqueue", do_enqueue, 28},  {"claim", do_claim, 22},  {"settle", do_settle, 18},
	{"tick", do_tick, 22},        {"cancel", do_cancel, 4}, {"revive", do_revive, 6},
	{"progress", do_progress, 5}, {"extend", do_extend, 4}, {"unclaim", do_unclaim, 3},
	{"unwait", do_unwait, 1},     {"list", do_list, 3},     {"find_key", do_find_key, 3},
};

/* A phase of fewer items begins by cancelling what is too many. */
static bool thin_out(struct world *world)
{
	struct m_item *i = any_item(world);
	struct item *item;

	if (!i || !model_is_live(i) || model_count(world->m, M_ANY, M_ANY) <= world->phase->most_live)
		return false;
	world->doing = "thin out";
	assert_int_equal(work_cancel(world->w, i->tenant + 1, i->id, STR("ada"), STR("phase"), &item), OK);
	model_cancel(world->m, i->tenant, i->id, 0, model_text(STR("phase")));
	return true;
}

static void give_command(struct world *world)
{
	unsigned total = 0;
	size_t c = 0;
	uint64_t pick;

	for (size_t i = 0; i < COUNT_OF(commands); i++)
		total += commands[i].weight;
	for (pick = below(world, total); pick >= commands[c].weight; c++)
		pick -= commands[c].weight;
	world->doing = commands[c].name;
	world->done[c] += commands[c].fn(world) == OK;
}

static void step(struct world *world)
{
	if (!chance(world, 60) || !thin_out(world))
		give_command(world);
	adopt(world);
	compare_served(world, true);
	compare(world);
}

static void run(struct world *world, unsigned long steps)
{
	while (world->step < steps) {
		world->phase = &phases[world->step / PHASE_STEPS % COUNT_OF(phases)];
		begin(world);
		for (uint64_t n = 1 + below(world, 12); n > 0; n--, world->step++)
			step(world);
		if (chance(world, 1))
			restart(world);
		else if (chance(world, 20))
			undo(world);
		else
			commit(world);
		if (chance(world, 1))
			restart(world);
	}
}

static void the_queue_is_its_model(void **state)
{
	struct world *world = NEW(struct world);
	const char *steps = getenv("TENFOLD_STEPS");

	(void)state;
	world->dice = test_seed();
	rng_seeded_init(&world->rng, rng_u64(&world->dice));
	world->now_ms = 1763690000000;
	world->m = NEW(struct model);
	world->before = NEW(struct model);
	world->m->max_live = MAX_LIVE;
	world->m->max_waiting = MAX_WAITING;
	world->w = new_work(world);
	run(world, steps ? strtoul(steps, NULL, 10) : STEPS);
	for (size_t c = 0; c < COUNT_OF(commands); c++) {
		printf("# %s: %lu done\n", commands[c].name, world->done[c]);
		assert_true(world->done[c] > 0);
	}
	work_destroy(&world->w);
	rows_free(&world->rows);
	map_free(&world->ids);
	map_free(&world->tokens);
	free(world->m);
	free(world->before);
	free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(the_queue_is_its_model)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
