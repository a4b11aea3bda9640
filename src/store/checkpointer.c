/* See checkpointer.h. */
#include "store/checkpointer.h"

#include "base/log.h"
#include "base/magic.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdlib.h>

enum state { AT_REST, COPY_WANTED, COPY_OVER, STOPPING };

struct checkpointer {
	const char *path;
	pthread_t thread;
	bool has_thread;
	pthread_mutex_t lock; /* state */
	pthread_cond_t changed;
	enum state state;
};

/* Twice: the second time copies what came during the first, so that very little is left to the writer. A failure is
 * said and left: the writer copies everything itself then, and meets the reason. */
static void copy(sqlite3 *sql)
{
	int rc = SQLITE_OK;

	for (int pass = 0; pass < 2 && rc == SQLITE_OK; pass++)
		rc = sqlite3_wal_checkpoint_v2(sql, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	if (rc != SQLITE_OK)
		LOG_W("store.checkpoint", "beside=true detail=%s", sqlite3_errmsg(sql));
}

static void *checkpointer_main(void *arg)
{
	struct checkpointer *c = arg;
	sqlite3 *sql = NULL;
	int rc = sqlite3_open_v2(c->path, &sql, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_exec(sql, "PRAGMA synchronous=FULL; SELECT count(*) FROM sqlite_schema", NULL, NULL,
				  NULL);
	if (rc != SQLITE_OK)
		LOG_W("store.checkpoint", "beside=false detail=%s",
		      sqlite3_errmsg(sql)); /* the writer copies alone */
	pthread_mutex_lock(&c->lock);
	while (c->state != STOPPING) {
		if (c->state != COPY_WANTED) {
			pthread_cond_wait(&c->changed, &c->lock);
			continue;
		}
		pthread_mutex_unlock(&c->lock);
		if (rc == SQLITE_OK)
			copy(sql);
		pthread_mutex_lock(&c->lock);
		if (c->state == COPY_WANTED)
			c->state = COPY_OVER;
		pthread_cond_broadcast(&c->changed);
	}
	pthread_mutex_unlock(&c->lock);
	sqlite3_close(sql);
	return NULL;
}

struct checkpointer *checkpointer_new(const char *path)
{
	struct checkpointer *c = NEW(struct checkpointer);

	c->path = path;
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->changed, NULL);
	return c;
}

enum checkpointer_turn checkpointer_turn(struct checkpointer *c)
{
	enum checkpointer_turn turn = CHECKPOINTER_AT_WORK;

	if (!c->has_thread)
		c->has_thread = pthread_create(&c->thread, NULL, checkpointer_main, c) == 0;
	if (!c->has_thread)
		return CHECKPOINTER_FINISHED;
	pthread_mutex_lock(&c->lock);
	if (c->state == COPY_OVER) {
		c->state = AT_REST;
		turn = CHECKPOINTER_FINISHED;
	} else {
		c->state = COPY_WANTED;
		pthread_cond_broadcast(&c->changed);
	}
	pthread_mutex_unlock(&c->lock);
	return turn;
}

void checkpointer_wait(struct checkpointer *c)
{
	pthread_mutex_lock(&c->lock);
	while (c->state == COPY_WANTED)
		pthread_cond_wait(&c->changed, &c->lock);
	c->state = AT_REST;
	pthread_mutex_unlock(&c->lock);
}

void checkpointer_destroy(struct checkpointer **c)
{
	if (!*c)
		return;
	pthread_mutex_lock(&(*c)->lock);
	(*c)->state = STOPPING;
	pthread_cond_broadcast(&(*c)->changed);
	pthread_mutex_unlock(&(*c)->lock);
	if ((*c)->has_thread)
		pthread_join((*c)->thread, NULL);
	pthread_cond_destroy(&(*c)->changed);
	pthread_mutex_destroy(&(*c)->lock);
	free(*c);
	*c = NULL;
}
