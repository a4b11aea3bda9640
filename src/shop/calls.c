/* From the server to the gate, through it to a connection, and back: see app.h. */
#include "shop/app.h"

#include <string.h>

enum {
	READERS = 4,
	CALLS_MAX = 100000, /* waiting for a connection, or to be written */
	BATCH_MAX = 200,
	WAIT_MS = 30000,
	CHECK_MS = 30000,
	RECYCLE_MS = 3600000,
	CUSTOMER_MAX = 128,
	TASK_CALL = 0,
	TASK_GATHER = 1,
};

/* ---- on a loop ---- */

static bool names_customer(struct str name)
{
	if (name.n == 0 || name.n > CUSTOMER_MAX)
		return false;
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] <= ' ' || name.p[i] > '~')
			return false;
	return true;
}

enum err shop_authenticate(struct call *c, struct str secret, struct str tenant)
{
	struct str name;

	(void)tenant;
	gate_arrived(shop_of(c)->gate);
	c->caller = (struct caller){.scope = SCOPE_NONE};
	if (!secret.n)
		return OK;
	if (!str_eq(str_cut(secret, ':', &name), STR("dev")) || !names_customer(name))
		return call_fail(
			c, ERR_UNAUTHENTICATED,
			"send Authorization: Bearer dev:NAME, with a name of 1 to %d visible ASCII characters",
			CUSTOMER_MAX);
	c->caller.scope = SCOPE_AGENT;
	c->caller.key_name = arena_str(c->arena, name);
	return OK;
}

enum err shop_admit(struct call *c, struct rate *out)
{
	return gate_admit(shop_of(c)->gate, c, out);
}

enum err shop_dispatch(struct call *c)
{
	c->task = (struct task){.cost = 1, .kind = TASK_CALL};
	gate_enter(shop_of(c)->gate, c);
	return OK;
}

void shop_undelivered(struct call *c)
{
	(void)c; /* an order that was made stays made */
}

/* ---- any thread ---- */

static void finish(struct call *c, enum err outcome)
{
	c->outcome = outcome;
	gate_left(shop_of(c)->gate);
	http_finish(c);
}

void shop_pass(void *shop, struct call *c)
{
	struct shop *s = shop;
	enum err e = c->outcome;

	if (!e)
		e = c->route->runs == RUNS_BULK ? gather_post(s->gather, &c->task) : pool_post(s->reads, &c->task);
	if (e)
		finish(c, e);
}

/* ---- on a connection ---- */

static enum err run(struct call *c, struct db *db)
{
	c->db = db;
	c->now_ms = clock_now_ms(shop_of(c)->clock);
	call_forget_hooks(c);
	problem_clear(&c->problem);
	memset(c->out, 0, c->route->out->size);
	return shop_handlers[c->route - shop_routes](c, c->in, c->out);
}

static void run_task(void *shop, struct task *t, struct db *db, enum err why)
{
	struct call *c;

	(void)shop;
	if (t->kind == TASK_GATHER) {
		gather_run(t, db, why);
		return;
	}
	c = CONTAINER_OF(t, struct call, task);
	CHECK_OBJ(c, CALL_MAGIC);
	finish(c, db ? run(c, db) : why);
}

static int64_t order_of(const struct task *t)
{
	const struct call *c = CONTAINER_OF((struct task *)(uintptr_t)t, struct call, task);

	return (int64_t)(str_hash(c->caller.key_name) >> 1);
}

static enum err write_task(void *shop, struct task *t, struct db *db)
{
	struct call *c = CONTAINER_OF(t, struct call, task);

	(void)shop;
	CHECK_OBJ(c, CALL_MAGIC);
	return run(c, db);
}

/* What is to be seen outside only when it is durable, the handler left as a hook. */
static void end_task(void *shop, struct task *t, enum err outcome)
{
	struct call *c = CONTAINER_OF(t, struct call, task);

	(void)shop;
	if (outcome)
		call_forget_hooks(c);
	else
		call_run_hooks(c);
	finish(c, outcome);
}

static struct pool_config pool_of(struct shop *s, enum db_mode mode, unsigned size)
{
	return (struct pool_config){.store = s->store,
				    .mode = mode,
				    .limits = {.size = size,
					       .queue_max = CALLS_MAX,
					       .wait_ms = WAIT_MS,
					       .check_ms = CHECK_MS,
					       .recycle_ms = RECYCLE_MS},
				    .run = run_task,
				    .ctx = s};
}

enum err shop_calls_start(struct shop *s, struct problem *p)
{
	struct pool_config reads = pool_of(s, DB_READ, READERS), writes = pool_of(s, DB_WRITE, 1);
	enum err e = pool_new(&reads, &s->reads, p);

	e = e ? e : pool_new(&writes, &s->writes, p);
	if (!e)
		s->gather = gather_new(&(struct gather_config){.pool = s->writes,
							       .kind = TASK_GATHER,
							       .batch_max = BATCH_MAX,
							       .queue_max = CALLS_MAX,
							       .key = order_of,
							       .write = write_task,
							       .end = end_task,
							       .ctx = s});
	return e;
}

void shop_calls_stop(struct shop *s)
{
	pool_destroy(&s->reads);
	pool_destroy(&s->writes);
	gather_destroy(&s->gather);
}
