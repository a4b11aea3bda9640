/* See visit.h. */
#include "shop/visit.h"

#include "shop/queries.h"

enum { UUID_LENGTH = 36, PAYLOAD_MAX = 4096 };

static const int64_t latest_ms =
	INT64_C(7258118400000); /* the year 2200: 32 bits of weeks, and no overflow anywhere */

bool visit_takes_time(int64_t ms)
{
	return ms >= 0 && ms <= latest_ms;
}

static enum err read_time(struct call *c, struct visit *v)
{
	struct str text = http_header_of(c, STR("X-Simulated-Time"));
	struct shop_visit_header header = {0};
	struct problem unused = {0};
	struct shop_moment now;

	if (text.n) {
		if (json_set_text(&type_shop_visit_header, shop_visit_header__at, text, c->arena, &header,
				  &unused) ||
		    !visit_takes_time(header.at))
			return call_fail(
				c, ERR_MALFORMED,
				"X-Simulated-Time must be a time such as 2026-03-01T12:00:00Z, from 1970 to 2199");
		v->now_ms = header.at;
		v->simulated = true;
		return OK;
	}
	now = shop_time_now(&shop_of(c)->time);
	v->now_ms = now.ms < latest_ms ? now.ms : latest_ms; /* where a clock that ran for long stands still */
	v->simulated = now.simulated;
	return OK;
}

static bool is_uuid(struct str s)
{
	if (s.n != UUID_LENGTH)
		return false;
	for (size_t i = 0; i < UUID_LENGTH; i++) {
		char ch = s.p[i];
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;
		bool hex = (ch >= '0' && ch <= '9') || (ch >= 'a' && ch <= 'f') || (ch >= 'A' && ch <= 'F');

		if (dash ? ch != '-' : !hex)
			return false;
	}
	return true;
}

/* As it is stored: two spellings of one UUID are one session. */
static struct str lower(struct arena *a, struct str s)
{
	char *z = arena_z(a, s);

	for (size_t i = 0; i < s.n; i++)
		if (z[i] >= 'A' && z[i] <= 'F')
			z[i] = (char)(z[i] - 'A' + 'a');
	return (struct str){z, s.n};
}

static enum err read_session(struct call *c, struct visit *v)
{
	struct str text = http_header_of(c, STR("X-Shopping-Session-Id"));
	struct shop_session_get_out row;
	enum err e;

	if (!text.p)
		return OK;
	if (!is_uuid(text))
		return call_fail(c, ERR_MALFORMED, "X-Shopping-Session-Id must be a UUID");
	v->session = lower(c->arena, text);
	e = q_shop_session_get(c->db, &(struct shop_session_get_in){.id = v->session}, c->arena, &row);
	if (e)
		return e == ERR_NOT_FOUND ? OK : e;
	return str_eq(row.customer, v->customer)
		       ? OK
		       : call_fail(c, ERR_FORBIDDEN, "this shopping session is another customer's");
}

enum err visit_begin(struct call *c, struct visit *out)
{
	enum err e;

	*out = (struct visit){.customer = c->caller.key_name};
	e = read_time(c, out);
	return e ? e : read_session(c, out);
}

enum err visit_of(struct call *c, struct str customer, struct visit *out)
{
	*out = (struct visit){.customer = customer};
	return read_time(c, out);
}

enum err visit_store(struct call *c, const struct visit *v, int64_t *out)
{
	struct shop_user_get_out row = {0};
	enum err e = q_shop_user_get(c->db, &(struct shop_user_get_in){.name = v->customer}, c->arena, &row);

	*out = row.store;
	return e == ERR_NOT_FOUND ? OK : e;
}

enum err visit_needs_store(struct call *c, const struct visit *v, int64_t *out)
{
	enum err e = visit_store(c, v, out);

	if (!e && !*out)
		e = call_fail(c, ERR_NO_STORE_CHOSEN, "Please select a store first: PUT /api/user/store");
	return e;
}

enum err visit_note(struct call *c, const struct visit *v, enum shop_event event,
		    const struct shop_event_payload *payload)
{
	struct shop_session_touch_in touch = {
		.id = v->session, .customer = v->customer, .simulated = v->simulated, .at_ms = v->now_ms};
	struct shop_event_add_in row = {
		.session = v->session, .event = event, .simulated = v->simulated, .at_ms = v->now_ms};
	struct buf b = BUF_INIT(PAYLOAD_MAX);
	enum err e;

	if (!v->session.n)
		return OK;
	json_encode(&type_shop_event_payload, payload, 0, &b);
	row.id = shop_new_id(shop_of(c));
	row.payload = arena_str(c->arena, buf_str(&b));
	buf_free(&b);
	e = q_shop_session_touch(c->db, &touch);
	e = e ? e : q_shop_event_add(c->db, &row);
	if (!e && event == EVENT_CHECKOUT_COMPLETED)
		e = q_shop_session_complete(c->db, &(struct shop_session_complete_in){.id = v->session});
	return e;
}
