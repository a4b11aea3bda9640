/* Bells and the newest rows of the feed; see changes.h. The two have nothing to do with each other but their owner.
 */
#include "directory/changes.h"

#include "base/cond.h"
#include "base/magic.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

enum { CHANGES_MAGIC = 0x43484e47 };

struct bell {
	pthread_mutex_t lock;
	pthread_cond_t rung;
	uint64_t times;
};

struct changes {
	unsigned magic;
	struct bell bells[CHANGES_BELLS], end; /* the end rings once */
	atomic_bool stopping;
	bool numbered;
	changes_commit_fn *on_commit;
	void *ctx; /* of on_commit */

	pthread_mutex_t lock;       /* what follows */
	int64_t first, last;        /* numbers of the rows kept; last 0: none */
	size_t kept;                /* at most; a power of two */
	struct change_row newest[]; /* that of number n at n % kept */
};

/* ---- bells ---- */

static void bell_init(struct bell *b)
{
	cond_mono_init(&b->rung);
	pthread_mutex_init(&b->lock, NULL);
}

static void bell_ring(struct bell *b)
{
	pthread_mutex_lock(&b->lock);
	b->times++;
	pthread_cond_broadcast(&b->rung);
	pthread_mutex_unlock(&b->lock);
}

static void bell_destroy(struct bell *b)
{
	pthread_cond_destroy(&b->rung);
	pthread_mutex_destroy(&b->lock);
}

static struct timespec from_now(int64_t ms)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	int64_t ns = t.tv_nsec + ms % 1000 * 1000000;
	t.tv_sec += ms / 1000 + ns / 1000000000;
	t.tv_nsec = ns % 1000000000;
	return t;
}

static void bell_wait(struct changes *feed, struct bell *b, uint64_t *heard, int64_t wait_ms)
{
	struct timespec until = from_now(wait_ms);
	pthread_mutex_lock(&b->lock);
	while (b->times == *heard && !changes_stopping(feed))
		if (pthread_cond_timedwait(&b->rung, &b->lock, &until) != 0)
			break;
	*heard = b->times;
	pthread_mutex_unlock(&b->lock);
}

void changes_ring(struct changes *feed, enum changes_bell bell)
{
	CHECK_OBJ(feed, CHANGES_MAGIC);
	bell_ring(&feed->bells[bell]);
	if (bell == CHANGES_COMMITTED && feed->numbered)
		bell_ring(&feed->bells[CHANGES_NUMBERED]);
}

void changes_wait(struct changes *feed, enum changes_bell bell, uint64_t *heard, int64_t wait_ms)
{
	bell_wait(feed, &feed->bells[bell], heard, wait_ms);
}

void changes_pause(struct changes *feed, int64_t ms)
{
	uint64_t heard = 0;
	bell_wait(feed, &feed->end, &heard, ms);
}

void changes_stop(struct changes *feed)
{
	atomic_store(&feed->stopping, true);
	bell_ring(&feed->end);
	for (int bell = 0; bell < CHANGES_BELLS; bell++)
		changes_ring(feed, (enum changes_bell)bell);
}

bool changes_stopping(struct changes *feed)
{
	return atomic_load(&feed->stopping);
}

/* ---- writing ---- */

struct commit {
	struct changes *feed;
	struct change_fact *facts;
	size_t count;
};

static void committed(void *arg)
{
	const struct commit *commit = arg;
	struct changes *feed = commit->feed;
	if (feed->on_commit)
		feed->on_commit(feed->ctx, commit->facts, commit->count);
	changes_ring(feed, CHANGES_COMMITTED);
}

void changes_on_commit(struct changes *feed, changes_commit_fn *fn, void *ctx)
{
	feed->on_commit = fn;
	feed->ctx = ctx;
}

enum err change_add(struct changes *feed, struct call *c, const struct change_fact *facts, size_t count)
{
	struct commit *commit = ARENA_NEW(c->arena, struct commit);
	struct change_fact *copy = ARENA_ARRAY(c->arena, struct change_fact, count);
	if (!commit || !copy)
		return ERR_INTERNAL;
	memcpy(copy, facts, count * sizeof *copy);
	*commit = (struct commit){feed, copy, count};
	call_after_commit(c, committed, commit);
	return q_change_add(c->db, facts, count);
}

/* ---- the newest rows ---- */

void changes_keep(struct changes *feed, const struct change_row *rows, size_t count)
{
	pthread_mutex_lock(&feed->lock);
	for (size_t i = 0; i < count; i++) {
		int64_t seq = rows[i].seq;
		if (seq != feed->last + 1 || !feed->last)
			feed->first = seq;
		else if (seq - feed->first >= (int64_t)feed->kept)
			feed->first++;
		feed->last = seq;
		feed->newest[(size_t)seq & (feed->kept - 1)] = rows[i];
	}
	pthread_mutex_unlock(&feed->lock);
}

bool changes_read(struct changes *feed, int64_t since, struct change_row *out, size_t max, size_t *count)
{
	*count = 0;
	pthread_mutex_lock(&feed->lock);
	bool here = feed->last && since <= feed->last && since + 1 >= feed->first;
	for (int64_t seq = since + 1; here && seq <= feed->last && *count < max; seq++)
		out[(*count)++] = feed->newest[(size_t)seq & (feed->kept - 1)];
	pthread_mutex_unlock(&feed->lock);
	return here;
}

/* ---- life ---- */

struct changes *changes_new(size_t kept, bool numbered)
{
	CHECK(kept && !(kept & (kept - 1)));
	struct changes *feed = must_alloc(sizeof(*feed) + kept * sizeof(feed->newest[0]));
	feed->magic = CHANGES_MAGIC;
	feed->kept = kept;
	feed->numbered = numbered;
	pthread_mutex_init(&feed->lock, NULL);
	for (int bell = 0; bell < CHANGES_BELLS; bell++)
		bell_init(&feed->bells[bell]);
	bell_init(&feed->end);
	return feed;
}

void changes_destroy(struct changes **c)
{
	struct changes *feed = *c;
	if (!feed)
		return;
	CHECK_OBJ(feed, CHANGES_MAGIC);
	for (int bell = 0; bell < CHANGES_BELLS; bell++)
		bell_destroy(&feed->bells[bell]);
	bell_destroy(&feed->end);
	pthread_mutex_destroy(&feed->lock);
	feed->magic = 0;
	free(feed);
	*c = NULL;
}
