/*
 * Which account a spawn uses: a folder that Claude keeps its login in.
 *
 * role_accounts pins a role to one, or lets several take turns; those that quota.json calls limited, or that cool
 * down here, are passed over while there is another.
 */
#include "roles/resolve_priv.h"

static void use(struct question *k, const struct account *a, struct origin at, const char *who)
{
	struct str dir = a->config_dir, home = str_of(k->files->env(k->files, "HOME"));

	if (home.n && str_starts(dir, STR("~/")))
		dir = arena_fmt(k->arena, "%.*s/%.*s", STRF(home), (int)(dir.n - 2), dir.p + 2);
	k->out->account = a->handle;
	k->out->account_config_dir = dir;
	note(k, RULE_account, true, at, "%s: %.*s", who, STRF(a->handle));
}

static enum err unknown(struct question *k, const struct accounts *all, struct str handle, struct origin at,
			const char *who)
{
	struct guess g = guess_for(handle);

	for (size_t i = 0; i < all->n; i++)
		guess_offer(&g, all->v[i].handle);
	return resolve_refuse(k, ERR_INVALID, at,
			      "%s names the account \"%.*s\", which mayor/accounts.json does not have%s%.*s%s", who,
			      STRF(handle), g.nearest.n ? "; did you mean " : "", STRF(g.nearest),
			      g.nearest.n ? "?" : "");
}

static bool is_used_up(const struct question *k, const struct account *a)
{
	int64_t until_ms = k->state ? town_state_account_cooling_until(k->state, a->handle) : 0;

	return a->status != ACCOUNT_AVAILABLE || until_ms > k->files->now_ms(k->files);
}

static void warn_if_used_up(struct question *k, const struct account *a)
{
	if (is_used_up(k, a))
		warn(k, a->at, "account %.*s is used up%s%.*s", STRF(a->handle), a->resets_at.n ? " until " : "",
		     STRF(a->resets_at));
}

static enum err use_named(struct question *k, const struct accounts *all, struct str handle, struct origin at,
			  const char *who)
{
	const struct account *a = accounts_find(all, handle);

	if (!a)
		return unknown(k, all, handle, at, who);
	use(k, a, at, who);
	warn_if_used_up(k, a);
	return OK;
}

/* ---- role_accounts ---- */

static const struct account_choice *choice_in(const struct settings *s, struct str role)
{
	for (size_t i = s->account_count; i-- > 0;)
		if (str_eq(s->accounts[i].role, role) && s->accounts[i].handles.n)
			return &s->accounts[i];
	return NULL;
}

static const struct account_choice *choice(const struct question *k)
{
	const struct account_choice *c = choice_in(k->of_rig, k->q->role);

	if (!c)
		c = choice_in(k->of_rig, STR("*"));
	if (!c)
		c = choice_in(k->of_town, k->q->role);
	return c ? c : choice_in(k->of_town, STR("*"));
}

/* Turns are kept beside those of pools; a pool cannot be called so, because '/' is in no role. */
static uint64_t turn_of(struct question *k, const struct account_choice *c)
{
	struct str key = arena_fmt(k->arena, "accounts/%.*s/%.*s", STRF(k->q->rig), STRF(c->role));

	if (!k->state || c->handles.n < 2)
		return 0;
	return k->q->spawn ? town_state_turn(k->state, key) : town_state_next_turn(k->state, key);
}

static enum err use_choice(struct question *k, const struct accounts *all, const struct account_choice *c)
{
	size_t n = c->handles.n, first = (size_t)(turn_of(k, c) % n);

	for (size_t i = 0; i < n; i++) {
		struct str handle = c->handles.v[(first + i) % n];
		const struct account *a = accounts_find(all, handle);

		if (!a)
			return unknown(k, all, handle, c->at, "role_accounts");
		if (!is_used_up(k, a)) {
			use(k, a, c->at, "role_accounts");
			return OK;
		}
		note(k, RULE_account, false, a->at, "%.*s is used up", STRF(handle));
	}
	return use_named(k, all, c->handles.v[first], c->at, "role_accounts");
}

/* ---- in order ---- */

/* Without a file of accounts, Gas Town takes every name for none. */
static enum err without_file(struct question *k, struct str flag, struct str variable)
{
	if (flag.n && !k->q->compat)
		return resolve_refuse(k, ERR_INVALID, NOWHERE, "--account %.*s: there is no mayor/accounts.json",
				      STRF(flag));
	if (variable.n && !k->q->compat)
		warn(k, NOWHERE, "GT_ACCOUNT=%.*s does not count: there is no mayor/accounts.json", STRF(variable));
	note(k, RULE_account, false, NOWHERE, "no accounts");
	return OK;
}

static bool is_usable(struct question *k, const struct source *s)
{
	if (k->q->compat)
		return s->state == FILE_READ && !s->refused;
	if (s->fault && s->state != FILE_READ)
		warn(k, s->fault->at, "%.*s", STRF(s->fault->text));
	return s->state == FILE_READ || s->state == FILE_KEPT;
}

static enum err unknown_compat(struct question *k, struct str handle, const char *what)
{
	return resolve_refuse(k, ERR_INVALID, NOWHERE, "%s '%.*s' not found in accounts config", what,
			      STRF(handle));
}

static enum err decide_compat(struct question *k, const struct accounts *all, struct str flag, struct str variable)
{
	struct str handle = variable.n ? variable : flag.n ? flag : all->default_handle;
	const struct account *a = accounts_find(all, handle);

	if (a && handle.n)
		use(k, a, NOWHERE, variable.n ? "GT_ACCOUNT" : flag.n ? "--account" : "default");
	else if (variable.n || flag.n)
		return unknown_compat(k, handle, variable.n ? "GT_ACCOUNT" : "account");
	else
		note(k, RULE_account, false, NOWHERE, "no default account");
	return OK;
}

enum err decide_account(struct question *k)
{
	const struct accounts *all = town_accounts(k->town);
	const struct account_choice *c = choice(k);
	struct str flag = k->q->account, variable = str_of(k->files->env(k->files, "GT_ACCOUNT"));

	if (!is_usable(k, &all->source))
		return without_file(k, flag, variable);
	if (k->q->compat)
		return decide_compat(k, all, flag, variable);
	if (variable.n)
		return use_named(k, all, variable, NOWHERE, "GT_ACCOUNT");
	if (flag.n)
		return use_named(k, all, flag, NOWHERE, "--account");
	if (c)
		return use_choice(k, all, c);
	if (all->default_handle.n)
		return use_named(k, all, all->default_handle, all->default_at, "default");
	note(k, RULE_account, false, NOWHERE, "no default account");
	return OK;
}
