/*
 * What the worker says to the server: the session, claims, leases, progress and results.
 *
 * At most one claim, one extend and one settle are on their way at a time; whatever ends meanwhile goes into the
 * next settle, so results are batched exactly when there are many. Nothing is lost while the server is away:
 * results stay in their jobs and are sent again until they are answered. Each kind of call backs off on its own.
 *
 * An error is passing (the server is away, overloaded, restarting), or it is about one item (the lease is lost), or
 * it will not change by waiting: then the worker drains and the error becomes its own.
 */
#include "cli/worker_aside.h"
#include "cli/worker_question.h"
#include "cli/worker_step.h"

#include "base/id.h"
#include "base/magic.h"

#include <stdlib.h>
#include <string.h>

enum {
	CLAIM_WAIT_MS = 30000,
	CLAIM_WAIT_UNTIL_EMPTY_MS = 200, /* own items still run: look again soon whether that was all */
	CALL_MS = 30000,
	SESSION_HOLD_MS = 2000,
	PROGRESS_EVERY_MS = 200,
	UNSETTLED_SPARE = 100,
	BATCH_ITEMS = 1000,
	SETTLE_BYTES = 8 << 20,
	IDLE_MS = 10000,
};

static int64_t later_of(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

bool worker_is_passing(enum err e)
{
	return err_info(e)->retryable || err_info(e)->status >= 500;
}

static struct job *find_running(const struct worker *w, struct attempt_ref ref)
{
	for (struct job *j = w->jobs; j; j = j->next)
		if (j->item.id == ref.id && j->item.attempt == ref.attempt &&
		    (j->state == JOB_RUNNING || j->state == JOB_STOPPING))
			return j;
	return NULL;
}

void worker_request_begin(struct worker *w, struct request *r, enum route_id route, const void *in,
			  int64_t timeout_ms)
{
	struct problem p = {0};

	/* Only a request that is too large fails here, and what goes in is bounded. */
	CHECK(client_request_begin(r, route, in, timeout_ms, &p) == OK);
	CHECK(curl_multi_add_handle(w->multi, r->easy) == CURLM_OK);
}

/* ---- trouble ---- */

static void tell_trouble(struct worker *w, const struct problem *p)
{
	if (!w->trouble_told)
		worker_say(w, "%s; %s", p->detail, client_waits_it_out(p->err));
	w->trouble_told = true;
}

/* Somebody answered: whoever waits for the server need not wait any longer. */
static void server_is_there(struct worker *w)
{
	if (w->trouble_told)
		worker_say(w, "%.*s answers again", STRF(w->client->url));
	w->trouble_told = false;
	if (w->claim_backoff.failures)
		w->claim_backoff.until_ms = w->now_ms;
	if (w->settle_backoff.failures)
		w->settle_backoff.until_ms = w->now_ms;
	if (w->extend_backoff.failures)
		w->extend_backoff.until_ms = w->now_ms;
}

void worker_give_up(struct worker *w, enum err e, const struct problem *p)
{
	if (!w->fatal) {
		w->fatal = e;
		w->cli->problem = *p;
	}
	worker_drain(w);
}

/* True when it makes sense to try again; it has backed off then. An answer that is not understood will not become
 * clearer: claiming on would only burn attempts. */
static bool retry_later(struct worker *w, const struct request *r, struct backoff *b, enum err e,
			const struct problem *p)
{
	if (!worker_is_passing(e) || client_request_status(r) == 200)
		return false;
	tell_trouble(w, p);
	backoff_failed(b, &w->rng, w->now_ms, p->retry_after_s);
	return true;
}

/* ---- the session ---- */

static void on_item_event(struct worker *w, const struct sse_event *e)
{
	struct work_event ev;
	struct job *j;

	if (json_decode_answer(&type_work_event, e->data, w->arena, &ev, NULL) != OK)
		return;
	j = find_running(w, (struct attempt_ref){ev.id, ev.attempt});
	if (!j)
		return;
	if (ev.kind == EVENT_CANCELLED)
		job_stop(j, STOP_CANCELLED);
	else if (ev.kind == EVENT_LAPSED)
		job_stop(j, STOP_LOST);
	else if (ev.kind == EVENT_FAILED)
		job_stop(j, STOP_FAILED);
}

static void on_event(void *ctx, const struct sse_event *e)
{
	struct worker *w = ctx;
	struct session_opened opened;

	if (!str_eqz(e->name, "session")) {
		on_item_event(w, e);
		return;
	}
	if (json_decode_answer(&type_session_opened, e->data, w->arena, &opened, NULL) != OK)
		return;
	w->session_id = opened.session;
	server_is_there(w);
	w->extend_ms = w->now_ms; /* what was held in a session before this one may be lost */
}

static void begin_session(struct worker *w)
{
	struct work_session_in in = {0};
	struct problem p = {0};

	if (w->sessions_refused || !stream_due(&w->session, w->now_ms))
		return;
	PUT(&in, work_session_in, agent, w->name);
	CHECK(stream_open(&w->session, ROUTE_work_session, &in, w->now_ms, &p) == OK);
}

static void end_session(struct worker *w, CURLcode code)
{
	bool was_open = w->session_id != 0;
	struct problem p = {0};
	enum err e = stream_ended(&w->session, code, &w->rng, w->now_ms, w->arena, &p);

	w->session_id = 0;
	w->sessions_refused = e == ERR_NO_ROUTE || e == ERR_NOT_FOUND;
	w->claim_held_ms = was_open ? w->now_ms + SESSION_HOLD_MS : 0;
}

/* ---- claims ---- */

static bool wants_claim(const struct worker *w)
{
	size_t most = (size_t)w->args->concurrency;

	return !w->draining && !w->claim.busy && !worker_is_judging(w) && worker_busy(w) < most &&
	       w->unsettled < most + UNSETTLED_SPARE;
}

static int64_t claim_due_ms(const struct worker *w)
{
	int64_t held = w->session_id ? 0 : w->claim_held_ms;
	int64_t rest = later_of(w->claim_rest_ms, w->aside.backoff.until_ms);

	return later_of(later_of(w->claim_backoff.until_ms, held), rest);
}

static int64_t claim_wait_ms(const struct worker *w)
{
	if (w->aside.count)
		return 0;
	if (!w->args->until_empty)
		return CLAIM_WAIT_MS;
	return w->claim_was_idle ? 0 : CLAIM_WAIT_UNTIL_EMPTY_MS;
}

static void begin_claim(struct worker *w)
{
	struct work_claim_in in = {0};

	if (!wants_claim(w) || w->now_ms < claim_due_ms(w))
		return;
	w->claim_was_idle = worker_busy(w) == 0 && w->unsettled == 0;
	w->claim_had_session = w->session_id != 0;
	PUT(&in, work_claim_in, agent, w->name);
	if (w->types_count) {
		PUT(&in, work_claim_in, types, w->types);
		in.types_count = w->types_count;
	}
	if (w->team)
		PUT(&in, work_claim_in, team, *w->team);
	PUT(&in, work_claim_in, max, w->args->concurrency - (int64_t)worker_busy(w));
	PUT(&in, work_claim_in, wait_ms, claim_wait_ms(w));
	PUT(&in, work_claim_in, lease_ms, w->args->lease);
	if (w->claim_had_session)
		PUT(&in, work_claim_in, session, w->session_id);
	worker_request_begin(w, &w->claim, ROUTE_work_claim, &in, claim_wait_ms(w) + CALL_MS);
}

/* The session it named is gone, and the stream does not know yet: open another one. */
static bool session_was_refused(struct worker *w, enum err e)
{
	if (!w->claim_had_session || (e != ERR_INVALID && e != ERR_NOT_FOUND && e != ERR_CONFLICT))
		return false;
	w->claim_held_ms = w->now_ms + SESSION_HOLD_MS;
	if (w->session_id) {
		w->session_id = 0;
		stream_cut(&w->session);
		backoff_failed(&w->session.backoff, &w->rng, w->now_ms, 0);
	}
	return true;
}

static void found_nothing(struct worker *w)
{
	if (w->aside.count)
		aside_rest(w, w->claim_was_idle);
	else if (w->args->until_empty && w->claim_was_idle)
		worker_drain(w);
}

static void end_claim(struct worker *w, CURLcode code)
{
	struct work_claim_out out = {0};
	struct problem p = {0};
	enum err e = client_request_end(&w->claim, code, w->arena, &out, &p);

	if (e) {
		aside_rest(w, false);
		if (!retry_later(w, &w->claim, &w->claim_backoff, e, &p) && !session_was_refused(w, e) &&
		    !w->draining)
			worker_give_up(w, e, &p);
		return;
	}
	server_is_there(w);
	backoff_worked(&w->claim_backoff);
	if (out.items_count && w->running == 0)
		w->extend_ms = w->now_ms + w->args->lease / 3;
	for (size_t i = 0; i < out.items_count; i++)
		job_start(w, &out.items[i]);
	if (out.items_count == 0)
		found_nothing(w);
}

/* ---- leases ---- */

static void begin_extend(struct worker *w)
{
	struct work_extend_in in = {0};

	if (w->running == 0 || w->extend.busy || w->now_ms < w->extend_ms || w->now_ms < w->extend_backoff.until_ms)
		return;
	PUT(&in, work_extend_in, items, ARENA_ARRAY(w->arena, struct work_token_ref, BATCH_ITEMS));
	PUT(&in, work_extend_in, lease_ms, w->args->lease);
	for (struct job *j = w->jobs; j && in.items && in.items_count < BATCH_ITEMS; j = j->next) {
		bool wanted = j->state == JOB_RUNNING || (j->state == JOB_STOPPING && j->stop == STOP_RELEASE);

		if (!wanted)
			continue;
		w->extending[in.items_count] = (struct attempt_ref){j->item.id, j->item.attempt};
		PUT(&in.items[in.items_count], work_token_ref, id, j->item.id);
		PUT(&in.items[in.items_count], work_token_ref, token, j->item.token);
		in.items_count++;
	}
	w->extend_ms = w->now_ms + w->args->lease / 3;
	if (in.items_count)
		worker_request_begin(w, &w->extend, ROUTE_work_extend, &in, CALL_MS);
}

void worker_lease_refused(struct job *j, enum err e)
{
	if (j && !worker_is_passing(e))
		job_stop(j, e == ERR_CANCELLED ? STOP_CANCELLED : STOP_LOST);
}

static void end_extend(struct worker *w, CURLcode code)
{
	struct work_extend_out out = {0};
	struct problem p = {0};
	enum err e = client_request_end(&w->extend, code, w->arena, &out, &p);

	if (e) {
		w->extend_ms = w->now_ms;
		/* Leases that cannot be extended run out; until the server says so, the commands go on. */
		if (!retry_later(w, &w->extend, &w->extend_backoff, e, &p)) {
			backoff_failed(&w->extend_backoff, &w->rng, w->now_ms, 0);
			worker_give_up(w, e, &p);
		}
		return;
	}
	server_is_there(w);
	backoff_worked(&w->extend_backoff);
	for (size_t i = 0; i < out.items_count && i < BATCH_ITEMS; i++) {
		const struct work_extend_result *r = &out.items[i];

		if (HAS(r, work_extend_result, error))
			worker_lease_refused(find_running(w, w->extending[i]),
					     err_by_code(r->error.code.p, r->error.code.n));
	}
}

/* ---- progress ---- */

static void begin_progress(struct worker *w, struct job *j)
{
	struct work_progress_in in = {0};

	if (j->state != JOB_RUNNING || !j->output.has_progress || j->progress.busy || w->now_ms < j->progress_ms)
		return;
	if (!j->progress.easy)
		client_request_init(&j->progress, w->client);
	PUT(&in, work_progress_in, id, j->item.id);
	PUT(&in, work_progress_in, token, j->item.token);
	PUT(&in, work_progress_in, percent, j->output.percent);
	if (j->output.note.n)
		PUT(&in, work_progress_in, note, buf_str(&j->output.note));
	j->output.has_progress = false;
	j->progress_ms = w->now_ms + PROGRESS_EVERY_MS;
	worker_request_begin(w, &j->progress, ROUTE_work_progress, &in, CALL_MS);
}

/* Progress that could not be told is overtaken by the next; only a lost lease matters. */
static void end_progress(struct worker *w, struct job *j, CURLcode code)
{
	struct work_leased_ref out;
	struct problem p = {0};
	enum err e = client_request_end(&j->progress, code, w->arena, &out, &p);

	if (e && err_info(e)->status == 409)
		worker_lease_refused(j, e);
}

/* ---- results ---- */

static void add_outcome(struct work_settle_item *to, const struct job *j)
{
	PUT(to, work_settle_item, id, j->item.id);
	PUT(to, work_settle_item, token, j->item.token);
	PUT(to, work_settle_item, outcome, (int)j->outcome);
	if (j->used.seen)
		PUT(to, work_settle_item, used, j->used);
	if (j->outcome == OUTCOME_COMPLETED)
		PUT(to, work_settle_item, result, j->result);
	if (j->outcome != OUTCOME_FAILED)
		return;
	PUT(to, work_settle_item, error, j->error);
	PUT(to, work_settle_item, retry, j->retry);
}

/* What a step said comes before its end. */
static bool may_settle(const struct job *j)
{
	return j->state == JOB_SETTLING && !j->question.n && (!j->step || !step_is_open(j));
}

static bool wants_settle(const struct worker *w)
{
	for (const struct job *j = w->unsettled ? w->jobs : NULL; j; j = j->next)
		if (may_settle(j))
			return true;
	return false;
}

static void begin_settle(struct worker *w)
{
	struct work_settle_in in = {0};
	size_t bytes = 0;

	if (!wants_settle(w) || w->settle.busy || w->now_ms < w->settle_backoff.until_ms)
		return;
	PUT(&in, work_settle_in, items, ARENA_ARRAY(w->arena, struct work_settle_item, w->settle_most));
	for (struct job *j = w->jobs; j && in.items && in.items_count < w->settle_most; j = j->next) {
		if (!may_settle(j))
			continue;
		bytes += j->result.n + j->error.n;
		if (in.items_count && bytes > SETTLE_BYTES)
			break;
		add_outcome(&in.items[in.items_count++], j);
		j->sent = true;
	}
	worker_request_begin(w, &w->settle, ROUTE_work_settle, &in, CALL_MS);
}

static struct job *next_sent(struct job *j)
{
	while (j && !j->sent)
		j = j->next;
	return j;
}

/* What the state says, not what was asked for: a retry may have been the last attempt. */
static void count(struct worker *w, const struct job *j, int state)
{
	if (j->outcome == OUTCOME_COMPLETED)
		w->summary.completed++;
	else if (j->outcome == OUTCOME_RELEASED)
		w->summary.released++;
	else if (state == WORK_FAILED)
		w->summary.failed++;
	else
		w->summary.retried++;
}

static void tell_failure(struct worker *w, const struct job *j, int state)
{
	struct str rest, first = str_cut(j->error, '\n', &rest);
	struct buf key = BUF_INIT(0), error = BUF_INIT(0);
	char id[ID_TEXT];

	id_format(id, "w_", j->item.id);
	json_show_text(j->item.key, &key);
	json_show_text(first, &error);
	worker_say(w, "%s%s%s %s: %s%s", id, key.n ? " " : "", buf_cstr(&key),
		   state == WORK_FAILED ? "failed" : "will be tried again", buf_cstr(&error), rest.n ? " …" : "");
	buf_free(&key);
	buf_free(&error);
}

static void drop_result(struct worker *w, struct job *j, enum err e, const char *why)
{
	char id[ID_TEXT];

	id_format(id, "w_", j->item.id);
	if (j->outcome != OUTCOME_RELEASED)
		worker_say(w, "the result of %s is not wanted: %s", id, why);
	if (e == ERR_CANCELLED)
		w->summary.cancelled++;
	else
		w->summary.lost++;
	job_forget(j);
}

static void take_result(struct worker *w, struct job *j, const struct work_settle_result *r)
{
	bool refused = HAS(r, work_settle_result, error);
	enum err e = refused ? err_by_code(r->error.code.p, r->error.code.n) : OK;
	char why[200];

	j->sent = false;
	if (!refused) {
		count(w, j, r->state);
		if (j->outcome == OUTCOME_FAILED)
			tell_failure(w, j, r->state);
		if (j->outcome != OUTCOME_RELEASED)
			aside_look_again(w);
		job_forget(j);
	} else if (worker_is_passing(e)) {
		backoff_failed(&w->settle_backoff, &w->rng, w->now_ms, 0);
	} else {
		snprintf(why, sizeof(why), "%.*s", STRF(r->error.detail));
		drop_result(w, j, e, why);
	}
}

/* One by one it shows which entry it is that the server does not take. */
static void settle_refused(struct worker *w, const struct problem *p)
{
	struct job *j = next_sent(w->jobs);

	if (w->settle_most > 1) {
		w->settle_most = 1;
	} else if (j) {
		drop_result(w, j, p->err, p->detail);
		j->sent = false;
	}
}

static void end_settle(struct worker *w, CURLcode code)
{
	struct work_settle_out out = {0};
	struct problem p = {0};
	enum err e = client_request_end(&w->settle, code, w->arena, &out, &p);
	struct job *j;

	if (!e) {
		server_is_there(w);
		backoff_worked(&w->settle_backoff);
		w->settle_most = BATCH_ITEMS;
		j = next_sent(w->jobs);
		for (size_t i = 0; i < out.items_count && j; i++, j = next_sent(j->next))
			take_result(w, j, &out.items[i]);
	} else if (!retry_later(w, &w->settle, &w->settle_backoff, e, &p)) {
		settle_refused(w, &p);
	}
	for (j = w->jobs; j; j = j->next)
		j->sent = false;
}

/* ---- for worker_question.c ---- */

bool worker_settles_later(struct worker *w, const struct request *r, enum err e, const struct problem *p)
{
	return retry_later(w, r, &w->settle_backoff, e, p);
}

void worker_drops(struct worker *w, struct job *j, enum err e, const char *why)
{
	drop_result(w, j, e, why);
}

/* ---- all of them ---- */

void worker_calls_init(struct worker *w)
{
	w->multi = curl_multi_init();
	CHECK(w->multi);
	stream_init(&w->session, w->client, w->multi, on_event, w);
	client_request_init(&w->claim, w->client);
	client_request_init(&w->extend, w->client);
	client_request_init(&w->settle, w->client);
	w->extending = must_alloc(BATCH_ITEMS * sizeof(*w->extending));
	w->settle_most = BATCH_ITEMS;
	w->claim_held_ms = w->now_ms + SESSION_HOLD_MS;
}

void worker_calls_free(struct worker *w)
{
	struct request *all[] = {&w->claim, &w->extend, &w->settle};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		curl_multi_remove_handle(w->multi, all[i]->easy);
		client_request_free(all[i]);
	}
	stream_free(&w->session);
	curl_multi_cleanup(w->multi);
	free(w->extending);
}

