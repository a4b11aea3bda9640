/*
 * Package lists of a Debian machine as tools: apt's Packages files and dpkg's status file. Packages files have tags,
 * but of descriptions only the first line and the MD5 sum; the whole stands in apt's Translation files, by that sum,
 * and in the status file, when the package is installed. So these are read before, for the descriptions alone.
 *
 * Every package is called deb-NAME, so that the handles its name would make stay free. Of one that stands in several
 * lists the first counts.
 */
#include "import/agents_priv.h"
#include "import/control_priv.h"

#include <string.h>

enum { WORD_MAX = 256 };

enum package_field {
	PACKAGE,
	STATUS,
	VERSION,
	ARCHITECTURE,
	SECTION,
	TAG,
	HOMEPAGE,
	MAINTAINER,
	SOURCE,
	DESCRIPTION,
	DESCRIPTION_SUM,
	DESCRIPTION_EN,
	FIELD_COUNT,
};

static const char *const field_names[FIELD_COUNT] = {
	[PACKAGE] = "Package",
	[STATUS] = "Status",
	[VERSION] = "Version",
	[ARCHITECTURE] = "Architecture",
	[SECTION] = "Section",
	[TAG] = "Tag",
	[HOMEPAGE] = "Homepage",
	[MAINTAINER] = "Maintainer",
	[SOURCE] = "Source",
	[DESCRIPTION] = "Description",
	[DESCRIPTION_SUM] = "Description-md5",
	[DESCRIPTION_EN] = "Description-en",
};

/* A whole description. Its key is its sum, or the name of its package, which nobody mistakes for a sum. */
struct detail {
	struct detail *same_hash;
	struct str key, description;
};

/* ---- descriptions ---- */

static const struct detail *find_detail(const struct agent_import *im, struct str key)
{
	const struct detail *d = map_get(&im->details, str_hash(key));

	while (d && !str_eq(d->key, key))
		d = d->same_hash;
	return d;
}

/* Without room for more, packages are found by their short descriptions. */
static void keep_detail(struct agent_import *im, struct str key, struct str description)
{
	struct detail *d;

	if (key.n == 0 || description.n == 0 || find_detail(im, key))
		return;
	d = ARENA_NEW(im->kept, struct detail);
	if (!d)
		return;
	d->key = arena_str(im->kept, key);
	d->description = arena_str(im->kept, description);
	if (d->key.p && d->description.p)
		d->same_hash = map_put(&im->details, str_hash(key), d);
}

/* That of the sum; else what the package is called at length on this machine, when it begins with the same words. */
static struct str whole_description(const struct agent_import *im, const struct stanza *s)
{
	const struct detail *d = find_detail(im, str_trim(s->fields[DESCRIPTION_SUM]));
	struct str own = s->fields[DESCRIPTION];

	if (!d)
		d = find_detail(im, str_trim(s->fields[PACKAGE]));
	if (!d || !str_eq(control_synopsis(d->description), control_synopsis(own)))
		return own;
	return d->description;
}

/* The synopsis, a blank line, and what is below it. */
static struct str description(struct agent_import *im, const struct stanza *s)
{
	struct str whole = whole_description(im, s);
	struct str short_one = control_synopsis(whole), details = control_details(whole, im->arena);

	return details.n ? arena_fmt(im->arena, "%.*s\n\n%.*s", STRF(short_one), STRF(details)) : short_one;
}

/* ---- members ---- */

/* "non-free/games": the part of the archive is no word to find it by. */
static struct str without_area(struct str section)
{
	struct str rest, first = str_cut(str_trim(section), '/', &rest);

	return rest.p ? rest : first;
}

static void add_tags(struct agent_import *im, struct agent_new *agent, const struct stanza *s)
{
	struct str rest = s->fields[TAG];

	agent_add_tag(im, agent, without_area(s->fields[SECTION]));
	while (rest.n)
		agent_add_tag(im, agent, str_cut(rest, ',', &rest));
}

static void add_member(struct buf *b, const char *name, struct str value)
{
	value = str_clip(str_trim(value), WORD_MAX);
	if (value.n == 0)
		return;
	buf_fmt(b, "%s\"%s\":", b->p[b->n - 1] == '{' ? "" : ",", name);
	buf_json_text(b, value);
}

static struct str metadata(struct agent_import *im, const struct stanza *s)
{
	struct buf b = BUF_INIT(0);
	struct str json;

	buf_z(&b, "{\"debian\":{");
	add_member(&b, "package", s->fields[PACKAGE]);
	add_member(&b, "version", s->fields[VERSION]);
	add_member(&b, "architecture", s->fields[ARCHITECTURE]);
	add_member(&b, "source", s->fields[SOURCE]);
	add_member(&b, "maintainer", s->fields[MAINTAINER]);
	buf_z(&b, "}}");
	json = arena_str(im->arena, buf_str(&b));
	buf_free(&b);
	return json;
}

static void give_package(struct agent_import *im, const struct stanza *s, struct str name)
{
	struct agent_new agent = {0};
	const struct agent_origin origin = {
		.line = s->line,
		.name = arena_fmt(im->arena, "deb-%.*s", STRF(str_clip(name, WORD_MAX))),
		.identity = arena_fmt(im->arena, "debian %.*s", STRF(str_clip(name, WORD_MAX))),
	};

	agent_put(&agent, agent_new__name, name);
	PUT(&agent, agent_new, type, AGENT_TOOL);
	agent_put(&agent, agent_new__description, description(im, s));
	agent_put_url(&agent, agent_new__homepage, s->fields[HOMEPAGE]);
	PUT(&agent, agent_new, metadata, metadata(im, s));
	add_tags(im, &agent, s);
	agent_give(im, &origin, &agent);
}

static void take_stanza(struct agent_import *im, const struct stanza *s)
{
	struct str name = str_trim(s->fields[PACKAGE]);

	if (!s->line || (s->fields[STATUS].p && !control_is_installed(s->fields[STATUS])))
		return;
	if (name.n == 0 && !im->details_only)
		agent_refuse(im, s->line, "an entry without Package");
	else if (s->fields[DESCRIPTION_EN].p && !s->fields[DESCRIPTION].p)
		keep_detail(im, str_trim(s->fields[DESCRIPTION_SUM]), s->fields[DESCRIPTION_EN]);
	else if (im->details_only)
		keep_detail(im, name, s->fields[DESCRIPTION]);
	else
		give_package(im, s, name);
}

/* ---- the file ---- */

static void on_remark(void *ctx, size_t line, struct str what)
{
	const struct agent_import *im = ctx;

	if (!im->details_only)
		agent_remark(ctx, line, what);
}

/* Lines up to an empty one; false after the last. */
static bool read_stanza(struct agent_import *im)
{
	int first;

	do {
		first = input_peek(&im->input);
		if (!input_line(&im->input, &im->entry))
			return im->entry.n > 0;
	} while (first != '\n' && first != '\r');
	return true;
}

void agents_read_debian(struct agent_import *im)
{
	const struct control control = {field_names, FIELD_COUNT, im->arena, on_remark, im};

	while (!im->stopped) {
		size_t first = im->input.line, line = first - 1;
		struct stanza s;
		struct str text;
		bool fits;

		agent_begin(im);
		if (!read_stanza(im))
			return;
		text = buf_str(&im->entry);
		fits = agent_entry_fits(im, first);
		/* More than one where a line of mere spaces stands between. */
		while (fits && control_next(&control, &text, &line, &s))
			take_stanza(im, &s);
	}
}
