/* See worker_step.h. */
#include "cli/worker_step.h"

#include "cli/worker_aside.h"
#include "cli/worker_model.h"
#include "cli/worker_search.h"

#include "base/id.h"
#include "base/magic.h"

#include <stdarg.h>

enum { BRIEF_CALL_MS = 30000, LOG_BYTES = 1000 };

void step_log(struct job *j, const char *fmt, ...)
{
	char text[LOG_BYTES];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	notes_add(&j->step->notes, NOTE_LOG, str_of(text), j->worker->now_ms);
}

/* ---- what carries it out ---- */

static bool is_of_models(enum step_kind kind)
{
	return kind == STEP_MODEL || kind == STEP_GENERATE || kind == STEP_ANALYSE;
}

/* The command and agents take what nothing else here does. */
static void run_process(struct job *j)
{
	j->input = j->step->brief_json;
	job_run(j);
}

/* What a worker lacks that has nothing for steps of this kind, and how it is given. */
static const char *what_is_missing(enum step_kind kind)
{
	if (is_of_models(kind))
		return "no model for them (--model)";
	return kind == STEP_RETRIEVE ? "neither documents nor a model for them (--documents FOLDER)"
				     : "no command for them (-- COMMAND)";
}

static void refuse(struct job *j)
{
	const struct step_brief *b = &j->step->brief;
	struct problem p = {0};

	problem_set(&p, ERR_CONFLICT,
		    "steps of the kind %s, like %.*s, wait for another worker: this one was given %s",
		    enum_step_kind.values[b->kind].text, STRF(b->name), what_is_missing((enum step_kind)b->kind));
	aside_put(j, &p);
}

static void run(struct job *j)
{
	struct worker *w = j->worker;
	enum step_kind kind = (enum step_kind)j->step->brief.kind;
	bool asks = w->models &&
		    (is_of_models(kind) || (kind == STEP_COMMAND && !w->command && models_pretend(w->models)));
	bool searches = w->searches && kind == STEP_RETRIEVE;
	bool starts = w->command || (w->agents && (is_of_models(kind) || kind == STEP_COMMAND));

	if (!asks && !searches && !starts) {
		refuse(j);
		return;
	}
	if (searches) {
		search_begin(j);
		return;
	}
	aside_look_again(w);
	if (asks)
		model_ask(j);
	else
		run_process(j);
}

/* ---- the brief ---- */

/* The execution ended, or the step is somebody else's by now: the item's lease says so too. */
static void brief_refused(struct job *j, enum err e, const struct problem *p)
{
	if (err_info(e)->status == 404)
		job_give_back(j);
	else
		job_cannot_run(j, e, p);
}

static void on_brief(struct request *r, CURLcode code)
{
	struct job *j = r->owner;
	struct worker *w = j->worker;
	struct step_run *s = j->step;
	struct problem p = {0};
	enum err e = client_request_end(r, code, j->arena, &s->brief, &p);

	if (j->state != JOB_RUNNING)
		return;
	if (e && worker_is_passing(e)) {
		backoff_failed(&s->backoff, &w->rng, w->now_ms, p.retry_after_s);
		return;
	}
	if (e) {
		brief_refused(j, e, &p);
		return;
	}
	s->has_brief = true;
	s->brief_json = buf_str(&r->reply);
	run(j);
}

static void ask_for_brief(struct job *j)
{
	struct step_run *s = j->step;
	struct step_brief_in in = {0};

	if (s->has_brief || s->asking.busy || j->state != JOB_RUNNING || j->worker->now_ms < s->backoff.until_ms)
		return;
	PUT(&in, step_brief_in, id, s->execution);
	PUT(&in, step_brief_in, step, s->step);
	worker_request_begin(j->worker, &s->asking, ROUTE_execution_brief, &in, BRIEF_CALL_MS);
}

/* ---- life ---- */

static bool read_payload(struct job *j, struct step_run *s)
{
	struct step_brief named;

	if (json_decode_answer(&type_step_brief, j->item.payload, j->arena, &named, NULL) != OK)
		return false;
	s->execution = named.execution;
	s->step = named.step;
	return true;
}

void step_start(struct job *j)
{
	struct step_run *s = ARENA_NEW(j->arena, struct step_run);
	struct problem p = {0};

	CHECK(s);
	j->step = s;
	client_request_init(&s->asking, j->worker->client);
	s->asking.owner = j;
	s->asking.done = on_brief;
	if (!read_payload(j, s))
		job_cannot_run(j, problem_set(&p, ERR_INTERNAL, "its payload is not that of a step"), &p);
}

void step_calls_begin(struct job *j)
{
	ask_for_brief(j);
	if (j->step->model)
		model_calls_begin(j);
	if (j->step->search)
		search_calls_begin(j);
	notes_begin(j);
}

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int64_t step_next_ms(const struct job *j)
{
	const struct step_run *s = j->step;
	int64_t next = notes_next_ms(&s->notes);

	if (j->state == JOB_RUNNING && !s->has_brief && !s->asking.busy)
		next = sooner(next, s->backoff.until_ms);
	if (j->state == JOB_RUNNING && s->model)
		next = sooner(next, model_next_ms(j));
	if (j->state == JOB_RUNNING && s->search)
		next = sooner(next, search_next_ms(j));
	return next;
}

bool step_is_open(const struct job *j)
{
	return notes_are_left(&j->step->notes);
}

static void cut(struct worker *w, struct request *r)
{
	if (r->busy)
		curl_multi_remove_handle(w->multi, r->easy);
	r->busy = false;
}

void step_cut(struct job *j)
{
	struct step_run *s = j->step;

	cut(j->worker, &s->asking);
	cut(j->worker, &s->notes.request);
	s->notes.sent = 0;
	if (s->model)
		model_cut(j);
	if (s->search)
		search_cut(j);
}

void step_free(struct job *j)
{
	struct step_run *s = j->step;

	step_cut(j);
	if (s->model)
		model_free(j);
	if (s->search)
		search_free(j);
	client_request_free(&s->asking);
	notes_free(&s->notes);
}
