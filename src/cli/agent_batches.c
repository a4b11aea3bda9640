/*
 *   FREE ── an agent is added ──► FILLING ── full, or the end ──► SENT ── answered ──► FREE
 *                                                                 │  ▲
 *                                    to be tried again ──► WAITING ──┘ its time has come
 */
#include "cli/agent_batches.h"

#include "base/magic.h"
#include "cli/backoff.h"
#include "cli/stream.h"

#include <stdlib.h>

enum { UNDER_WAY = 4, BATCH_ITEMS = 1000, BATCH_BYTES = 8 << 20, ARENA_MAX = 256 << 20 };
enum { CALL_MS = 120000, TRIES = 6, LOOK_MS = 1000, TURN_ITEMS = 64 };

enum batch_state { BATCH_FREE, BATCH_FILLING, BATCH_SENT, BATCH_WAITING };

struct batch {
	enum batch_state state;
	struct request request;
	struct arena *arena; /* of its agents and its answer */
	struct agent_batch_in in;
	struct {
		const char *file;
		size_t line;
	} origin[BATCH_ITEMS];
	size_t bytes;
	struct backoff backoff;
};

struct batches {
	struct batches_config config;
	CURLM *multi;
	struct rng rng;
	struct batch v[UNDER_WAY];
	struct problem problem; /* err: what went wrong for good */
};

struct batches *batches_new(const struct batches_config *config)
{
	struct batches *b = NEW(struct batches);

	b->config = *config;
	b->multi = curl_multi_init();
	CHECK(b->multi);
	rng_system_init(&b->rng);
	for (int i = 0; i < UNDER_WAY; i++) {
		client_request_init(&b->v[i].request, config->client);
		b->v[i].arena = arena_new(ARENA_MAX);
	}
	return b;
}

void batches_destroy(struct batches **b)
{
	if (!*b)
		return;
	for (int i = 0; i < UNDER_WAY; i++) {
		struct batch *batch = &(*b)->v[i];

		if (batch->state == BATCH_SENT)
			curl_multi_remove_handle((*b)->multi, batch->request.easy);
		client_request_free(&batch->request);
		arena_destroy(&batch->arena);
	}
	curl_multi_cleanup((*b)->multi);
	free(*b);
	*b = NULL;
}

/* ---- answers ---- */

static void take_results(struct batches *b, struct batch *batch, const struct agent_batch_out *out)
{
	for (size_t i = 0; i < out->items_count; i++)
		b->config.result(b->config.ctx, batch->origin[i].file, batch->origin[i].line, &out->items[i]);
	batch->state = BATCH_FREE;
}

static bool may_try_again(const struct batches *b, const struct batch *batch, enum err e)
{
	bool lost = e == ERR_UNREACHABLE || e == ERR_OUTCOME_UNKNOWN;

	return err_info(e)->retryable && batch->backoff.failures < TRIES &&
	       !(lost && b->config.on_existing == EXISTING_REFUSE);
}

static void take_answer(struct batches *b, struct batch *batch, CURLcode code)
{
	struct agent_batch_out out = {0};
	struct problem p = {0};
	enum err e = client_request_end(&batch->request, code, batch->arena, &out, &p);

	if (!e && out.items_count != batch->in.items_count)
		e = problem_set(&p, ERR_INTERNAL, "the server answered %zu entries for %zu", out.items_count,
				batch->in.items_count);
	if (!e) {
		take_results(b, batch, &out);
	} else if (may_try_again(b, batch, e)) {
		backoff_failed(&batch->backoff, &b->rng, stream_now_ms(), batch->request.retry_after_s);
		batch->state = BATCH_WAITING;
	} else {
		batch->state = BATCH_FREE;
		if (!b->problem.err)
			b->problem = p;
	}
}

/* ---- sending ---- */

static void send_batch(struct batches *b, struct batch *batch)
{
	struct problem p = {0};

	if (client_request_begin(&batch->request, ROUTE_agent_batch, &batch->in, CALL_MS, &p) != OK) {
		batch->state = BATCH_FREE;
		b->problem = p;
		return;
	}
	CHECK(curl_multi_add_handle(b->multi, batch->request.easy) == CURLM_OK);
	batch->state = BATCH_SENT;
}

