/* See collect.h. */
#include "import_kit/collect.h"

#include <string.h>

enum { ARENA_MAX = 1 << 30 };

struct text_file {
	struct str rest;
	size_t chunk;
};

static bool keep_agent(void *ctx, size_t line, const struct agent_new *agent, struct str json)
{
	struct collected *c = ctx;
	struct collected_agent *kept = VEC_PUSH(&c->agents);

	*kept = (struct collected_agent){.line = line, .agent = *agent, .json = arena_str(c->arena, json)};
	json_own(&type_agent_new, c->arena, &kept->agent);
	return c->agents.n != c->most;
}

static bool keep_line(void *ctx, size_t line, bool refused, struct str text)
{
	struct collected *c = ctx;

	*VEC_PUSH(&c->told) = (struct collected_line){line, refused, arena_str(c->arena, text)};
	return true;
}

static size_t read_text(void *ctx, char *to, size_t n)
{
	struct text_file *f = ctx;

	n = n < f->chunk ? n : f->chunk;
	n = n < f->rest.n ? n : f->rest.n;
	if (n)
		memcpy(to, f->rest.p, n);
	f->rest.p += n;
	f->rest.n -= n;
	return n;
}

void collect_begin(struct collected *c, const struct agent_import_options *options)
{
	*c = (struct collected){.arena = arena_new(ARENA_MAX)};
	c->import = agent_import_new(options, &(struct agent_sink){keep_agent, keep_line, c});
}

void collect_file(struct collected *c, struct str text, size_t chunk)
{
	struct text_file file = {text, chunk};

	agent_import_file(c->import, read_text, &file);
}

void collect_details(struct collected *c, struct str text)
{
	struct text_file file = {text, SIZE_MAX};

	agent_import_details(c->import, read_text, &file);
}

void collect_end(struct collected *c)
{
	agent_import_destroy(&c->import);
	VEC_FREE(&c->agents);
	VEC_FREE(&c->told);
	arena_destroy(&c->arena);
}
