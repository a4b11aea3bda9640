/* See worker_aside.h. */
#include "cli/worker_aside.h"

#include "cli/worker_step.h"

enum { ASIDE_MAX = 200, REST_AT_LEAST_S = 1 };

size_t worker_busy(const struct worker *w)
{
	return w->running - w->aside.count;
}

bool worker_is_judging(const struct worker *w)
{
	for (const struct job *j = w->takes_steps ? w->jobs : NULL; j; j = j->next)
		if (j->state == JOB_RUNNING && j->step && !j->step->has_brief && !j->step->backoff.failures)
			return true;
	return false;
}

void aside_rest(struct worker *w, bool is_idle)
{
	if (w->aside.count == 0)
		return;
	backoff_failed(&w->aside.backoff, &w->rng, w->now_ms, REST_AT_LEAST_S);
	if (is_idle && w->args->until_empty)
		worker_give_up(w, w->aside.why.err, &w->aside.why);
}

static void say_once(struct worker *w, int kind, const struct problem *why)
{
	if (!(w->aside.told >> kind & 1))
		worker_say(w, "%s", why->detail);
	w->aside.told |= 1U << kind;
}

void aside_put(struct job *j, const struct problem *why)
{
	struct worker *w = j->worker;

	say_once(w, j->step->brief.kind, why);
	w->aside.why = *why;
	w->aside.count++;
	j->is_aside = true;
	if (w->aside.count >= ASIDE_MAX)
		aside_rest(w, worker_busy(w) + w->unsettled == 0);
	else if (w->claim.busy) /* it waits, and behind it nothing would be looked for */
		aside_rest(w, false);
}

void aside_leave(struct job *j)
{
	if (j->is_aside)
		j->worker->aside.count--;
	j->is_aside = false;
}

void aside_look_again(struct worker *w)
{
	backoff_worked(&w->aside.backoff);
}

static bool claims_go_on(const struct worker *w)
{
	bool rests = w->now_ms < w->aside.backoff.until_ms || w->now_ms < w->claim_rest_ms;
	bool full = worker_busy(w) >= (size_t)w->args->concurrency && !worker_is_judging(w);

	return !w->draining && !rests && !full;
}

void aside_give_back(struct worker *w)
{
	if (w->aside.count == 0 || claims_go_on(w))
		return;
	for (struct job *j = w->jobs; j; j = j->next)
		if (j->is_aside && j->state == JOB_RUNNING)
			job_give_back(j);
}
