/* See behaviour_sink.h. Records come from the threads of all shards: a lock is held while one is counted. */
#include "sim/behaviour_sink.h"

#include "base/magic.h"
#include "sim/realism.h"
#include "sim/realism_types.h"

#include <math.h>
#include <pthread.h>

enum { ARENA_MAX = 1 << 20 };

struct behaviour_sink {
	struct sink to;
	const struct scenario *scenario;
	struct arena *arena; /* of the profile */
	struct sim_profile profile;
	int items; /* which of what is kept; -1: none */
	pthread_mutex_t lock;
	struct behaviour *behaviour;
};

static int find_items(const struct scenario *s)
{
	for (unsigned i = 0; i < scenario_kept_count(s); i++)
		if (str_eqz(scenario_kept_name(s, i), "items"))
			return (int)i;
	return -1;
}

struct behaviour_sink *behaviour_sink_new(const struct scenario *s, uint32_t agents, int64_t first_ms,
					  struct sink to)
{
	struct arena *a = arena_new(ARENA_MAX);
	struct sim_profile profile;
	struct behaviour_sink *b;

	if (!scenario_profile(s).n || profile_load(scenario_profile(s), a, &profile, NULL)) {
		arena_destroy(&a);
		return NULL;
	}
	b = NEW(struct behaviour_sink);
	*b = (struct behaviour_sink){
		.to = to, .scenario = s, .arena = a, .profile = profile, .items = find_items(s)};
	pthread_mutex_init(&b->lock, NULL);
	b->behaviour = behaviour_new(agents);
	b->behaviour->began_ms = first_ms; /* sessions come before their cycle is whole */
	return b;
}

void behaviour_sink_free(struct behaviour_sink **b)
{
	if (!*b)
		return;
	pthread_mutex_destroy(&(*b)->lock);
	behaviour_free(&(*b)->behaviour);
	arena_destroy(&(*b)->arena);
	free(*b);
	*b = NULL;
}

/* ---- the port ---- */

static void count_session(struct behaviour_sink *b, const struct session_record *s)
{
	const struct behaviour_visit v = {
		.agent = s->agent,
		.how = scenario_outcome_kind(b->scenario, s->result->outcome),
		.at_ms = s->started_ms,
		.items = b->items >= 0 ? s->result->kept[b->items] : (double)NAN,
	};

	pthread_mutex_lock(&b->lock);
	behaviour_session(b->behaviour, &v);
	pthread_mutex_unlock(&b->lock);
}

static enum err put(void *self, const struct session_record *s)
{
	struct behaviour_sink *b = self;
	enum err e = b->to.put(b->to.self, s);

	if (!e && s->kind == JOURNEY_SESSION)
		count_session(b, s);
	return e;
}

static bool settled(void *self)
{
	struct behaviour_sink *b = self;

	return b->to.settled(b->to.self);
}

static void cycle(void *self, const struct cycle_record *c)
{
	struct behaviour_sink *b = self;

	pthread_mutex_lock(&b->lock);
	behaviour_cycle(b->behaviour, c->began_ms, c->agents);
	pthread_mutex_unlock(&b->lock);
	b->to.cycle(b->to.self, c);
}

static void trouble(void *self, struct problem *out)
{
	struct behaviour_sink *b = self;

	b->to.trouble(b->to.self, out);
}

static void count(void *self, struct recorder_counts *out)
{
	struct behaviour_sink *b = self;

	b->to.count(b->to.self, out);
}

struct sink behaviour_sink_port(struct behaviour_sink *b)
{
	return (struct sink){b, put, settled, cycle, trouble, count};
}

void behaviour_sink_judge(struct behaviour_sink *b, struct arena *a, struct sim_realism *out)
{
	pthread_mutex_lock(&b->lock);
	realism_judge(b->behaviour, &b->profile, a, out);
	pthread_mutex_unlock(&b->lock);
}
