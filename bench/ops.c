/*
 * The calls of the queue as text. Bodies are put together by hand and answers are searched for the members that
 * matter: a JSON library here would be measured with the server. It works because the items are our own: no title
 * or payload holds what is searched for.
 */
#include "base/clock.h"
#include "load.h"

#include <string.h>

enum { LEASE_MS = 600000 };

static void add_item(struct load *l, struct buf *b, int64_t at_ns)
{
	buf_z(b, "{\"type\":\"");
	buf_str_add(b, l->options.type);
	buf_z(b, "\",\"title\":\"benchmark item\",\"payload\":{\"at\":");
	buf_i64(b, at_ns);
	buf_z(b, ",\"fill\":\"");
	buf_str_add(b, l->filler);
	buf_z(b, "\"}}");
}

void ops_enqueue(struct load *l, struct http *h, unsigned count, int64_t at_ns)
{
	struct buf *b = &l->body;

	buf_reset(b);
	if (count == 1) {
		add_item(l, b, at_ns);
		http_post(h, STR("/v1/work"), buf_str(b));
		return;
	}
	buf_z(b, "{\"items\":[");
	for (unsigned i = 0; i < count; i++) {
		buf_z(b, i ? "," : "");
		add_item(l, b, at_ns);
	}
	buf_z(b, "]}");
	http_post(h, STR("/v1/work/batch"), buf_str(b));
}

void ops_claim(struct load *l, struct http *h, unsigned max, unsigned wait_ms)
{
	struct buf *b = &l->body;

	buf_reset(b);
	buf_z(b, "{\"agent\":\"load\",\"types\":[\"");
	buf_str_add(b, l->options.type);
	buf_z(b, "\"]");
	if (l->options.squad.n)
		buf_fmt(b, ",\"team\":\"%.*s\"", STRF(l->options.squad));
	buf_z(b, ",\"max\":");
	buf_u64(b, max);
	if (wait_ms) {
		buf_z(b, ",\"wait_ms\":");
		buf_u64(b, wait_ms);
	}
	buf_z(b, ",\"lease_ms\":");
	buf_u64(b, LEASE_MS);
	buf_c(b, '}');
	http_post(h, STR("/v1/work/claim"), buf_str(b));
}

static void settle_one(struct load *l, struct http *h, const struct held *held)
{
	char path[64] = "/v1/work/";
	size_t n = strlen(path);

	n += id_format(path + n, "w_", held->id);
	memcpy(path + n, "/complete", sizeof "/complete");
	buf_reset(&l->body);
	buf_z(&l->body, "{\"token\":\"");
	buf_z(&l->body, held->token);
	buf_z(&l->body, "\"}");
	http_post(h, str_of(path), buf_str(&l->body));
}

void ops_settle(struct load *l, struct http *h, const struct held *held, size_t count)
{
	struct buf *b = &l->body;
	char id[ID_TEXT];

	if (count == 1) {
		settle_one(l, h, held);
		return;
	}
	buf_reset(b);
	buf_z(b, "{\"items\":[");
	for (size_t i = 0; i < count; i++) {
		id_format(id, "w_", held[i].id);
		buf_z(b, i ? ",{\"id\":\"" : "{\"id\":\"");
		buf_z(b, id);
		buf_z(b, "\",\"token\":\"");
		buf_z(b, held[i].token);
		buf_z(b, "\",\"outcome\":\"completed\"}");
	}
	buf_z(b, "]}");
	http_post(h, STR("/v1/work/settle"), buf_str(b));
}

/* The value between `opening` and the next quote; text goes on behind it. */
static bool next_member(struct str *text, struct str opening, struct str *value)
{
	const char *at = text->n ? memmem(text->p, text->n, opening.p, opening.n) : NULL;

	if (!at)
		return false;
	at += opening.n;
	*value = str_cut((struct str){at, (size_t)(text->p + text->n - at)}, '"', text);
	return true;
}

bool ops_member_i64(struct str *text, const char *opening, int64_t *out)
{
	const char *at = text->n ? memmem(text->p, text->n, opening, strlen(opening)) : NULL;
	size_t digits = 0, left;

	if (!at)
		return false;
	at += strlen(opening);
	left = (size_t)(text->p + text->n - at);
	while (digits < left && at[digits] >= '0' && at[digits] <= '9')
		digits++;
	*text = (struct str){at + digits, left - digits};
	return str_to_i64((struct str){at, digits}, out);
}

static bool next_id(struct str *text, int64_t *id)
{
	struct str value;

	return next_member(text, STR("\"id\":\""), &value) && id_parse(value, "w_", id);
}

static bool expect(struct load *l, int status, int expected, struct str body, const char *what)
{
	if (status == expected)
		return true;
	wire_fault(l->wire, "%s: %d %.*s", what, status, (int)(body.n < 160 ? body.n : 160), body.p);
	return false;
}

/* Every id once, in this state; an item enqueued while a claim waits for it is leased at once. */
static void mark_all(struct load *l, struct str body, unsigned long count, enum step step, const char *state)
{
	struct str text = body, value;
	unsigned long found = 0;
	int64_t id;

	while (next_id(&text, &id)) {
		if (!next_member(&text, STR("\"state\":\""), &value) ||
		    !(str_eqz(value, state) || (step == STEP_ENQUEUE && str_eqz(value, "leased"))))
			break;
		if (!ledger_mark(&l->ledger, id, step))
			wire_fault(l->wire, "an item came back %s twice", state);
		found++;
	}
	if (found != count)
		wire_fault(l->wire, "%lu of %lu items are %s: %.*s", found, count, state,
			   (int)(body.n < 120 ? body.n : 120), body.p);
}

void ops_enqueued(struct load *l, int status, struct str body, unsigned count)
{
	if (expect(l, status, 201, body, "enqueue"))
		mark_all(l, body, count, STEP_ENQUEUE, "ready");
}

void ops_settled(struct load *l, int status, struct str body, const struct held *held, size_t count)
{
	struct str text = body;
	int64_t id;

	if (!expect(l, status, 200, body, "settle"))
		return;
	for (size_t i = 0; i < count; i++)
		if (!next_id(&text, &id) || id != held[i].id)
			wire_fault(l->wire, "settle answers another item");
	mark_all(l, body, count, STEP_SETTLE, "completed");
}

size_t ops_claimed(struct load *l, int status, struct str body, struct held_list *out)
{
	struct str text = body, token;
	struct held held;
	size_t before = out->list.n;

	if (!expect(l, status, 200, body, "claim"))
		return 0;
	while (next_id(&text, &held.id)) {
		if (!next_member(&text, STR("\"token\":\""), &token) || token.n >= TOKEN_MAX) {
			wire_fault(l->wire, "a claimed item without a token");
			break;
		}
		if (!ledger_mark(&l->ledger, held.id, STEP_CLAIM))
			wire_fault(l->wire, "an item was claimed twice");
		memcpy(held.token, token.p, token.n);
		held.token[token.n] = '\0';
		*VEC_PUSH(&out->list) = held;
	}
	return out->list.n - before;
}
