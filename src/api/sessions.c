/* See sessions.h. A session remembers every claim made in it; those that ended since are thrown out as it grows. */
#include "api/sessions.h"

#include "api/runner.h"

struct held {
	int64_t item;
	struct work_token token;
};

struct session {
	int64_t id, tenant;
	bool ended;
	VEC(struct held) held; /* the queue's thread */
};

struct sessions {
	pthread_mutex_t lock;
	struct map by_id;
};

struct sessions *sessions_new(void)
{
	struct sessions *s = NEW(struct sessions);
	pthread_mutex_init(&s->lock, NULL);
	return s;
}

static void session_free(struct session *one)
{
	VEC_FREE(&one->held);
	free(one);
}

void sessions_destroy(struct sessions **s)
{
	if (!*s)
		return;
	struct session *one;
	for (size_t i = 0; (one = map_next(&(*s)->by_id, &i));)
		session_free(one);
	map_free(&(*s)->by_id);
	pthread_mutex_destroy(&(*s)->lock);
	free(*s);
	*s = NULL;
}

int64_t sessions_begin(struct sessions *s, int64_t id, int64_t tenant)
{
	struct session *one = NEW(struct session);
	one->id = id;
	one->tenant = tenant;
	pthread_mutex_lock(&s->lock);
	map_put(&s->by_id, (uint64_t)id, one);
	pthread_mutex_unlock(&s->lock);
	return id;
}

/* Still connected, or NULL. */
static struct session *find(struct sessions *s, int64_t id)
{
	pthread_mutex_lock(&s->lock);
	struct session *one = map_get(&s->by_id, (uint64_t)id);
	if (one && one->ended)
		one = NULL;
	pthread_mutex_unlock(&s->lock);
	return one;
}

bool sessions_has(struct sessions *s, int64_t id, int64_t tenant)
{
	struct session *one = find(s, id);
	return one && one->tenant == tenant;
}

static bool still_held(const struct work *w, const struct held *h)
{
	const struct item *item = work_find(w, h->item);
	struct work_token last = item ? work_token_of(item) : (struct work_token){0};
	return item && item->state == WORK_LEASED && work_token_eq(&last, &h->token);
}

static void throw_out_ended(const struct work *w, struct session *one)
{
	size_t kept = 0;
	for (size_t i = 0; i < one->held.n; i++)
		if (still_held(w, &one->held.v[i]))
			one->held.v[kept++] = one->held.v[i];
	one->held.n = kept;
}

void sessions_hold(struct sessions *s, const struct work *w, int64_t id, int64_t item,
		   const struct work_token *token)
{
	pthread_mutex_lock(&s->lock);
	struct session *one = map_get(&s->by_id, (uint64_t)id);
	pthread_mutex_unlock(&s->lock);
	if (!one)
		return;
	if (one->held.n > 0 && one->held.n == one->held.cap)
		throw_out_ended(w, one);
	*VEC_PUSH(&one->held) = (struct held){item, *token};
}

/* ---- the end ---- */

struct ending {
	struct job job;
	int64_t id;
};

static void release_all(struct work *w, struct session *one)
{
	for (size_t i = 0; i < one->held.n; i++) {
		struct item *ignored;
		struct work_ending ending = {.outcome = OUTCOME_RELEASED};
		/* Most were settled long ago: their tokens are stale and nothing happens. */
		work_settle(w, one->tenant, one->held.v[i].item, &one->held.v[i].token, &ending, &ignored);
	}
}

static void ending_run(struct job *job)
{
	struct ending *e = CONTAINER_OF(job, struct ending, job);
	struct sessions *s = job->app->sessions;
	pthread_mutex_lock(&s->lock);
	struct session *one = map_get(&s->by_id, (uint64_t)e->id);
	pthread_mutex_unlock(&s->lock);
	if (one)
		release_all(job->app->persist->work, one);
}

static void ending_done(struct job *job)
{
	struct ending *e = CONTAINER_OF(job, struct ending, job);
	struct sessions *s = job->app->sessions;
	pthread_mutex_lock(&s->lock);
	struct session *one = map_take(&s->by_id, (uint64_t)e->id);
	pthread_mutex_unlock(&s->lock);
	if (one)
		session_free(one);
}

void sessions_end(struct app *app, int64_t id)
{
	struct sessions *s = app->sessions;
	pthread_mutex_lock(&s->lock);
	struct session *one = map_get(&s->by_id, (uint64_t)id);
	if (one)
		one->ended = true;
	pthread_mutex_unlock(&s->lock);
	if (atomic_load(&app->stopping))
		return; /* it is the server that goes: its workers live, and keep what they hold */
	struct ending *e = NEW(struct ending);
	e->id = id;
	e->job.run = ending_run;
	e->job.done = ending_done;
	runner_post(app, &e->job);
}