static struct batch *batch_of(struct batches *b, const CURL *easy)
{
	for (int i = 0; i < UNDER_WAY; i++)
		if (b->v[i].request.easy == easy)
			return &b->v[i];
	UNREACHABLE();
}

static bool take_ends(struct batches *b)
{
	CURLMsg *m;
	bool any = false;
	int left;

	while ((m = curl_multi_info_read(b->multi, &left))) {
		struct batch *batch = batch_of(b, m->easy_handle);
		CURLcode code = m->data.result;

		curl_multi_remove_handle(b->multi, batch->request.easy);
		take_answer(b, batch, code);
		any = true;
	}
	return any;
}

/* Sends again what is due; how long until the next one is. */
static int64_t send_again(struct batches *b)
{
	int64_t now = stream_now_ms(), wait = LOOK_MS;

	for (int i = 0; i < UNDER_WAY; i++) {
		struct batch *batch = &b->v[i];
		int64_t left = batch->backoff.until_ms - now;

		if (batch->state != BATCH_WAITING)
			continue;
		if (left <= 0)
			send_batch(b, batch);
		else if (left < wait)
			wait = left;
	}
	return wait;
}

/* wait: until something has happened. */
static void turn(struct batches *b, bool wait)
{
	int running;

	curl_multi_perform(b->multi, &running);
	if (!take_ends(b) && wait) {
		int64_t ms = send_again(b);

		curl_multi_poll(b->multi, NULL, 0, (int)ms, NULL);
	}
}

static struct batch *in_state(struct batches *b, enum batch_state state)
{
	for (int i = 0; i < UNDER_WAY; i++)
		if (b->v[i].state == state)
			return &b->v[i];
	return NULL;
}

/* ---- gathering ---- */

static struct batch *begin(struct batches *b)
{
	struct batch *batch = in_state(b, BATCH_FREE);

	while (!batch && !b->problem.err) {
		turn(b, true);
		batch = in_state(b, BATCH_FREE);
	}
	if (!batch)
		return NULL;
	arena_reset(batch->arena);
	batch->backoff = (struct backoff){0};
	batch->bytes = 0;
	batch->in = (struct agent_batch_in){.items = ARENA_ARRAY(batch->arena, struct agent_new, BATCH_ITEMS)};
	PUT(&batch->in, agent_batch_in, items, batch->in.items);
	PUT(&batch->in, agent_batch_in, on_existing, (int)b->config.on_existing);
	batch->state = BATCH_FILLING;
	return batch;
}

static void put(struct batch *batch, const struct agent_new *agent, size_t bytes, const char *file, size_t line)
{
	size_t i = batch->in.items_count++;

	batch->in.items[i] = *agent;
	json_own(&type_agent_new, batch->arena, &batch->in.items[i]);
	batch->origin[i].file = file;
	batch->origin[i].line = line;
	batch->bytes += bytes;
}

enum err batches_add(struct batches *b, const struct agent_new *agent, size_t bytes, const char *file, size_t line)
{
	struct batch *batch = in_state(b, BATCH_FILLING);

	if (batch && batch->bytes + bytes > BATCH_BYTES) {
		send_batch(b, batch);
		batch = NULL;
	}
	if (!batch)
		batch = begin(b);
	if (batch && !b->problem.err) {
		put(batch, agent, bytes, file, line);
		if (batch->in.items_count == BATCH_ITEMS)
			send_batch(b, batch);
		if (batch->in.items_count % TURN_ITEMS == 0 || batch->state == BATCH_SENT)
			turn(b, false); /* what is under way goes on meanwhile */
	}
	return b->problem.err;
}

enum err batches_finish(struct batches *b, struct problem *p)
{
	struct batch *last = in_state(b, BATCH_FILLING);

	if (last && !b->problem.err)
		send_batch(b, last);
	while (!b->problem.err && (in_state(b, BATCH_SENT) || in_state(b, BATCH_WAITING)))
		turn(b, true);
	if (b->problem.err)
		*p = b->problem;
	return b->problem.err;
}
