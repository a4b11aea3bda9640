/*
 * An import from its first file to its last, and the end of every entry: its handle, whether it has been there
 * before, whether the server's own table would take it.
 */
#include "import/agents_priv.h"

#include "base/magic.h"
#include "directory/agent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	ENTRY_ARENA_MAX = 64 << 20,
	KEPT_ARENA_MAX = 1 << 30,
	JSON_MAX = 4 << 20,
};

/* A handle that was handed out, and to what. */
struct seen {
	struct seen *same_hash;
	struct str handle;
	uint64_t identity;
};

struct agent_import *agent_import_new(const struct agent_import_options *options, const struct agent_sink *sink)
{
	struct agent_import *im = NEW(struct agent_import);

	im->options = *options;
	im->sink = *sink;
	im->input.bytes = must_alloc(INPUT_CHUNK);
	im->entry = BUF_INIT(IMPORT_ENTRY_MAX);
	im->json = BUF_INIT(JSON_MAX);
	im->arena = arena_new(ENTRY_ARENA_MAX);
	im->kept = arena_new(KEPT_ARENA_MAX);
	return im;
}

void agent_import_destroy(struct agent_import **im)
{
	if (!*im)
		return;
	map_free(&(*im)->handles);
	map_free(&(*im)->details);
	arena_destroy(&(*im)->arena);
	arena_destroy(&(*im)->kept);
	buf_free(&(*im)->entry);
	buf_free(&(*im)->json);
	free((*im)->input.bytes);
	free(*im);
	*im = NULL;
}

int64_t agent_import_repeated(const struct agent_import *im)
{
	return im->repeated;
}

static agent_format_fn *reader_of(enum agent_format format)
{
	switch (format) {
	case AGENTS_MCP_REGISTRY:
		return agents_read_mcp;
	case AGENTS_DEBIAN:
		return agents_read_debian;
	case AGENTS_A2A_CARD:
		return agents_read_cards;
	case AGENTS_JSONL:
		return agents_read_jsonl;
	case AGENTS_CSV:
		return agents_read_csv;
	}
	UNREACHABLE();
}

void agent_import_file(struct agent_import *im, import_read_fn *read, void *ctx)
{
	im->input.read = read;
	im->input.ctx = ctx;
	im->input.at = im->input.end = 0;
	im->input.line = 1;
	input_skip_mark(&im->input);
	if (!im->stopped)
		reader_of(im->options.format)(im);
}

void agent_import_details(struct agent_import *im, import_read_fn *read, void *ctx)
{
	im->details_only = true;
	agent_import_file(im, read, ctx);
	im->details_only = false;
}

void agent_begin(struct agent_import *im)
{
	buf_reset(&im->entry);
	arena_reset(im->arena);
}

/* ---- telling ---- */

static void tell(struct agent_import *im, size_t line, bool refused, struct str what)
{
	if (!im->stopped)
		im->stopped = !im->sink.told(im->sink.ctx, line, refused, what);
}

void agent_refuse(struct agent_import *im, size_t line, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	tell(im, line, true, str_of(text));
}

void agent_refuse_problem(struct agent_import *im, size_t line, const struct problem *p)
{
	/* Columns help to find a comma; a field's fault says where it is by its name. */
	if (p->err == ERR_MALFORMED && p->column)
		agent_refuse(im, line + (p->line ? (size_t)p->line - 1 : 0), "%s (column %d)", p->detail,
			     p->column);
	else
		agent_refuse(im, line, "%s", p->detail);
}

void agent_remark(struct agent_import *im, size_t line, struct str what)
{
	tell(im, line, false, what);
}

bool agent_entry_fits(struct agent_import *im, size_t line)
{
	if (!buf_ok(&im->entry))
		agent_refuse(im, line, "the entry is over %d bytes", IMPORT_ENTRY_MAX);
	return buf_ok(&im->entry);
}

/* ---- handles ---- */

static struct seen *find_seen(const struct agent_import *im, struct str handle)
{
	struct seen *s = map_get(&im->handles, str_hash(handle));

	while (s && !str_eq(s->handle, handle))
		s = s->same_hash;
	return s;
}

static bool remember(struct agent_import *im, struct str handle, uint64_t identity)
{
	struct seen *s = ARENA_NEW(im->kept, struct seen);

	if (!s)
		return false;
	s->handle = arena_str(im->kept, handle);
	s->identity = identity;
	if (!s->handle.p)
		return false;
	s->same_hash = map_put(&im->handles, str_hash(handle), s);
	return true;
}

/* Package lists overlap, and pages of a registry hold many versions; of a file that somebody wrote by hand an entry
 * that stands twice is a mistake. */
static bool may_repeat(const struct agent_import *im)
{
	return im->options.format == AGENTS_DEBIAN || im->options.format == AGENTS_MCP_REGISTRY ||
	       im->options.format == AGENTS_A2A_CARD;
}

/* The handle to use: made, marked when another thing has it; empty when there is none, and that is told. */
static struct str make_handle(struct agent_import *im, const struct agent_origin *o, struct handle_text *out)
{
	uint64_t identity = str_hash(o->identity);

