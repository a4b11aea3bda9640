/* Who receives; see webhook.h. Deliveries are in webhook_delivery.c. */
#include "webhooks/webhook.h"

#include "store/page.h"
#include "webhooks/condition.h"
#include "webhooks/sign.h"

#include <curl/curl.h>

enum { URL_MAX = 2048, HOST_MAX = 255 };

/* ---- what is given ---- */

struct url_parts {
	char *scheme, *host, *user, *fragment;
};

static bool url_get(const char *url, struct url_parts *out)
{
	CURLU *u = curl_url();
	bool good = u && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK;
	*out = (struct url_parts){0};
	if (good) {
		curl_url_get(u, CURLUPART_SCHEME, &out->scheme, 0);
		curl_url_get(u, CURLUPART_HOST, &out->host, 0);
		curl_url_get(u, CURLUPART_USER, &out->user, 0);
		curl_url_get(u, CURLUPART_FRAGMENT, &out->fragment, 0);
	}
	curl_url_cleanup(u);
	return good && out->scheme && out->host;
}

static void url_free(struct url_parts *u)
{
	curl_free(u->scheme);
	curl_free(u->host);
	curl_free(u->user);
	curl_free(u->fragment);
}

static enum err judge_url(bool readable, const struct url_parts *u, const struct reach *reach, struct problem *p)
{
	if (!readable)
		return problem_field(p, ERR_INVALID, "url", "is no URL such as https://example.org/hook");
	if (!str_eqz(str_of(u->scheme), "https") && !str_eqz(str_of(u->scheme), "http"))
		return problem_field(p, ERR_INVALID, "url", "must begin with https:// or http://");
	if (u->user)
		return problem_field(p, ERR_INVALID, "url", "must not hold a name or password");
	if (u->fragment)
		return problem_field(p, ERR_INVALID, "url", "must not have a fragment (#)");
	if (!str_of(u->host).n || str_of(u->host).n > HOST_MAX)
		return problem_field(p, ERR_INVALID, "url", "must name a host");
	if (!reach_allows_host(reach, str_of(u->host)))
		return problem_field(p, ERR_INVALID, "url",
				     "is at an address of a private network; the server's --webhook-allow can "
				     "allow it");
	return OK;
}

static enum err check_url(struct str url, const struct reach *reach, struct arena *a, struct problem *p)
{
	struct url_parts parts;
	bool readable = url_get(arena_z(a, url), &parts);
	enum err err = judge_url(readable, &parts, reach, p);
	url_free(&parts);
	return err;
}

static int64_t bits_of(const int *events, size_t count)
{
	int64_t bits = 0;
	for (size_t i = 0; i < count; i++)
		bits |= INT64_C(1) << events[i];
	return bits;
}

static enum err conditions_json(const struct str *when, size_t count, struct call *c, struct str *out)
{
	struct webhook_conditions conditions = {.when = (struct str *)(uintptr_t)when, .when_count = count};
	struct buf b = BUF_INIT(0);
	enum err err = conditions_check(when, count, "when", &c->problem);
	json_encode(&type_webhook_conditions, &conditions, 0, &b);
	*out = arena_str(c->arena, buf_str(&b));
	buf_free(&b);
	return err ? err : out->n ? OK : ERR_INTERNAL;
}

/* ---- showing ---- */

static enum err show_events(int64_t bits, struct arena *a, struct webhook *out)
{
	out->events = ARENA_ARRAY(a, int, (size_t)enum_webhook_event.count);
	for (int i = 0; out->events && i < enum_webhook_event.count; i++)
		if (bits >> i & 1)
			out->events[out->events_count++] = i;
	return out->events ? OK : ERR_INTERNAL;
}

static enum err show_conditions(const struct webhook_row *row, struct arena *a, struct webhook *out)
{
	struct webhook_conditions conditions;
	enum err err = json_decode(&type_webhook_conditions, row->conditions, 0, a, &conditions, NULL);
	if (err)
		return err;
	out->when = conditions.when;
	out->when_count = conditions.when_count;
	return OK;
}

enum err webhook_show(const struct webhook_row *row, int64_t now_ms, struct arena *a, struct webhook *out)
{
	*out = (struct webhook){.id = row->id,
				.url = row->url,
				.state = (int)row->state,
				.waiting = row->waiting,
				.failures = row->failures,
				.version = row->version,
				.created_at = row->created_ms,
				.updated_at = row->updated_ms};
	if (row->description.p)
		PUT(out, webhook, description, row->description);
	if (row->reason.p)
		PUT(out, webhook, reason, row->reason);
	if (row->last_ms)
		PUT(out, webhook, last_at, row->last_ms);
	if (row->old_until_ms > now_ms)
		PUT(out, webhook, old_secret_until, row->old_until_ms);
	enum err err = show_events(row->events, a, out);
	return err ? err : show_conditions(row, a, out);
}

/* ---- reading ---- */

enum err webhook_read(struct call *c, int64_t id, struct webhook_row *out)
{
	enum err err = q_webhook_get(c->db, &(struct id_row){id}, c->arena, out);
	if (err == ERR_NOT_FOUND || (!err && out->tenant != c->caller.tenant))
		return call_fail(c, ERR_NOT_FOUND, "there is no such webhook here");
	return err;
}

enum err webhook_hold(struct call *c, int64_t id, struct webhook_row *out)
{
	struct webhook_hold_out held;
	enum err err = q_webhook_hold(c->db, &(struct id_row){id}, c->arena, &held);
	if (err == ERR_NOT_FOUND)
		return call_fail(c, err, "there is no such webhook here");
	return err ? err : webhook_read(c, id, out);
}

/* ---- writing ---- */