void worker_calls_begin(struct worker *w)
{
	begin_session(w);
	begin_extend(w);
	begin_settle(w);
	for (struct job *j = w->jobs; j; j = j->next) {
		begin_progress(w, j);
		if (j->step)
			step_calls_begin(j);
		worker_step_ask(w, j);
	}
	begin_claim(w);
}

static void end_call_of_job(struct worker *w, struct job *j, CURLcode code)
{
	if (j->asking)
		worker_step_asked(w, j, code);
	else
		end_progress(w, j, code);
}

static void end_request(struct worker *w, struct request *r, CURLcode code)
{
	if (r == &w->session.request) {
		end_session(w, code);
		return;
	}
	curl_multi_remove_handle(w->multi, r->easy);
	if (r->done)
		r->done(r, code);
	else if (r == &w->claim)
		end_claim(w, code);
	else if (r == &w->extend)
		end_extend(w, code);
	else if (r == &w->settle)
		end_settle(w, code);
	else
		end_call_of_job(w, CONTAINER_OF(r, struct job, progress), code);
}

void worker_calls_end(struct worker *w)
{
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(w->multi, &left))) {
		CURLcode code = m->data.result; /* m goes with the handle */
		char *owner = NULL;

		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &owner);
		end_request(w, (struct request *)(void *)owner, code);
	}
	if (stream_is_silent(&w->session, w->now_ms))
		end_session(w, CURLE_OPERATION_TIMEDOUT);
	aside_give_back(w);
}

static void sooner(int64_t *next, int64_t when)
{
	if (when < *next)
		*next = when;
}

int64_t worker_calls_next_ms(const struct worker *w)
{
	int64_t next = w->now_ms + IDLE_MS;

	if (!w->sessions_refused && !w->session.request.busy)
		sooner(&next, w->session.backoff.until_ms);
	if (w->running && !w->extend.busy)
		sooner(&next, later_of(w->extend_ms, w->extend_backoff.until_ms));
	if (wants_settle(w) && !w->settle.busy)
		sooner(&next, w->settle_backoff.until_ms);
	if (wants_claim(w))
		sooner(&next, claim_due_ms(w));
	for (const struct job *j = w->jobs; j; j = j->next) {
		if (j->state == JOB_STOPPING && j->kill_ms)
			sooner(&next, j->kill_ms);
		if (j->state == JOB_RUNNING && j->output.has_progress && !j->progress.busy)
			sooner(&next, j->progress_ms);
		if (j->step)
			sooner(&next, step_next_ms(j));
	}
	return next;
}
