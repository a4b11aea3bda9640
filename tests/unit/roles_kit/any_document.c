/* One style a document, and now and then a departure from it, as in files that several people have edited. */
#include "roles_kit/any_document.h"

#include "base/buf.h"

struct style {
	struct rng *r;
	const char *line, *indent, *colon, *comma; /* comma: on one line */
	unsigned one_line;                         /* one in so many objects stands on one line */
};

/* A name decoded and as it may be written. */
static const struct {
	const char *name, *written;
} names[] = {
	{"role_agents", "role_agents"},
	{"role_agents", "role_agents"},
	{"role_agents", "Role_Agents"},
	{"role_agents", "role\\u005fagents"},
	{"agents", "agents"},
	{"agents", "agents"},
	{"witness", "witness"},
	{"witness", "Witness"},
	{"polecat", "polecat"},
	{"mayor", "mayor"},
	{"rigs", "rigs"},
	{"rigs", "rig\xc5\xbf"},
	{"alpha", "alpha"},
	{"default_agent", "default_agent"},
	{"_comment", "_comment"},
	{"a\"b\\", "a\\\"b\\\\"},
	{"", ""},
	{"\xe2\x84\xaa", "\xe2\x84\xaa"},
	{"\xf0\x9f\x90\x9c", "\\ud83d\\udc1c"},
	{"caf\xc3\xa9", "caf\xc3\xa9"},
};
enum { NAMES = sizeof(names) / sizeof(names[0]) };

static const char *const scalars[] = {"null",
				      "true",
				      "false",
				      "0",
				      "-1.5e3",
				      "12",
				      "\"claude\"",
				      "\"\"",
				      "\"a, b\"",
				      "\"{\\\"x\\\": [1]}\"",
				      "\"\\u00e9\\ud83d\\ude00\"",
				      "\"caf\xc3\xa9\"",
				      "\"}\"",
				      "\"\\\\\"",
				      "[]",
				      "{}",
				      "[ ]",
				      "{ }"};

static bool chance(struct rng *r, unsigned one_in)
{
	return rng_below(r, one_in) == 0;
}

struct str any_name(struct rng *r)
{
	return str_of(names[rng_below(r, NAMES)].name);
}

static void put_break(struct style *s, unsigned depth, struct buf *b)
{
	if (chance(s->r, 20))
		buf_z(b, s->line);
	buf_z(b, s->line);
	while (depth--)
		buf_z(b, s->indent);
	if (chance(s->r, 40))
		buf_c(b, ' ');
}

static void put_value(struct style *s, unsigned depth, bool inside_line, struct buf *b);

static void put_children(struct style *s, unsigned depth, bool object, bool one_line, struct buf *b)
{
	unsigned count = 1 + (unsigned)rng_below(s->r, 5);

	for (unsigned i = 0; i < count; i++) {
		if (i)
			buf_z(b, one_line ? s->comma : ",");
		if (!one_line)
			put_break(s, depth + 1, b);
		if (object)
			buf_fmt(b, "\"%s\"%s%s", names[rng_below(s->r, NAMES)].written, s->colon,
				chance(s->r, 30) ? "\t" : "");
		put_value(s, depth + 1, one_line, b);
		if (chance(s->r, 40))
			buf_c(b, ' ');
	}
}

static void put_container(struct style *s, unsigned depth, bool object, bool inside_line, struct buf *b)
{
	bool one_line = inside_line || chance(s->r, s->one_line), padded = one_line && chance(s->r, 3);

	buf_z(b, object ? "{" : "[");
	buf_z(b, padded ? " " : "");
	put_children(s, depth, object, one_line, b);
	buf_z(b, padded ? " " : "");
	if (!one_line)
		put_break(s, depth, b);
	buf_z(b, object ? "}" : "]");
}

static void put_value(struct style *s, unsigned depth, bool inside_line, struct buf *b)
{
	uint64_t kind = depth < 4 ? rng_below(s->r, 6) : 5;

	if (kind < 3)
		put_container(s, depth, kind > 0, inside_line, b);
	else
		buf_z(b, scalars[rng_below(s->r, sizeof(scalars) / sizeof(scalars[0]))]);
}

struct str any_document(struct rng *r, struct arena *a)
{
	static const char *const lines[] = {"\n", "\n", "\r\n"}, *const indents[] = {"  ", "    ", "\t", " ", ""};
	static const char *const colons[] = {": ", ": ", ":", " : "}, *const commas[] = {", ", ",", " , "};
	struct style s = {.r = r,
			  .line = lines[rng_below(r, 3)],
			  .indent = indents[rng_below(r, 5)],
			  .colon = colons[rng_below(r, 4)],
			  .comma = commas[rng_below(r, 3)],
			  .one_line = 1 + (unsigned)rng_below(r, 8)};
	struct buf b = BUF_INIT(0);
	struct str text;

	if (chance(r, 8))
		put_break(&s, 0, &b);
	if (chance(r, 20))
		buf_z(&b, "{}");
	else
		put_container(&s, 0, true, false, &b);
	if (!chance(r, 3))
		buf_z(&b, s.line);
	text = arena_str(a, buf_str(&b));
	buf_free(&b);
	return text;
}
