/* See worker_model.h. What is set up for the worker, and what a call of a model comes to; the endpoint's side is in
 * worker_endpoint.c. */
#include "cli/worker_model_priv.h"

#include "cli/worker_agent.h"

#include "base/magic.h"

#include <stdlib.h>
#include <string.h>

enum { PIECE_EVERY_MS = 15, KEY_FILE_MAX = 4096 };

/* ---- settings ---- */

static struct str host_of(struct str url)
{
	struct str rest, host;
	size_t n = 0;

	str_cut(url, '/', &rest);
	host = rest.n ? (struct str){rest.p + 1, rest.n - 1} : url;
	while (n < host.n && host.p[n] != '/')
		n++;
	return str_clip((struct str){host.p, n}, 64);
}

static enum err take_url(struct worker *w, struct worker_models *m)
{
	struct str url = w->args->model_url;

	if (!str_starts(url, STR("http://")) && !str_starts(url, STR("https://")))
		return problem_set(&w->cli->problem, ERR_USAGE,
				   "--model-url must be http://… or https://…, up to /v1, not '%.*s'", STRF(url));
	if (memchr(url.p, '@', url.n))
		return problem_set(&w->cli->problem, ERR_USAGE,
				   "--model-url must have no name or password in it; the key comes from "
				   "--model-key-file or TENFOLD_MODEL_KEY");
	while (url.n && url.p[url.n - 1] == '/')
		url.n--;
	m->url = arena_fmt(w->cli->arena, "%.*s/chat/completions", STRF(url));
	m->provider = host_of(url);
	return OK;
}

static enum err take_key(struct worker *w, struct worker_models *m)
{
	struct str key = str_of(getenv("TENFOLD_MODEL_KEY"));
	enum err e = OK;

	if (HAS(w->args, worker_args, model_key_file))
		e = cli_read_file(w->args->model_key_file, KEY_FILE_MAX, w->cli->arena, &key, &w->cli->problem);
	key = str_trim(key);
	if (e || !key.n)
		return e;
	for (size_t i = 0; i < key.n; i++)
		if ((unsigned char)key.p[i] <= ' ' || (unsigned char)key.p[i] >= 0x7f)
			return problem_set(&w->cli->problem, ERR_USAGE,
					   "the model's key must be one word of printable ASCII");
	m->key = arena_str(w->cli->arena, key);
	if (str_starts(m->url, STR("http://")) && !client_is_here(m->url))
		worker_say(w, "the key of the model goes to %.*s unencrypted; use https", STRF(m->provider));
	return OK;
}

static enum err check_flags(struct worker *w)
{
	const struct worker_args *a = w->args;
	bool stand_in = HAS(a, worker_args, model) && str_eqz(a->model, STAND_IN);
	bool url = HAS(a, worker_args, model_url);

	if ((url || stand_in) && !HAS(a, worker_args, squad))
		return problem_set(&w->cli->problem, ERR_USAGE,
				   "--model-url and --model " STAND_IN " are for steps; give --squad with them");
	if (url && stand_in)
		return problem_set(&w->cli->problem, ERR_USAGE,
				   "--model " STAND_IN " asks nobody; leave it or --model-url away");
	if (HAS(a, worker_args, model) && !url && !stand_in)
		return problem_set(&w->cli->problem, ERR_USAGE,
				   "where is the model %.*s asked? Give --model-url, or --model " STAND_IN,
				   STRF(a->model));
	return OK;
}

static enum err set_up(struct worker *w, struct worker_models *m)
{
	const struct worker_args *a = w->args;
	enum err e;

	m->pretend = !HAS(a, worker_args, model_url);
	if (HAS(a, worker_args, model))
		m->model = a->model;
	m->silence_ms = a->model_silence;
	m->timeout_ms = a->model_timeout;
	if (HAS(a, worker_args, model_max_tokens))
		m->max_tokens = a->model_max_tokens;
	m->provider = STR(STAND_IN);
	if (m->pretend)
		return OK;
	e = take_url(w, m);
	return e ? e : take_key(w, m);
}

enum err models_open(struct worker *w, struct worker_models **out)
{
	struct worker_models *m;
	enum err e = check_flags(w);

	*out = NULL;
	if (e || (!HAS(w->args, worker_args, model) && !HAS(w->args, worker_args, model_url)))
		return e;
	m = NEW(struct worker_models);
	e = set_up(w, m);
	*out = m;
	if (e)
		models_close(out);
	return e;
}

void models_close(struct worker_models **m)
{
	free(*m);
	*m = NULL;
}

bool models_pretend(const struct worker_models *m)
{
	return m->pretend;
}

/* ---- how it ends ---- */

