/* See worker_search.h. */
#include "cli/worker_search.h"

#include "cli/worker_aside.h"
#include "cli/worker_documents.h"
#include "cli/worker_step.h"

#include "base/magic.h"

#include <stdlib.h>

enum { FOUND_MAX = 50, SEARCH_CALL_MS = 30000, EXCERPT_CHARACTERS = 1000 };

struct worker_searches {
	struct documents *documents; /* NULL: only the directory */
};

/* A job's: a call of the directory. In its arena. */
struct search_run {
	struct retrieval asked;
	struct request call;
	struct backoff backoff;
};

/* ---- the worker ---- */

enum err searches_open(struct worker *w, struct worker_searches **out)
{
	const struct worker_args *a = w->args;
	enum err e = OK;

	*out = NULL;
	if (a->documents_count && !HAS(a, worker_args, squad))
		return problem_set(&w->cli->problem, ERR_USAGE,
				   "--documents are for steps; give --squad with them");
	if (!a->documents_count && !w->models)
		return OK;
	*out = NEW(struct worker_searches);
	if (a->documents_count)
		e = documents_open(a->documents, a->documents_count, &(*out)->documents, &w->cli->problem);
	if (e)
		searches_close(out);
	return e;
}

void searches_close(struct worker_searches **s)
{
	if (*s)
		documents_close(&(*s)->documents);
	free(*s);
	*s = NULL;
}

/* ---- what is asked ---- */

/* Without an input it is what the step is about. */
static enum err read_input(struct job *j, struct retrieval *out, struct problem *p)
{
	const struct step_brief *b = &j->step->brief;
	struct problem why = {0};
	enum err e;

	if (!HAS(b, step_brief, input)) {
		*out = (struct retrieval){.limit = 5};
		out->query = arena_fmt(j->arena, "%.*s %.*s", STRF(b->task_title), STRF(b->name));
		return OK;
	}
	e = json_decode(&type_retrieval, b->input, 0, j->arena, out, &why);
	return e ? problem_set(p, ERR_INVALID, "its input must be {\"query\": \"…\"}: %s", why.detail) : OK;
}

static int place_of(const struct job *j, const struct retrieval *asked)
{
	if (HAS(asked, retrieval, where))
		return asked->where;
	return j->worker->searches->documents ? RETRIEVE_DOCUMENTS : RETRIEVE_AGENTS;
}

/* ---- what was found ---- */

static void found(struct job *j, const struct retrieval *asked, int where, struct retrieved_document *documents,
		  size_t count)
{
	struct retrieved out = {
		.query = asked->query, .where = where, .documents = documents, .documents_count = count};
	struct buf json = BUF_INIT(0);

	step_log(j, "found %zu for '%.*s'", count, STRF(str_clip(out.query, 200)));
	json_encode(&type_retrieved, &out, 0, &json);
	job_end(j, OUTCOME_COMPLETED, false, buf_str(&json));
	buf_free(&json);
}

static void fail(struct job *j, const struct problem *p)
{
	step_log(j, "attempt %lld failed: %s", (long long)j->item.attempt, p->detail);
	job_end(j, OUTCOME_FAILED, false, str_of(p->detail));
}

/* ---- in documents ---- */

static void look_into_documents(struct job *j, const struct retrieval *asked)
{
	struct retrieved_document documents[FOUND_MAX];
	size_t count =
		documents_search(j->worker->searches->documents, asked->query, (size_t)asked->limit, documents);

	found(j, asked, RETRIEVE_DOCUMENTS, documents, count);
}

/* ---- in the directory ---- */

static void on_agents(struct request *r, CURLcode code)
{
	struct job *j = r->owner;
	struct agent_search_out out;
	struct retrieved_document documents[FOUND_MAX];
	struct problem p = {0};
	enum err e = client_request_end(r, code, j->arena, &out, &p);
	size_t count = 0;

	if (j->state != JOB_RUNNING)
		return;
	if (e && worker_is_passing(e)) {
		backoff_failed(&j->step->search->backoff, &j->worker->rng, j->worker->now_ms, p.retry_after_s);
		return;
	}
	if (e) {
		fail(j, &p);
		return;
	}
	for (; count < out.items_count && count < FOUND_MAX; count++)
		documents[count] = (struct retrieved_document){
			.name = out.items[count].agent.handle,
			.score = out.items[count].score,
			.excerpt = str_clip(out.items[count].agent.description, EXCERPT_CHARACTERS)};
	found(j, &j->step->search->asked, RETRIEVE_AGENTS, documents, count);
}

void search_calls_begin(struct job *j)
{
	struct search_run *s = j->step->search;
	struct agent_search_in in = {0};

	if (j->state != JOB_RUNNING || s->call.busy || j->worker->now_ms < s->backoff.until_ms)
		return;
	PUT(&in, agent_search_in, q, s->asked.query);
	PUT(&in, agent_search_in, limit, s->asked.limit);
	worker_request_begin(j->worker, &s->call, ROUTE_agent_search, &in, SEARCH_CALL_MS);
}

int64_t search_next_ms(const struct job *j)
{
	const struct search_run *s = j->step->search;

	return s->call.busy ? INT64_MAX : s->backoff.until_ms;
}

/* ---- life ---- */

static void look_into_agents(struct job *j, const struct retrieval *asked)
{
	struct search_run *s = ARENA_NEW(j->arena, struct search_run);

	CHECK(s);
	s->asked = *asked;
	client_request_init(&s->call, j->worker->client);
	s->call.owner = j;
	s->call.done = on_agents;
	j->step->search = s;
}

/* Another worker may have the documents. */
static void refuse(struct job *j)
{
	struct problem p = {0};

	problem_set(
		&p, ERR_CONFLICT,
		"steps of the kind retrieve that look in documents, like %.*s, wait for another worker: this one "
		"was given none (--documents FOLDER)",
		STRF(j->step->brief.name));
	aside_put(j, &p);
}

void search_begin(struct job *j)
{
	struct retrieval asked;
	struct problem p = {0};
	bool is_good = read_input(j, &asked, &p) == OK;
	bool in_documents = is_good && place_of(j, &asked) == RETRIEVE_DOCUMENTS;

	if (in_documents && !j->worker->searches->documents) {
		refuse(j);
		return;
	}
	aside_look_again(j->worker);
	if (!is_good)
		fail(j, &p);
	else if (in_documents)
		look_into_documents(j, &asked);
	else
		look_into_agents(j, &asked);
}

void search_cut(struct job *j)
{
	struct request *r = &j->step->search->call;

	if (r->busy)
		curl_multi_remove_handle(j->worker->multi, r->easy);
	r->busy = false;
}

void search_free(struct job *j)
{
	client_request_free(&j->step->search->call);
}