/* Up to where the feed is now: it is told of what comes behind. */
static enum err listen_from_now(struct call *c, struct webhook_row *row)
{
	struct change_ends_out ends;
	enum err err = q_change_ends(c->db, c->arena, &ends);
	row->since = ends.last;
	return err;
}

static enum err check_count(struct call *c)
{
	struct webhook_count_out out;
	enum err err = q_webhook_count(c->db, &(struct webhook_count_in){c->caller.tenant}, c->arena, &out);
	if (!err && out.count >= WEBHOOKS_PER_TENANT)
		return call_fail(c, ERR_CONFLICT, "a tenant has at most %d webhooks", WEBHOOKS_PER_TENANT);
	return err;
}

enum err webhook_add(struct call *c, const struct reach *reach, int64_t id, const struct webhook_new *in,
		     struct webhook_row *out)
{
	*out = (struct webhook_row){.id = id,
				    .tenant = c->caller.tenant,
				    .url = in->url,
				    .description = in->description,
				    .events = bits_of(in->events, in->events_count),
				    .state = WEBHOOK_ENABLED,
				    .secret = sign_secret_new(c->arena),
				    .version = 1,
				    .created_ms = c->now_ms,
				    .updated_ms = c->now_ms};
	enum err err = check_url(in->url, reach, c->arena, &c->problem);
	if (!err)
		err = conditions_json(in->when, in->when_count, c, &out->conditions);
	if (!err)
		err = check_count(c);
	if (!err)
		err = listen_from_now(c, out);
	return err ? err : q_webhook_insert(c->db, out, 1);
}

static enum err write_change(struct call *c, struct webhook_row *row)
{
	row->version++;
	row->updated_ms = c->now_ms;
	struct webhook_update_in in = {.id = row->id,
				       .url = row->url,
				       .description = row->description,
				       .events = row->events,
				       .conditions = row->conditions,
				       .state = row->state,
				       .reason = row->reason,
				       .secret = row->secret,
				       .old_secret = row->old_secret,
				       .old_until_ms = row->old_until_ms,
				       .since = row->since,
				       .version = row->version,
				       .updated_ms = row->updated_ms};
	return q_webhook_update(c->db, &in, 1);
}

static enum err patch_url(struct call *c, const struct reach *reach, const struct webhook_patch *in,
			  struct webhook_row *row)
{
	if (!HAS(in, webhook_patch, url))
		return OK;
	row->url = in->url;
	return check_url(in->url, reach, c->arena, &c->problem);
}

static enum err patch_filter(struct call *c, const struct webhook_patch *in, struct webhook_row *row)
{
	if (HAS(in, webhook_patch, events) || IS_NULL(in, webhook_patch, events))
		row->events = bits_of(in->events, in->events_count);
	if (!HAS(in, webhook_patch, when) && !IS_NULL(in, webhook_patch, when))
		return OK;
	return conditions_json(in->when, in->when_count, c, &row->conditions);
}

static enum err patch_state(struct call *c, const struct webhook_patch *in, struct webhook_row *row)
{
	if (!HAS(in, webhook_patch, state) || in->state == row->state)
		return OK;
	row->state = in->state;
	row->reason = (struct str){0};
	return row->state == WEBHOOK_ENABLED ? listen_from_now(c, row) : OK;
}

enum err webhook_change(struct call *c, const struct reach *reach, const struct webhook_patch *in,
			struct webhook_row *row)
{
	struct id_row id = {row->id};
	enum err err = patch_url(c, reach, in, row);
	if (!err)
		err = patch_filter(c, in, row);
	if (!err)
		err = patch_state(c, in, row);
	if (HAS(in, webhook_patch, description) || IS_NULL(in, webhook_patch, description))
		row->description = in->description;
	if (!err)
		err = write_change(c, row);
	if (err)
		return err;
	return row->state == WEBHOOK_ENABLED ? q_webhook_after(c->db, &id, 1) : q_webhook_rest(c->db, &id, 1);
}

enum err webhook_renew(struct call *c, int64_t overlap_ms, struct webhook_row *row)
{
	row->old_secret = overlap_ms ? row->secret : (struct str){0};
	row->old_until_ms = overlap_ms ? c->now_ms + overlap_ms : 0;
	row->secret = sign_secret_new(c->arena);
	return write_change(c, row);
}

/* ---- lists ---- */

struct listing {
	struct call *c;
	struct webhook_list_out *out;
	enum err err; /* of showing one */
};

static enum err read_page(void *ctx, int64_t below, int64_t visit, db_row_fn *each, void *each_ctx)
{
	const struct listing *l = ctx;
	return q_webhook_page(l->c->db, &(struct webhook_page_in){l->c->caller.tenant, below, visit}, each,
			      each_ctx);
}

static bool keep(void *ctx, const void *row)
{
	struct listing *l = ctx;
	struct arena *a = l->c->arena;
	struct webhook_row r = *(const struct webhook_row *)row;
	r.url = arena_kept(a, r.url);
	r.description = arena_kept(a, r.description);
	r.reason = arena_kept(a, r.reason);
	r.conditions = arena_kept(a, r.conditions);
	enum err err = webhook_show(&r, l->c->now_ms, a, &l->out->items[l->out->items_count++]);
	l->err = l->err ? l->err : err;
	return true;
}

enum err webhook_list(struct call *c, const struct webhook_list_in *in, struct webhook_list_out *out)
{
	struct listing l = {.c = c, .out = out};
	struct page_end end;
	out->items = ARENA_ARRAY(c->arena, struct webhook, PAGE_ROOM(in));
	enum err err = page_take(&(struct page_source){read_page, keep, &l}, PAGE_WANT(in, webhook_list_in),
				 c->arena, &c->problem, &end);
	if (!err)
		PAGE_PUT(out, webhook_list_out, end);
	return err ? err : l.err;
}