/* What was paid for is told also when nothing came of it. */
static void note_used(struct job *j)
{
	struct model_run *run = j->step->model;
	struct model_call *call = ARENA_NEW(j->arena, struct model_call);

	if (run->model.n)
		PUT(&j->used, work_used, model, str_clip(run->model, 96));
	if (!call || !run->was_answered)
		return;
	chat_call(&run->answer, j->worker->models->provider, run->model, call);
	json_own(&type_model_call, j->arena, call);
	PUT(&j->used, work_used, calls, call);
	j->used.calls_count = 1;
}

void model_failed(struct job *j, bool retry, const struct problem *p)
{
	step_log(j, "attempt %lld failed: %s", (long long)j->item.attempt, p->detail);
	note_used(j);
	job_end(j, OUTCOME_FAILED, retry, str_of(p->detail));
}

void model_not_to_blame(struct job *j, const struct problem *p)
{
	step_log(j, "it goes back: %s", p->detail);
	note_used(j);
	job_end(j, OUTCOME_RELEASED, false, (struct str){0});
}

void model_settings_are_wrong(struct job *j, const struct problem *p)
{
	model_not_to_blame(j, p);
	worker_give_up(j->worker, ERR_USAGE, p);
}

void model_answered(struct job *j)
{
	struct model_run *run = j->step->model;
	struct model_result from = {.provider = j->worker->models->provider, .model = run->model};
	struct buf json = BUF_INIT(0);
	struct str question = answer_question(buf_str(&run->answer.text));
	struct problem p = {0};
	enum err e = answer_result((enum step_kind)j->step->brief.kind, &from, &run->answer, j->arena, &json, &p);

	backoff_worked(&j->worker->models->backoff);
	if (question.n) {
		note_used(j);
		job_end(j, OUTCOME_COMPLETED, false, STR("null"));
		j->question = arena_str(j->arena, question);
	} else if (e) {
		model_failed(j, !run->answer.filtered && e != ERR_TOO_LARGE, &p);
	} else {
		note_used(j);
		job_end(j, OUTCOME_COMPLETED, false, buf_str(&json));
	}
	buf_free(&json);
}

/* ---- the stand-in ---- */

static void pretend_next(struct job *j)
{
	struct model_run *run = j->step->model;
	struct str piece = stand_in_piece(run->left);

	buf_str_add(&run->answer.text, piece);
	notes_add(&j->step->notes, NOTE_TOKENS, piece, j->worker->now_ms);
	run->left = (struct str){run->left.p + piece.n, run->left.n - piece.n};
	run->next_ms = j->worker->now_ms + PIECE_EVERY_MS;
	if (run->left.n)
		return;
	stand_in_count(&run->prompt, &run->answer);
	run->was_answered = true;
	model_answered(j);
}

static void pretend(struct job *j)
{
	struct model_run *run = j->step->model;

	run->left = stand_in_text(&j->step->brief, &run->prompt, j->arena);
	run->next_ms = j->worker->now_ms;
}

/* ---- asking ---- */

/* The member's, else what the town says for it, else the worker's. */
static enum err model_for(struct job *j, struct str *out, struct problem *p)
{
	const struct worker_models *m = j->worker->models;
	const struct step_brief *b = &j->step->brief;
	enum err e = OK;

	*out = m->pretend ? STR(STAND_IN) : HAS(b, step_brief, model) ? b->model : (struct str){0};
	if (!out->n && j->worker->agents)
		e = worker_agents_model(j->worker->agents, j, out, p);
	if (!out->n)
		*out = m->model;
	return e;
}

void model_ask(struct job *j)
{
	struct model_run *run = ARENA_NEW(j->arena, struct model_run);
	struct problem p = {0};
	enum err e;

	CHECK(run);
	j->step->model = run;
	chat_answer_init(&run->answer);
	run->prompt = model_prompt_of(&j->step->brief, j->arena);
	e = model_for(j, &run->model, &p);
	if (e) {
		job_cannot_run(j, e, &p);
	} else if (!run->model.n) {
		problem_set(&p, ERR_USAGE,
			    "no model is named for the step %.*s: its member has none; give one with --model",
			    STRF(j->step->brief.name));
		model_settings_are_wrong(j, &p);
	} else if (j->worker->models->pretend) {
		pretend(j);
	} else {
		step_log(j, "asks %.*s at %.*s", STRF(run->model), STRF(j->worker->models->provider));
		endpoint_ask(j);
	}
}

void model_calls_begin(struct job *j)
{
	const struct model_run *run = j->step->model;

	if (j->state != JOB_RUNNING)
		return;
	if (!j->worker->models->pretend)
		endpoint_watch(j);
	else if (run->left.n && j->worker->now_ms >= run->next_ms)
		pretend_next(j);
}

int64_t model_next_ms(const struct job *j)
{
	const struct model_run *run = j->step->model;

	return j->worker->models->pretend ? run->next_ms : endpoint_next_ms(j);
}

void model_cut(struct job *j)
{
	endpoint_cut(j);
}

void model_free(struct job *j)
{
	struct model_run *run = j->step->model;

	endpoint_free(run);
	chat_answer_free(&run->answer);
}
