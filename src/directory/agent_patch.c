/*
 * What a caller gives of an agent, on its way into a row: each member checked, null taking a value away. A new
 * agent is a patch of an empty row.
 */
#include "directory/agent.h"

#include "directory/handle.h"

enum { METADATA_MAX = 16384 };

/* ---- checks ---- */

static bool is_scheme(struct str scheme, const char *const *allowed)
{
	for (; *allowed; allowed++)
		if (str_eq_nocase(scheme, str_of(*allowed)))
			return true;
	return false;
}

static bool is_printable(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 0x7f)
			return false;
	return true;
}

/* A scheme of the list, and a host; what follows is the server's business that answers there. */
static bool is_url(struct str url, const char *const *schemes)
{
	struct str rest;
	struct str scheme = str_cut(url, ':', &rest);
	if (!is_scheme(scheme, schemes) || !str_starts(rest, STR("//")) || !is_printable(url))
		return false;
	rest = (struct str){rest.p + 2, rest.n - 2};
	return rest.n > 0 && rest.p[0] != '/' && rest.p[0] != ':' && rest.p[0] != '?' && rest.p[0] != '#';
}

static enum err check_endpoint(struct str url, const char *field, struct problem *p)
{
	static const char *const schemes[] = {"http", "https", "ws", "wss", "grpc", "grpcs", NULL};
	if (is_url(url, schemes))
		return OK;
	return problem_field(p, ERR_INVALID, field,
			     "must be an http, https, ws, wss, grpc or grpcs URL with a host");
}

static enum err check_page(struct str url, const char *field, struct problem *p)
{
	static const char *const schemes[] = {"http", "https", NULL};
	return is_url(url, schemes)
		       ? OK
		       : problem_field(p, ERR_INVALID, field, "must be an http or https URL with a host");
}

enum err agent_endpoint_check(struct str url, struct problem *p)
{
	return check_endpoint(url, "endpoint", p);
}

/* It is JSON already. */
static enum err check_card(struct str card, struct problem *p)
{
	if (str_starts(str_trim(card), STR("{")))
		return OK;
	return problem_field(p, ERR_INVALID, "card", "must be an object: an A2A agent card");
}

static bool stands_before(const struct str *tags, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(tags[i], tags[n]))
			return true;
	return false;
}

/* A JSON array of the tags, each once. */
static enum err tags_json(const struct str *tags, size_t n, struct arena *a, struct problem *p, struct str *out)
{
	struct buf b = BUF_INIT(0);
	buf_c(&b, '[');
	for (size_t i = 0; i < n; i++) {
		if (str_trim(tags[i]).n == 0) {
			buf_free(&b);
			return problem_field(p, ERR_INVALID, "tags", "a tag may not be empty");
		}
		if (stands_before(tags, i))
			continue;
		if (b.n > 1)
			buf_c(&b, ',');
		buf_json_text(&b, tags[i]);
	}
	buf_c(&b, ']');
	*out = arena_str(a, buf_str(&b));
	buf_free(&b);
	return OK;
}

/* ---- members ---- */

/* What stands there from now on: what is given, nothing for null, else what stood there. */
#define PATCHED(patch, member, was)                              \
	(HAS(patch, agent_patch, member)       ? (patch)->member \
	 : IS_NULL(patch, agent_patch, member) ? (struct str){0} \
					       : (was))

static enum err patch_urls(struct agent_full_row *row, const struct agent_patch *patch, struct problem *p)
{
	enum err err = OK;
	if (HAS(patch, agent_patch, endpoint))
		err = check_endpoint(patch->endpoint, "endpoint", p);
	if (!err && HAS(patch, agent_patch, homepage))
		err = check_page(patch->homepage, "homepage", p);
	if (!err && HAS(patch, agent_patch, avatar))
		err = check_page(patch->avatar, "avatar", p);
	row->endpoint = PATCHED(patch, endpoint, row->endpoint);
	row->homepage = PATCHED(patch, homepage, row->homepage);
	row->avatar = PATCHED(patch, avatar, row->avatar);
	return err;
}

static enum err patch_names(struct agent_full_row *row, const struct agent_patch *patch, struct problem *p)
{
	enum err err = OK;
	if (HAS(patch, agent_patch, handle)) {
		err = handle_check(patch->handle, p);
		row->handle = patch->handle;
	}
	if (HAS(patch, agent_patch, name)) {
		if (!err && str_trim(patch->name).n == 0)
			err = problem_field(p, ERR_INVALID, "name", "must hold more than white space");
		row->name = patch->name;
	}
	row->description = PATCHED(patch, description, row->description);
	row->operator= PATCHED(patch, operator, row->operator);
	return err;
}

static void patch_enums(struct agent_full_row *row, const struct agent_patch *patch)
{
	if (HAS(patch, agent_patch, type))
		row->type = patch->type;
	if (HAS(patch, agent_patch, visibility))
		row->visibility = patch->visibility;
	if (IS_NULL(patch, agent_patch, protocols))
		row->protocols = 0;
	if (!HAS(patch, agent_patch, protocols))
		return;
	row->protocols = 0;
	for (size_t i = 0; i < patch->protocols_count; i++)
		row->protocols |= INT64_C(1) << patch->protocols[i];
}

static enum err patch_tags(struct agent_full_row *row, const struct agent_patch *patch, struct arena *a,
			   struct problem *p)
{
	if (IS_NULL(patch, agent_patch, tags))
		row->tags = STR("[]");
	if (!HAS(patch, agent_patch, tags))
		return OK;
	return tags_json(patch->tags, patch->tags_count, a, p, &row->tags);
}

enum err agent_row_patch(struct agent_full_row *row, const struct agent_patch *patch, struct arena *a,
			 struct problem *p)
{
	enum err err = patch_names(row, patch, p);
	if (!err)
		err = patch_urls(row, patch, p);
	if (!err)
		err = patch_tags(row, patch, a, p);
	if (!err && HAS(patch, agent_patch, card))
		err = check_card(patch->card, p);
	row->metadata = PATCHED(patch, metadata, row->metadata);
	patch_enums(row, patch);
	return err;
}

enum err agent_merge_metadata(const struct agent_full_row *row, struct agent_patch *patch, struct arena *a,
			      struct problem *p)
{
	if (!HAS(patch, agent_patch, metadata))
		return OK;
	struct buf b = BUF_INIT(0);
	enum err err = json_merge(row->metadata, patch->metadata, a, &b);
	patch->metadata = arena_str(a, buf_str(&b));
	buf_free(&b);
	if (!err && patch->metadata.n > METADATA_MAX)
		return problem_field(p, ERR_INVALID, "metadata", "would be over %d bytes", METADATA_MAX);
	return err;
}

/* ---- a new one ---- */

#define GIVEN(member)                                              \
	do {                                                       \
		if (HAS(in, agent_new, member))                    \
			PUT(out, agent_patch, member, in->member); \
	} while (0)

void agent_patch_of(const struct agent_new *in, struct agent_patch *out)
{
	*out = (struct agent_patch){.protocols_count = in->protocols_count, .tags_count = in->tags_count};
	PUT(out, agent_patch, handle, in->handle);
	PUT(out, agent_patch, name, in->name);
	GIVEN(type);
	GIVEN(description);
	GIVEN(endpoint);
	GIVEN(protocols);
	GIVEN(tags);
	GIVEN(homepage);
	GIVEN(avatar);
	GIVEN(operator);
	GIVEN(visibility);
	GIVEN(metadata);
	GIVEN(card);
}
