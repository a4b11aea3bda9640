/* See worker_question.h. */
#include "cli/worker_question.h"

#include "cli/worker_step.h"

#include "base/id.h"
#include "flow/flow.h"

enum { ASK_CALL_MS = 30000 };

/* ---- what it is told ---- */

bool worker_step_is(const struct job *j)
{
	return str_eqz(j->item.type, FLOW_ITEM_TYPE);
}

static bool read_step(const struct job *j, struct step_given *out)
{
	return worker_step_is(j) &&
	       json_decode_answer(&type_step_given, j->item.payload, j->arena, out, NULL) == OK;
}

static void add(struct job *j, char **env, size_t *n, const char *name, struct str value)
{
	env[(*n)++] = (char *)(uintptr_t)arena_fmt(j->arena, "TENFOLD_WORK_%s=%.*s", name, STRF(value)).p;
}

static void add_id(struct job *j, char **env, size_t *n, const char *name, const char *prefix, int64_t id)
{
	char text[ID_TEXT];

	id_format(text, prefix, id);
	add(j, env, n, name, str_of(text));
}

size_t worker_step_variables(struct job *j, char **env)
{
	struct step_given step;
	size_t n = 0;

	if (!read_step(j, &step))
		return 0;
	add(j, env, &n, "TOKEN", j->item.token);
	add_id(j, env, &n, "EXECUTION", "ex_", step.execution);
	add_id(j, env, &n, "STEP", "st_", step.step);
	add_id(j, env, &n, "SQUAD", "sq_", step.squad);
	if (HAS(&step, step_given, member))
		add_id(j, env, &n, "MEMBER", "sm_", step.member);
	return n;
}

/* ---- what it asks ---- */

static bool may_ask(const struct worker *w, const struct job *j)
{
	bool all_told = !j->step || !step_is_open(j);

	return j->state == JOB_SETTLING && j->question.n && all_told && !j->progress.busy &&
	       w->now_ms >= w->settle_backoff.until_ms;
}

void worker_step_ask(struct worker *w, struct job *j)
{
	struct question_new in = {0};
	struct step_given step;

	if (!may_ask(w, j))
		return;
	if (!read_step(j, &step)) {
		j->question = (struct str){0};
		return;
	}
	if (!j->progress.easy)
		client_request_init(&j->progress, w->client);
	PUT(&in, question_new, id, step.execution);
	PUT(&in, question_new, step, step.step);
	PUT(&in, question_new, token, j->item.token);
	PUT(&in, question_new, text, j->question);
	if (j->used.seen)
		PUT(&in, question_new, used, j->used);
	j->asking = true;
	worker_request_begin(w, &j->progress, ROUTE_question_ask, &in, ASK_CALL_MS);
}

/* What is wrong with the question is wrong with the command. */
static void is_refused(struct job *j, const char *why)
{
	j->question = (struct str){0};
	j->outcome = OUTCOME_FAILED;
	j->error = arena_fmt(j->arena, "its question was refused: %s", why);
}

void worker_step_asked(struct worker *w, struct job *j, CURLcode code)
{
	struct question_stand out;
	struct problem p = {0};
	enum err e = client_request_end(&j->progress, code, w->arena, &out, &p);

	j->asking = false;
	if (!e) {
		w->summary.completed++;
		job_forget(j);
	} else if (e == ERR_STALE_TOKEN || e == ERR_NOT_FOUND) {
		worker_drops(w, j, e, p.detail);
	} else if (!worker_settles_later(w, &j->progress, e, &p)) {
		is_refused(j, p.detail);
	}
}
