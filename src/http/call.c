/*
 * Calls are taken from a free list of their loop, with an arena and two buffers that stay warm, so that a usual
 * request allocates nothing of ours. What a call knew of its request is cleared when it is taken; of the problem
 * only what is read (it is 2.5 KiB, mostly sentences nobody wrote).
 */
#include "http/http_priv.h"

#include <stdio.h>
#include <string.h>

struct call_hook {
	struct call_hook *next;
	void (*fn)(void *arg);
	void *arg;
};

/* All but the problem, the arena and the buffers. */
static void clear(struct call_private *c)
{
	struct arena *arena = c->call.arena;
	struct buf body = c->body, answer = c->answer;
	const size_t problem = offsetof(struct call_private, call.problem);
	const size_t after = problem + sizeof(c->call.problem);

	memset(c, 0, problem);
	problem_clear(&c->call.problem);
	memset((char *)c + after, 0, sizeof(*c) - after);
	c->call.magic = CALL_MAGIC;
	c->call.arena = arena;
	c->call.own = c;
	c->body = body;
	c->answer = answer;
}

static struct call_private *call_new(void)
{
	struct call_private *c = NEW(struct call_private);

	c->call.arena = arena_new(ARENA_MAX);
	c->answer = BUF_INIT(ANSWER_MAX);
	return c;
}

static void call_free(struct call_private *c)
{
	arena_destroy(&c->call.arena);
	buf_free(&c->body);
	buf_free(&c->answer);
	free(c);
}

struct call_private *call_take(struct loop *l)
{
	struct call_private *c = l->free_calls;

	if (c) {
		l->free_calls = c->next;
		l->free_count--;
	} else {
		c = call_new();
	}
	clear(c);
	c->loop = l;
	c->call.app = l->server->config.app;
	return c;
}

static void buffer_reuse(struct buf *b)
{
	if (b->cap > BUFFER_KEPT)
		buf_free(b);
	else
		buf_reset(b);
}

void call_drop_body(struct call_private *c)
{
	buffer_reuse(&c->body);
	if (c->charged)
		atomic_fetch_sub(&c->loop->server->body_bytes, (int64_t)c->charged);
	c->charged = 0;
}

void call_give_back(struct call_private *c)
{
	struct loop *l = c->loop;

	call_drop_body(c);
	c->call.magic = 0;
	if (l->free_count == CALLS_KEPT) {
		call_free(c);
		return;
	}
	arena_reset(c->call.arena);
	buffer_reuse(&c->answer);
	c->next = l->free_calls;
	l->free_calls = c;
	l->free_count++;
}

void calls_free(struct loop *l)
{
	while (l->free_calls) {
		struct call_private *c = l->free_calls;

		l->free_calls = c->next;
		call_free(c);
	}
	l->free_count = 0;
}

enum err call_fail(struct call *c, enum err e, const char *fmt, ...)
{
	va_list args;
	char text[sizeof(c->problem.detail)];

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return problem_set(&c->problem, e, "%s", text);
}

void call_after_commit(struct call *c, void (*fn)(void *arg), void *arg)
{
	struct call_hook *hook = ARENA_NEW(c->arena, struct call_hook), **end = &c->hooks;

	CHECK(hook);
	hook->fn = fn;
	hook->arg = arg;
	while (*end)
		end = &(*end)->next;
	*end = hook;
}

void call_after_commit_once(struct call *c, void (*fn)(void *arg), void *arg)
{
	for (const struct call_hook *hook = c->hooks; hook; hook = hook->next)
		if (hook->fn == fn && hook->arg == arg)
			return;
	call_after_commit(c, fn, arg);
}

void call_run_hooks(struct call *c)
{
	struct call_hook *hook = c->hooks;

	c->hooks = NULL;
	for (; hook; hook = hook->next)
		hook->fn(hook->arg);
}

void call_forget_hooks(struct call *c)
{
	c->hooks = NULL;
}

struct http_request http_request_of(const struct call *c)
{
	const struct call_private *own = call_own((struct call *)(uintptr_t)c);
	const struct headers *h = &own->headers;

	return (struct http_request){.path = c->path,
				     .query = own->query,
				     .authorization = h->authorization,
				     .tenant = h->tenant,
				     .content_type = h->content_type,
				     .forwarded = h->forwarded};
}

bool call_is_gone(struct call *c)
{
	return __atomic_load_n(&c->gone, __ATOMIC_ACQUIRE);
}

void call_stream(struct call *c, const struct stream_ops *ops, void *state)
{
	CHECK(c->route->runs == RUNS_STREAM && !c->stream);
	c->stream = ops;
	c->stream_state = state;
}
