/*
 * Replies out of hiredis' reader into an arena. What does not fit makes the reader fail, so that what a Redis
 * claims costs no more memory than the caller has set aside.
 */
#include "redis/redis_priv.h"

#include "base/magic.h"

/* Where the next value goes: its place in the array around it, or one of its own. */
static struct redis_reply *place(const redisReadTask *t)
{
	struct redis_builder *b = t->privdata;
	struct redis_reply *around = t->parent ? t->parent->obj : NULL;

	return around ? &around->items[t->idx] : ARENA_NEW(b->arena, struct redis_reply);
}

static void *create_string(const redisReadTask *t, char *bytes, size_t n)
{
	struct redis_builder *b = t->privdata;
	struct redis_reply *r = place(t);

	if (!r)
		return NULL;
	r->kind = t->type == REDIS_REPLY_ERROR ? REDIS_ERROR : REDIS_TEXT;
	r->text = arena_str(b->arena, (struct str){bytes, n});
	return r->text.p ? r : NULL;
}

static void *create_array(const redisReadTask *t, int count)
{
	struct redis_builder *b = t->privdata;
	struct redis_reply *r = place(t);

	if (!r)
		return NULL;
	r->kind = REDIS_ARRAY;
	r->count = (size_t)count;
	r->items = ARENA_ARRAY(b->arena, struct redis_reply, r->count);
	return r->items || count == 0 ? r : NULL;
}

static void *create_integer(const redisReadTask *t, long long v)
{
	struct redis_reply *r = place(t);

	if (r) {
		r->kind = REDIS_INTEGER;
		r->integer = v;
	}
	return r;
}

static void *create_nil(const redisReadTask *t)
{
	struct redis_reply *r = place(t);

	if (r)
		r->kind = REDIS_NIL;
	return r;
}

static void free_nothing(void *object)
{
	(void)object; /* the arena has it */
}

redisReader *redis_reader_new(struct redis_builder *b)
{
	/* Never changed: hiredis takes no const. */
	static redisReplyObjectFunctions functions = {create_string, create_array, create_integer, create_nil,
						      free_nothing};
	redisReader *r = redisReaderCreateWithFunctions(&functions);

	CHECK(r != NULL);
	r->privdata = b;
	return r;
}

bool redis_reply_is_unwell(const struct redis_reply *r)
{
	static const char *const codes[] = {"LOADING ",     "READONLY ", "MASTERDOWN ",
					    "CLUSTERDOWN ", "NOAUTH ",   "BUSY "};

	for (size_t i = 0; r->kind == REDIS_ERROR && i < sizeof(codes) / sizeof(codes[0]); i++)
		if (str_starts(r->text, str_of(codes[i])))
			return true;
	return false;
}

bool redis_reply_is_noscript(const struct redis_reply *r)
{
	return r->kind == REDIS_ERROR && str_starts(r->text, STR("NOSCRIPT"));
}
