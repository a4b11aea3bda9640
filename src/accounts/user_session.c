/* See user_session.h. */
#include "accounts/user_session.h"

#include "access/token.h"
#include "store/page.h"

enum err user_session_begin(struct user_accounts *a, struct call *c, int64_t id, const struct user_row *user,
			    int64_t tenant, struct str client, struct sign_in_row *out)
{
	*out = (struct sign_in_row){.id = id,
				    .user_id = user->id,
				    .tenant = tenant,
				    .client = client.p ? client : STR(""),
				    .address = c->address,
				    .created_ms = c->now_ms,
				    .refreshed_ms = c->now_ms,
				    .expires_ms = c->now_ms + a->config.session_ms};
	return q_sign_in_insert(c->db, out, 1);
}

enum err user_session_token(struct user_accounts *a, struct call *c, int64_t id, const struct sign_in_row *session,
			    struct str *text, int64_t *expires_ms)
{
	char token[TOKEN_TEXT];
	unsigned char hash[TOKEN_HASH_BYTES];
	int64_t idle_ms = c->now_ms + a->config.refresh_ms;
	token_new(TOKEN_REFRESH, token);
	token_hash(str_of(token), hash);
	*text = arena_str(c->arena, str_of(token));
	*expires_ms = idle_ms < session->expires_ms ? idle_ms : session->expires_ms;
	struct refresh_token_row row = {.id = id,
					.sign_in = session->id,
					.hash = {(const char *)hash, sizeof hash},
					.expires_ms = *expires_ms};
	return text->p ? q_refresh_token_insert(c->db, &row, 1) : ERR_INTERNAL;
}

/* ---- use ---- */

static enum err refuse(struct call *c, const char *why)
{
	return call_fail(c, ERR_UNAUTHENTICATED, "%s; sign in again", why);
}

/* The token's row, and whether it was used before. */
static enum err take_token(struct call *c, struct str text, struct refresh_token_row *row, bool *used)
{
	unsigned char hash[TOKEN_HASH_BYTES];
	enum token_kind kind = token_kind_of(text);
	if (kind != TOKEN_REFRESH)
		return call_fail(c, ERR_UNAUTHENTICATED, "this is %s and no refresh token; send the refresh token",
				 token_kind_name(kind));
	token_hash(text, hash);
	struct str bytes = {(const char *)hash, sizeof hash};
	enum err err = q_refresh_token_use(c->db, &(struct refresh_token_use_in){bytes, c->now_ms}, c->arena, row);
	*used = err == ERR_NOT_FOUND;
	if (*used)
		err = q_refresh_token_of_hash(c->db, &(struct refresh_token_of_hash_in){bytes}, c->arena, row);
	return err == ERR_NOT_FOUND ? refuse(c, "the server does not know this refresh token") : err;
}

/* Held, it is read again: it may have ended just now. */
static enum err hold_session(struct call *c, int64_t id, struct sign_in_row *session, struct user_row *user)
{
	enum err err = q_sign_in_get(c->db, &(struct id_row){id}, c->arena, session);
	if (!err)
		err = q_user_hold(c->db, &(struct id_row){session->user_id}, c->arena, user);
	if (!err)
		err = q_sign_in_get(c->db, &(struct id_row){id}, c->arena, session);
	return err == ERR_NOT_FOUND ? refuse(c, "the session of this refresh token is no more") : err;
}

enum err user_session_use(struct call *c, struct str token, struct sign_in_row *session, struct user_row *user,
			  bool *replayed)
{
	struct refresh_token_row row;
	bool used = false;
	*replayed = false;
	enum err err = take_token(c, token, &row, &used);
	if (!err)
		err = hold_session(c, row.sign_in, session, user);
	if (err)
		return err;
	if (session->ended_ms)
		return refuse(c, "the session of this refresh token was ended");
	if (session->expires_ms <= c->now_ms)
		return refuse(c, "the session of this refresh token is over, as it is after some time");
	*replayed = used;
	if (used)
		return refuse(
			c,
			"this refresh token was used before: somebody else may have it, so its session was ended");
	return row.expires_ms <= c->now_ms ? refuse(c, "this refresh token has expired") : OK;
}

enum err user_session_refreshed(struct call *c, const struct sign_in_row *session, int64_t tenant)
{
	struct sign_in_refreshed_in in = {session->id, tenant, c->address, c->now_ms};
	return q_sign_in_refreshed(c->db, &in);
}

/* ---- the end ---- */

enum err user_session_end(struct call *c, int64_t user, int64_t id)
{
	struct id_row ended;
	struct user_row row;
	enum err err = q_user_hold(c->db, &(struct id_row){user}, c->arena, &row);
	return err ? err : q_sign_in_end(c->db, &(struct sign_in_end_in){id, user, c->now_ms}, c->arena, &ended);
}

enum err user_session_end_others(struct call *c, int64_t user, int64_t keep)
{
	struct user_row row;
	enum err err = q_user_hold(c->db, &(struct id_row){user}, c->arena, &row);
	return err ? err : q_sign_in_end_others(c->db, &(struct sign_in_end_others_in){user, keep, c->now_ms});
}

/* ---- the list ---- */

struct listing {
	struct call *c;
	struct account_session_list_out *out;
};

static enum err read_page(void *ctx, int64_t below, int64_t visit, db_row_fn *each, void *each_ctx)
{
	const struct listing *l = ctx;
	return q_sign_in_page(l->c->db, &(struct sign_in_page_in){l->c->caller.user, below, visit}, each, each_ctx);
}

static bool keep(void *ctx, const void *found)
{
	struct listing *l = ctx;
	const struct sign_in_row *row = found;
	if (row->ended_ms || row->expires_ms <= l->c->now_ms)
		return false;
	l->out->items[l->out->items_count++] =
		(struct account_session){.id = row->id,
					 .current = row->id == l->c->caller.sign_in,
					 .tenant = row->tenant,
					 .client = arena_str(l->c->arena, row->client),
					 .address = arena_str(l->c->arena, row->address),
					 .created_at = row->created_ms,
					 .refreshed_at = row->refreshed_ms,
					 .expires_at = row->expires_ms};
	return true;
}

enum err user_session_list(struct call *c, const struct account_session_list_in *in,
			   struct account_session_list_out *out)
{
	struct listing l = {c, out};
	struct page_end end;
	out->items = ARENA_ARRAY(c->arena, struct account_session, PAGE_ROOM(in));
	enum err err = page_take(&(struct page_source){read_page, keep, &l}, PAGE_WANT(in, account_session_list_in),
				 c->arena, &c->problem, &end);
	if (!err)
		PAGE_PUT(out, account_session_list_out, end);
	return err;
}
