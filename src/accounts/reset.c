/* See reset.h. */
#include "accounts/reset.h"

#include "access/token.h"

enum err reset_add(struct call *c, int64_t id, int64_t user, struct password_reset *out)
{
	char text[TOKEN_TEXT];
	unsigned char hash[TOKEN_HASH_BYTES];
	struct membership_row as;
	struct user_row who;
	enum err err = q_membership_get(c->db, &(struct membership_get_in){c->caller.tenant, user}, c->arena, &as);
	if (err == ERR_NOT_FOUND)
		return call_fail(c, err, "there is no such person here");
	if (!err)
		err = q_user_hold(c->db, &(struct id_row){user}, c->arena, &who);
	if (!err)
		err = q_password_reset_void(c->db, &(struct password_reset_void_in){user, c->now_ms});
	if (err)
		return err;
	token_new(TOKEN_RESET, text);
	token_hash(str_of(text), hash);
	struct password_reset_row row = {.id = id,
					 .user_id = user,
					 .hash = {(const char *)hash, sizeof hash},
					 .expires_ms = c->now_ms + RESET_LIFE_MS};
	*out = (struct password_reset){
		.user = user, .reset_token = arena_str(c->arena, str_of(text)), .expires_at = row.expires_ms};
	return q_password_reset_insert(c->db, &row, 1);
}

static enum err refuse(struct call *c, const char *why)
{
	return call_fail(c, ERR_UNAUTHENTICATED, "%s; ask an admin for another", why);
}

enum err reset_read(struct call *c, struct str token, struct password_reset_row *out)
{
	unsigned char hash[TOKEN_HASH_BYTES];
	enum token_kind kind = token_kind_of(token);
	if (kind != TOKEN_RESET)
		return call_fail(c, ERR_UNAUTHENTICATED, "this is %s and no password reset token",
				 token_kind_name(kind));
	token_hash(token, hash);
	struct password_reset_of_hash_in in = {.hash = {(const char *)hash, sizeof hash}};
	enum err err = q_password_reset_of_hash(c->db, &in, c->arena, out);
	if (err == ERR_NOT_FOUND)
		return refuse(c, "the server does not know this reset token");
	if (err)
		return err;
	if (out->used_ms)
		return refuse(c, "this reset token was used, or another took its place");
	return out->expires_ms <= c->now_ms ? refuse(c, "this reset token has expired") : OK;
}
