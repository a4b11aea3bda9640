/*
 * mayor/accounts.json, mayor/quota.json and the names in mayor/rigs.json.
 */
#include "roles/settings_priv.h"

#include <string.h>

/* ---- accounts ---- */

struct accounts_building {
	VEC(struct account) accounts;
	const struct node *version; /* as it was said last; NULL: not */
	struct accounts *out;
};

static const struct field account_fields[] = {
	{"email", WANT_TEXT, NULL, NULL, offsetof(struct account, email), false},
	{"description", WANT_TEXT, NULL, NULL, NOT_KEPT, false},
	{"config_dir", WANT_TEXT, NULL, NULL, offsetof(struct account, config_dir), false},
};
static const struct shape account_shape = {.fields = account_fields,
					   .count = sizeof(account_fields) / sizeof(account_fields[0])};

/* Of two with one name the last counts, and the first for nothing at all. */
static struct account *place_of_account(struct accounts_building *b, struct str handle)
{
	for (size_t i = 0; i < b->accounts.n; i++)
		if (str_eq(b->accounts.v[i].handle, handle))
			return &b->accounts.v[i];
	return VEC_PUSH(&b->accounts);
}

static void take_account(struct reading *r, const struct field *f, const struct node *n, void *out)
{
	struct accounts_building *b = out;
	struct account one;

	(void)f;
	if (!n) {
		b->accounts.n = 0;
		return;
	}
	one = (struct account){.handle = arena_str(r->arena, n->key), .at = shape_key_origin(r, n)};
	if (n->kind != NODE_NULL)
		shape_take(r, &account_shape, n, &one);
	*place_of_account(b, one.handle) = one;
}

static void take_default_account(struct reading *r, const struct field *f, const struct node *n, void *out)
{
	struct accounts_building *b = out;

	(void)f;
	b->out->default_handle = arena_str(r->arena, n->text);
	b->out->default_at = shape_origin(r, n);
}

static void take_accounts_version(struct reading *r, const struct field *f, const struct node *n, void *out)
{
	struct accounts_building *b = out;

	(void)r, (void)f;
	b->version = n;
}

static void look_at_version(struct reading *r, const struct node *n)
{
	int64_t version;

	if (!n || !str_to_i64(n->text, &version) || version <= 1)
		return;
	r->refused = true;
	shape_fault(r, shape_origin(r, n), SEVERITY_ERROR,
		    "version %lld is newer than 1, the newest that is known: Gas Town leaves the whole file out",
		    (long long)version);
}

/* What Gas Town refuses the file for, beyond types. */
static void look_at_accounts(struct reading *r, const struct accounts *a)
{
	for (size_t i = 0; i < a->n; i++)
		if (a->v[i].config_dir.n == 0) {
			r->refused = true;
			shape_fault(r, a->v[i].at, SEVERITY_ERROR, "account %.*s has no config_dir",
				    STRF(a->v[i].handle));
		}
	if (a->default_handle.n && a->n && !accounts_find(a, a->default_handle)) {
		r->refused = true;
		shape_fault(r, a->default_at, SEVERITY_ERROR,
			    "default names the account \"%.*s\", which is not there", STRF(a->default_handle));
	}
}

void accounts_read(struct reading *r, struct accounts *out)
{
	static const struct field fields[] = {{"version", WANT_INT, NULL, take_accounts_version, NOT_KEPT, false},
					      {"accounts", WANT_MAP, NULL, take_account, NOT_KEPT, false},
					      {"default", WANT_TEXT, NULL, take_default_account, NOT_KEPT, false}};
	static const struct shape shape = {.fields = fields, .count = sizeof(fields) / sizeof(fields[0])};
	struct accounts_building b = {.out = out};
	struct account *kept;

	shape_take(r, &shape, r->doc->root, &b);
	kept = ARENA_ARRAY(r->arena, struct account, b.accounts.n);
	if (kept && b.accounts.n)
		memcpy(kept, b.accounts.v, b.accounts.n * sizeof(*kept));
	out->v = kept;
	out->n = kept ? b.accounts.n : 0;
	VEC_FREE(&b.accounts);
	look_at_version(r, b.version);
	look_at_accounts(r, out);
}

const struct account *accounts_find(const struct accounts *a, struct str handle)
{
	for (size_t i = a->n; i-- > 0;)
		if (str_eq(a->v[i].handle, handle))
			return &a->v[i];
	return NULL;
}

/* ---- quota ---- */

static const char *const status_texts[] = {
	[ACCOUNT_AVAILABLE] = "available", [ACCOUNT_LIMITED] = "limited", [ACCOUNT_COOLDOWN] = "cooldown"};

static enum account_status status_of(struct reading *r, const struct node *entry)
{
	const struct node *n = node_member(entry, STR("status"));
	struct str word = n ? shape_text(r, n) : (struct str){0};

	for (unsigned i = 0; i < sizeof(status_texts) / sizeof(status_texts[0]); i++)
		if (str_eqz(word, status_texts[i]))
			return (enum account_status)i;
	if (word.n)
		shape_fault(r, shape_origin(r, n), SEVERITY_WARNING,
			    "%.*s must be available, limited or cooldown, and counts as available",
			    STRF(shape_path(r, n)));
	return ACCOUNT_AVAILABLE;
}

void quota_read(struct reading *r, struct quota *out)
{
	const struct node *accounts = node_member(r->doc->root, STR("accounts")), *resets;

	if (!shape_is(r, r->doc->root, WANT_OBJECT) || !accounts || accounts->kind == NODE_NULL ||
	    !shape_is(r, accounts, WANT_MAP))
		return;
	out->v = ARENA_ARRAY(r->arena, struct quota_line, accounts->count);
	for (const struct node *m = accounts->first; m && out->v; m = m->next) {
		if (m->kind == NODE_NULL || !shape_is(r, m, WANT_OBJECT))
			continue;
		resets = node_member(m, STR("resets_at"));
		out->v[out->n++] =
			(struct quota_line){.handle = arena_str(r->arena, m->key),
					    .resets_at = resets ? shape_text(r, resets) : (struct str){0},
					    .status = status_of(r, m)};
	}
}

/* ---- rigs ---- */

void rig_names_read(struct reading *r, struct texts *out)
{
	const struct node *rigs = node_member(r->doc->root, STR("rigs"));

	if (!shape_is(r, r->doc->root, WANT_OBJECT) || !rigs || rigs->kind == NODE_NULL ||
	    !shape_is(r, rigs, WANT_MAP))
		return;
	out->v = ARENA_ARRAY(r->arena, struct str, rigs->count);
	for (const struct node *m = rigs->first; m && out->v; m = m->next)
		out->v[out->n++] = arena_str(r->arena, m->key);
}
