/*
 * See ticket.h. In memory they stand in the order in which they were made, which is that in which they expire, in
 * a ring: those that have expired make room.
 */
#include "accounts/ticket.h"

#include "access/token.h"
#include "base/magic.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_MAX_BYTES = 256 };

struct held {
	unsigned char hash[TOKEN_HASH_BYTES];
	int64_t key, tenant, expires_ms; /* expires_ms 0: it was used */
	size_t path_n;
	char path[PATH_MAX_BYTES];
};

struct tickets {
	pthread_mutex_t lock;
	size_t first, count;
	struct held ring[TICKETS_MAX];
};

struct tickets *tickets_new(void)
{
	struct tickets *t = NEW(struct tickets);
	pthread_mutex_init(&t->lock, NULL);
	return t;
}

void tickets_destroy(struct tickets **t)
{
	if (!*t)
		return;
	pthread_mutex_destroy(&(*t)->lock);
	free(*t);
	*t = NULL;
}

static struct held *at(struct tickets *t, size_t i)
{
	return &t->ring[(t->first + i) % TICKETS_MAX];
}

static void forget_expired(struct tickets *t, int64_t now_ms)
{
	while (t->count && at(t, 0)->expires_ms <= now_ms) {
		t->first = (t->first + 1) % TICKETS_MAX;
		t->count--;
	}
}

/* ---- made ---- */

/* Likewise after the commit, when it is on its way. */
struct putting {
	struct tickets *tickets;
	int64_t now_ms;
	struct held held;
};

static void put(void *arg)
{
	const struct putting *p = arg;
	struct tickets *t = p->tickets;
	pthread_mutex_lock(&t->lock);
	forget_expired(t, p->now_ms);
	if (t->count < TICKETS_MAX)
		*at(t, t->count++) = p->held;
	pthread_mutex_unlock(&t->lock);
}

static bool is_full(struct tickets *t, int64_t now_ms)
{
	pthread_mutex_lock(&t->lock);
	forget_expired(t, now_ms);
	bool full = t->count == TICKETS_MAX;
	pthread_mutex_unlock(&t->lock);
	return full;
}

static enum err keep(struct tickets *t, struct call *c, const struct ticket_row *row)
{
	struct putting *p = ARENA_NEW(c->arena, struct putting);
	if (!p)
		return ERR_INTERNAL;
	if (is_full(t, c->now_ms))
		return call_fail(c, ERR_TOO_MANY, "%d tickets are out; come again in a moment", TICKETS_MAX);
	*p = (struct putting){
		t, c->now_ms, {.key = row->key_id, .tenant = row->tenant, .expires_ms = row->expires_ms}};
	memcpy(p->held.hash, row->hash.p, TOKEN_HASH_BYTES);
	p->held.path_n = row->path.n;
	memcpy(p->held.path, row->path.p, row->path.n);
	call_after_commit(c, put, p);
	return OK;
}

bool ticket_is_for(struct str path)
{
	for (unsigned i = 0; i < ROUTE_COUNT; i++) {
		struct str after = {0}, before = str_cut(str_of(spec_routes[i].path), '{', &after);
		if (!(spec_routes[i].flags & ROUTE_TICKETS))
			continue;
		str_cut(after, '}', &after);
		if (path.n <= before.n + after.n || !str_starts(path, before) ||
		    !str_eq((struct str){path.p + path.n - after.n, after.n}, after))
			continue;
		if (!memchr(path.p + before.n, '/', path.n - before.n - after.n))
			return true;
	}
	return false;
}

enum err ticket_add(struct user_accounts *a, struct call *c, int64_t id, struct str path, struct stream_ticket *out)
{
	char text[TOKEN_TEXT];
	unsigned char hash[TOKEN_HASH_BYTES];
	if (path.n > PATH_MAX_BYTES || !ticket_is_for(path))
		return problem_field(&c->problem, ERR_INVALID, "path",
				     "must be that of a stream which takes tickets, such as "
				     "/v1/executions/ID/events, without a query");
	token_new(TOKEN_TICKET, text);
	token_hash(str_of(text), hash);
	struct ticket_row row = {.id = id,
				 .hash = arena_str(c->arena, (struct str){(const char *)hash, sizeof hash}),
				 .key_id = c->caller.key,
				 .tenant = c->caller.tenant,
				 .path = path,
				 .expires_ms = c->now_ms + TICKET_LIFE_MS};
	out->ticket = arena_str(c->arena, str_of(text));
	out->path = path;
	out->expires_at = row.expires_ms;
	if (!row.hash.p || !out->ticket.p)
		return ERR_INTERNAL;
	return a->tickets ? keep(a->tickets, c, &row) : q_ticket_insert(c->db, &row, 1);
}

/* ---- used ---- */

static enum err take(struct tickets *t, const unsigned char *hash, struct arena *a, struct ticket_row *out)
{
	struct held *found = NULL;
	pthread_mutex_lock(&t->lock);
	for (size_t i = 0; i < t->count && !found; i++)
		if (at(t, i)->expires_ms && sodium_memcmp(at(t, i)->hash, hash, TOKEN_HASH_BYTES) == 0)
			found = at(t, i);
	if (found) {
		*out = (struct ticket_row){.key_id = found->key,
					   .tenant = found->tenant,
					   .path = arena_str(a, (struct str){found->path, found->path_n}),
					   .expires_ms = found->expires_ms};
		found->expires_ms = 0;
	}
	pthread_mutex_unlock(&t->lock);
	return found ? OK : ERR_NOT_FOUND;
}

enum err ticket_take(struct user_accounts *a, struct call *c, struct db *db, struct str text,
		     struct ticket_row *out)
{
	unsigned char hash[TOKEN_HASH_BYTES];
	token_hash(text, hash);
	struct ticket_take_in in = {.hash = {(const char *)hash, sizeof hash}};
	enum err err = a->tickets ? take(a->tickets, hash, c->arena, out) : q_ticket_take(db, &in, c->arena, out);
	if (err == ERR_NOT_FOUND)
		return call_fail(c, ERR_UNAUTHENTICATED,
				 "there is no such ticket, or it was used; POST /v1/tickets makes another");
	if (err)
		return err;
	if (out->expires_ms <= c->now_ms)
		return call_fail(c, ERR_UNAUTHENTICATED, "this ticket has expired; POST /v1/tickets makes another");
	if (!str_eq(out->path, c->path))
		return call_fail(c, ERR_UNAUTHENTICATED, "this ticket was for another path, and is used up");
	return OK;
}