	for (int marked = o->marked; marked <= 1; marked++) {
		const struct seen *other;

		import_handle(o->name, marked, o->identity, out);
		other = find_seen(im, str_of(out->text));
		if (!other)
			return str_of(out->text);
		if (other->identity == identity) {
			im->repeated += may_repeat(im);
			if (!may_repeat(im))
				agent_refuse(im, o->line, "an entry before has the same name; give both a handle");
			return (struct str){0};
		}
	}
	agent_refuse(im, o->line, "no handle is left for this name; give one");
	return (struct str){0};
}

static bool check_handle(struct agent_import *im, size_t line, struct str handle)
{
	struct problem p = {0};

	if (handle_check(handle, &p) != OK) {
		agent_refuse_problem(im, line, &p);
	} else if (find_seen(im, handle)) {
		agent_refuse(im, line, "handle: an entry before has '%.*s' too", STRF(handle));
	} else {
		return true;
	}
	return false;
}

/* ---- the end of an entry ---- */

/* As the server will read it: what its table refuses is refused here, or it would refuse a whole batch. */
static bool read_back(struct agent_import *im, size_t line, const struct agent_new *agent, struct agent_new *out)
{
	struct problem p = {0};

	buf_reset(&im->json);
	json_encode(&type_agent_new, agent, 0, &im->json);
	if (!buf_ok(&im->json))
		agent_refuse(im, line, "the agent is over %d bytes", JSON_MAX);
	else if (json_decode(&type_agent_new, buf_str(&im->json), 0, im->arena, out, &p) != OK)
		agent_refuse_problem(im, line, &p);
	else
		return true;
	return false;
}

void agent_give(struct agent_import *im, const struct agent_origin *o, struct agent_new *agent)
{
	struct handle_text made;
	struct agent_new checked;

	if (HAS(agent, agent_new, handle)) {
		if (!check_handle(im, o->line, agent->handle))
			return;
	} else {
		PUT(agent, agent_new, handle, make_handle(im, o, &made));
		if (!agent->handle.n)
			return;
	}
	if (!HAS(agent, agent_new, visibility) && im->options.says_visibility)
		PUT(agent, agent_new, visibility, (int)im->options.visibility);
	if (!read_back(im, o->line, agent, &checked))
		return;
	if (!remember(im, checked.handle, str_hash(o->identity)))
		agent_refuse(im, o->line, "there are too many entries for one import; split the file");
	else if (!im->stopped)
		im->stopped = !im->sink.agent(im->sink.ctx, o->line, &checked, buf_str(&im->json));
}

/* ---- members ---- */

static void put(struct agent_new *agent, uint32_t field, struct str text)
{
	memcpy((char *)agent + type_agent_new.fields[field].offset, &text, sizeof(text));
	agent->seen |= UINT64_C(1) << field;
}

void agent_put(struct agent_new *agent, uint32_t field, struct str text)
{
	text = str_trim(str_clip(str_trim(text), (size_t)type_agent_new.fields[field].max));
	if (text.n)
		put(agent, field, text);
}

static bool is_page(struct str url)
{
	struct str rest, scheme = str_cut(url, ':', &rest);

	return str_eq_nocase(scheme, STR("http")) || str_eq_nocase(scheme, STR("https"));
}

void agent_put_url(struct agent_new *agent, uint32_t field, struct str text)
{
	text = str_trim(text);
	if (text.n <= (size_t)type_agent_new.fields[field].max && agent_endpoint_check(text, NULL) == OK &&
	    (field == agent_new__endpoint || is_page(text)))
		put(agent, field, text);
}

/* Room for all a field takes is made with the first. */
static bool add_word(struct arena *a, uint32_t field, struct str word, struct str **v, size_t *count)
{
	const struct json_field *f = &type_agent_new.fields[field];

	word = str_trim(str_clip(str_trim(word), (size_t)f->max));
	if (!*v)
		*v = ARENA_ARRAY(a, struct str, f->max_count);
	if (!*v || word.n == 0 || *count == f->max_count)
		return false;
	for (size_t i = 0; i < *count; i++)
		if (str_eq((*v)[i], word))
			return false;
	(*v)[(*count)++] = word;
	return true;
}

void agent_add_tag(struct agent_import *im, struct agent_new *agent, struct str tag)
{
	if (add_word(im->arena, agent_new__tags, tag, &agent->tags, &agent->tags_count))
		PUT(agent, agent_new, tags, agent->tags);
}

void agent_add_capability(struct agent_import *im, struct agent_new *agent, struct str slug)
{
	if (add_word(im->arena, agent_new__capabilities, slug, &agent->capabilities, &agent->capabilities_count))
		PUT(agent, agent_new, capabilities, agent->capabilities);
}

void agent_add_protocol(struct agent_import *im, struct agent_new *agent, enum agent_protocol protocol)
{
	if (!agent->protocols)
		agent->protocols = ARENA_ARRAY(im->arena, int, (size_t)enum_agent_protocol.count);
	for (size_t i = 0; i < agent->protocols_count; i++)
		if (agent->protocols[i] == (int)protocol)
			return;
	if (agent->protocols) {
		agent->protocols[agent->protocols_count++] = (int)protocol;
		PUT(agent, agent_new, protocols, agent->protocols);
	}
}
