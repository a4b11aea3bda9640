/* Reads as much of the two formats as it needs; the importers of the program are somebody else's business. */
#include "corpus.h"

#include "base/map.h"

#include <stdio.h>

static const struct search_field fields[CORPUS_FIELDS] = {
	{"name", 4, 0.3, 4, true},
	{"tags", 1.5, 0.5, 6, false},
	{"description", 1, 0.6, 10, false},
};

static const char *const dimensions[CORPUS_DIMENSIONS] = {"section", "priority"};

const struct search_config corpus_config = {
	.fields = fields,
	.field_count = CORPUS_FIELDS,
	.dimensions = dimensions,
	.dimension_count = CORPUS_DIMENSIONS,
};

static void slurp(struct corpus *c, FILE *f)
{
	char block[1 << 16];
	size_t n;

	while ((n = fread(block, 1, sizeof(block), f)) > 0)
		for (size_t i = 0; i < n; i++)
			*VEC_PUSH(&c->bytes) = block[i];
}

void corpus_free(struct corpus *c)
{
	VEC_FREE(&c->docs);
	VEC_FREE(&c->bytes);
}

/* ---- Debian ---- */

static bool take_field(struct str line, const char *key, struct str *out)
{
	struct str k = str_of(key);

	if (!str_starts(line, k))
		return false;
	*out = str_trim((struct str){line.p + k.n, line.n - k.n});
	return true;
}

static struct str paragraph(struct str text, struct corpus_doc *d)
{
	bool in_tags = false;

	while (text.p) {
		struct str line = str_cut(text, '\n', &text);

		if (!line.n)
			break;
		if (in_tags && line.p[0] == ' ') { /* goes on: up to the end of this line */
			d->tags.n = (size_t)(line.p + line.n - d->tags.p);
			continue;
		}
		in_tags = take_field(line, "Tag:", &d->tags);
		if (!in_tags && !take_field(line, "Package:", &d->name) &&
		    !take_field(line, "Description:", &d->description) &&
		    !take_field(line, "Section:", &d->section))
			take_field(line, "Priority:", &d->priority);
	}
	return text;
}

bool corpus_debian(struct corpus *c)
{
	FILE *f = popen("apt-cache dumpavail 2>/dev/null", "r");
	struct map seen = {0};
	struct str rest;

	if (!f)
		return false;
	slurp(c, f);
	pclose(f);
	rest = (struct str){c->bytes.v, c->bytes.n};
	while (rest.p) {
		struct corpus_doc d = {0};

		rest = paragraph(rest, &d);
		if (d.name.n && d.description.n && !map_put(&seen, str_hash(d.name), c))
			*VEC_PUSH(&c->docs) = d;
	}
	map_free(&seen);
	return c->docs.n > 10000; /* less is a machine that never fetched its lists */
}

/* ---- the registry of MCP servers ---- */

static bool take_json(struct str line, const char *key, struct str *out)
{
	if (!take_field(line, key, out) || out->n < 2)
		return false;
	if (out->p[out->n - 1] == ',')
		out->n--;
	*out = (struct str){out->p + 1, out->n - 2};
	return true;
}

/* The file is laid out with two spaces a level: what belongs to a server itself has four. */
bool corpus_mcp(struct corpus *c, const char *path)
{
	FILE *f = fopen(path, "r");
	struct corpus_doc d = {0};
	struct str rest;

	if (!f)
		return false;
	slurp(c, f);
	fclose(f);
	rest = (struct str){c->bytes.v, c->bytes.n};
	while (rest.p) {
		struct str line = str_cut(rest, '\n', &rest);

		take_json(line, "    \"name\":", &d.name);
		if (take_json(line, "    \"description\":", &d.description))
			*VEC_PUSH(&c->docs) = d;
	}
	return c->docs.n > 0;
}

void corpus_put(struct search *s, const struct corpus_doc *d, int64_t id)
{
	struct str texts[CORPUS_FIELDS] = {d->name, d->tags, d->description};
	struct search_value values[] = {{0, d->section}, {1, d->priority}};
	struct search_doc doc = {.id = id, .texts = texts, .values = values, .value_count = 2};

	CHECK(search_put(s, &doc) == OK);
}
