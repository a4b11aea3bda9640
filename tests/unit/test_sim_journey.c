/* Journeys: an agent's way through a scenario, its requests, what is made of answers, and that it always ends. */
#include "harness.h"

#include "sim_kit/people.h"

#include "sim/journey.h"

#include <math.h>

/* ---- a scenario around some states, and an agent in it ---- */

static const char head[] = "{\"tenfold_scenario\": 1, \"name\": \"small\",\n"
			   " \"parameters\": [{\"name\": \"p\", \"value\": 0.3}],\n"
			   " \"tables\": [{\"name\": \"goods\", \"rows\": [{\"id\": \"a/b\", \"price\": 2}, "
			   "{\"id\": \"c\", \"price\": 3.5}]}],\n"
			   " \"population\": {\"attributes\": [{\"name\": \"mood\", \"kind\": \"number\", "
			   "\"uniform\": {\"min\": 0, \"max\": 1}}]},\n"
			   " \"schedule\": {\"sessions_per_week\": 1}, \"headers\": {\"Authorization\": \"Bearer "
			   "{{key}}\", \"X-Session\": \"{{session.id}}\"},\n"
			   " \"variables\": [{\"name\": \"list\", \"value\": []}, {\"name\": \"n\", \"value\": 0}, "
			   "{\"name\": \"mark\", \"value\": \"concat(agent.id, '!')\"}],\n"
			   " \"keep\": [{\"name\": \"n\", \"value\": \"n\"}],\n"
			   " \"outcomes\": [{\"name\": \"done\", \"kind\": \"completed\"}, {\"name\": \"gone\", "
			   "\"kind\": \"abandoned\"},\n"
			   "  {\"name\": \"broken\", \"kind\": \"failed\"}],\n"
			   " \"offers\": {\"state\": \"first\"}, \"idle\": {\"state\": \"first\", \"probability\": "
			   "\"p\"}, \"start\": \"first\",\n";

struct world {
	struct scenario *scenario;
	struct population who;
	struct moment moment;
	struct journey_room *room;
	struct journey_run run;
	struct journey_start start;
	struct journey *journey;
};

static void begin(struct world *w, const char *states)
{
	struct buf b = BUF_INIT(1 << 20);
	struct problem p = {0};

	*w = (struct world){.who = {.names = {"mood"}, .values = {value_number(0.25)}},
			    .moment = {.hour = 9, .weekday = 2, .month = 5, .day = 4}};
	buf_z(&b, head);
	buf_z(&b, states);
	if (scenario_parse(buf_str(&b), STR("f.json"), &w->scenario, &p))
		fail_msg("%s", p.detail);
	buf_free(&b);
	w->room = journey_room_new();
	w->run = (struct journey_run){.scenario = w->scenario,
				      .population = &w->who,
				      .seed = 5,
				      .run_id = STR("run_1"),
				      .key = STR("k_secret")};
	w->start = (struct journey_start){.agent = 6, .cycle = 3, .moment = &w->moment, .now_ms = 1700000000000};
	w->journey = journey_begin(w->room, &w->run, &w->start);
}

static void again(struct world *w)
{
	journey_end(w->room, &w->journey);
	w->journey = journey_begin(w->room, &w->run, &w->start);
}

static void end(struct world *w)
{
	journey_end(w->room, &w->journey);
	journey_room_free(&w->room);
	scenario_free(&w->scenario);
}

static enum journey_want next(struct world *w)
{
	return journey_next(w->journey, w->start.now_ms);
}

static void answer(struct world *w, int status, const char *body)
{
	/* a copy that is gone afterwards, so that nothing may point into it */
	char *copy = strdup(body);

	journey_answer(w->journey, &(struct journey_reply){.status = status, .body = str_of(copy)});
	memset(copy, '#', strlen(copy));
	free(copy);
}

#define assert_asks(w, method_, path_)                                      \
	do {                                                                \
		assert_int_equal(next(w), WANT_REQUEST);                    \
		assert_str(journey_request((w)->journey)->method, method_); \
		assert_str(journey_request((w)->journey)->path, path_);     \
	} while (0)

/* ---- requests and answers ---- */

static void a_session_asks_takes_and_asks_with_what_it_took(void **state)
{
	const struct journey_result *r;
	struct world w;

	(void)state;
	begin(&w, "\"states\": [{\"name\": \"first\", \"steps\": [\n"
		  " {\"request\": {\"method\": \"GET\", \"path\": \"/goods?for={{agent.id}}&m={{agent.mood}}\"}, "
		  "\"extract\": [{\"to\": \"list\", \"from\": \"/items\"}]},\n"
		  " {\"for_each\": {\"item\": \"good\", \"in\": \"list\"}, \"request\": {\"method\": \"PUT\", "
		  "\"path\": \"/goods/{{good.id}}\", \"headers\": {\"X-Session\": \"none\"},\n"
		  "  \"body\": {\"id\": \"{{good.id}}\", \"count\": \"{{n + 1}}\", \"all\": \"{{list}}\", \"by\": "
		  "\"{{agent.id}} of {{hour}}\"}},\n"
		  "  \"expect\": {\"status\": [201], \"where\": \"body.ok\"}, \"set\": [{\"to\": \"n\", \"value\": "
		  "\"n + body.price\"}],\n"
		  "  \"event\": {\"type\": \"bought\", \"fields\": [{\"name\": \"id\", \"value\": \"good.id\"}, "
		  "{\"name\": \"said\", \"value\": \"body.said\"}]}}],\n"
		  " \"end\": \"done\"}]}");
	assert_asks(&w, "GET", "/goods?for=agent_007&m=0.25");
	assert_true(str_starts(journey_request(w.journey)->headers,
			       STR("Authorization: Bearer k_secret\r\nX-Session: ")));
	assert_int_equal(journey_request(w.journey)->body.n, 0);
	answer(&w, 200, "{\"items\": [{\"id\": \"a/b\"}, {\"id\": \"c d\"}]}");
	assert_asks(&w, "PUT", "/goods/a%2Fb");
	assert_str(journey_request(w.journey)->headers,
		   "Authorization: Bearer k_secret\r\nX-Session: none\r\nContent-Type: application/json\r\n");
	assert_str(journey_request(w.journey)->body,
		   "{\"id\": \"a/b\", \"count\": 1, \"all\": [{\"id\":\"a/b\"},{\"id\":\"c d\"}], \"by\": "
		   "\"agent_007 of 9\"}");
	answer(&w, 201, "{\"ok\": true, \"price\": 2.5, \"said\": [\"x\"]}");
	assert_asks(&w, "PUT", "/goods/c%20d");
	assert_int_equal(journey_request(w.journey)->endpoint, 1);
	answer(&w, 201, "{\"ok\": 1, \"price\": 1}");
	assert_int_equal(next(&w), WANT_NOTHING);
	r = journey_result(w.journey);
	assert_int_equal(r->outcome, 0);
	assert_true(r->calls == 3 && r->failed_calls == 0 && r->failure.n == 0);
	assert_true(r->kept[0] == 3.5 && isnan(r->kept[1]));
	assert_int_equal(r->event_count, 2);
	assert_str(r->events[0].type, "bought");
	assert_str(r->events[0].payload, "{\"id\":\"a/b\",\"said\":[\"x\"]}");
	assert_str(r->events[1].payload, "{\"id\":\"c d\",\"said\":null}");
	end(&w);
}

static const char careful[] =
	"\"on_fail\": \"sorry\", \"states\": [{\"name\": \"first\", \"steps\": [{\"name\": \"buy\", \"request\": "
	"{\"method\": \"POST\", \"path\": \"/buy\"},\n"
	"  \"retry\": {\"times\": 2, \"on\": [\"503\", \"timeout\"], \"wait\": 4}}], \"end\": \"done\"},\n"
	" {\"name\": \"sorry\", \"steps\": [{\"name\": \"clear\", \"request\": {\"method\": \"DELETE\", \"path\": "
	"\"/cart\"}}], \"end\": \"gone\"}]}";

static void what_is_safe_to_repeat_is_tried_again(void **state)
{
	struct world w;

	(void)state;
	begin(&w, careful);
	assert_asks(&w, "POST", "/buy");
	answer(&w, 503, "");
	assert_int_equal(next(&w), WANT_WAIT);
	assert_true(journey_wait_s(w.journey) == 4);
	assert_asks(&w, "POST", "/buy");
	journey_answer(w.journey, &(struct journey_reply){.err = ERR_TARGET_TIMEOUT});
	assert_int_equal(next(&w), WANT_WAIT);
	assert_asks(&w, "POST", "/buy");
	answer(&w, 200, "");
	assert_int_equal(next(&w), WANT_NOTHING);
	assert_int_equal(journey_result(w.journey)->outcome, 0);
	assert_true(journey_result(w.journey)->calls == 3 && journey_result(w.journey)->failed_calls == 2);
	assert_int_equal(journey_result(w.journey)->retries, 2);
	assert_int_equal(journey_result(w.journey)->failure.n, 0);
	end(&w);
}

static void a_failure_leads_where_the_scenario_says_and_the_next_one_ends_it(void **state)
{
	struct world w;

	(void)state;
	begin(&w, careful);
	assert_asks(&w, "POST", "/buy");
	answer(&w, 409, "");
	assert_asks(&w, "DELETE", "/cart");
	answer(&w, 200, "");
	assert_int_equal(next(&w), WANT_NOTHING);
	assert_int_equal(journey_result(w.journey)->outcome, 1);
	assert_str(journey_result(w.journey)->failure, "buy: 409");
	again(&w);
	assert_asks(&w, "POST", "/buy");
	journey_answer(w.journey, &(struct journey_reply){.err = ERR_TARGET_REFUSED});
	assert_asks(&w, "DELETE", "/cart");
	answer(&w, 500, "");
	assert_int_equal(next(&w), WANT_NOTHING);
	assert_int_equal(journey_result(w.journey)->outcome, 2);
	assert_int_equal(journey_result(w.journey)->failed_calls, 2);
	end(&w);
}

static void answers_that_are_no_json_are_nothing(void **state)
{
	static const char *const bodies[] = {"", "nothing", "{", "{\"items\": [1, {]}", "{\"items\": tru}", "[[[["};
	struct world w;

	(void)state;
	begin(&w, "\"states\": [{\"name\": \"first\", \"steps\": [{\"request\": {\"method\": \"GET\", \"path\": "
		  "\"/\"}, \"extract\": [{\"to\": \"list\", \"from\": \"/items\"}],\n"
		  " \"set\": [{\"to\": \"n\", \"value\": \"length(list)\"}]}], \"end\": \"done\"}]}");
	for (size_t i = 0; i < COUNT_OF(bodies); i++) {
		again(&w);
		assert_int_equal(next(&w), WANT_REQUEST);
		answer(&w, 200, bodies[i]);
		assert_int_equal(next(&w), WANT_NOTHING);
		assert_row(bodies[i], journey_result(w.journey)->kept[0] == 0);
	}
	end(&w);
}

/* ---- what ends a session ---- */

static void assert_breaks(const char *states, const char *why)
{
	struct world w;

	begin(&w, states);
	while (next(&w) == WANT_REQUEST)
		journey_answer_mock(w.journey);
	assert_int_equal(journey_result(w.journey)->outcome, 2);
	if (!str_eqz(journey_result(w.journey)->failure, why))
		fail_msg("says %.*s, not %s", STRF(journey_result(w.journey)->failure), why);
	end(&w);
}

static void what_cannot_go_on_fails_and_says_why(void **state)
{
	(void)state;
	assert_breaks("\"states\": [{\"name\": \"first\", \"steps\": [{\"set\": [{\"to\": \"n\", \"value\": \"n + "
		      "mark\"}]}], \"end\": \"done\"}]}",
		      "state first, step 1: + needs a number, not a text");
	assert_breaks("\"states\": [{\"name\": \"first\", \"next\": [{\"to\": \"second\", \"weight\": \"n\"}]}, "
		      "{\"name\": \"second\", \"end\": \"done\"}]}",
		      "state first, step 1: all ways on are closed: their weights have the sum 0");
	assert_breaks("\"states\": [{\"name\": \"first\", \"next\": [{\"to\": \"second\", \"weight\": \"n - "
		      "1\"}]}, {\"name\": \"second\", \"end\": \"done\"}]}",
		      "state first, step 1: the weight of a way on is -1");
	assert_breaks(
		"\"states\": [{\"name\": \"first\", \"steps\": [{\"repeat\": \"n + 1001\"}], \"end\": \"done\"}]}",
		"state first, step 1: repeat is at most 1000, not 1001");
	assert_breaks("\"states\": [{\"name\": \"first\", \"steps\": [{\"when\": \"n > 0\", \"request\": "
		      "{\"method\": \"GET\", \"path\": \"/\"}}],\n"
		      " \"next\": [{\"to\": \"first\"}]}]}",
		      "state first, step 1: it has taken more than 100000 steps");
	assert_breaks("\"states\": [{\"name\": \"first\", \"steps\": [{\"request\": {\"method\": \"GET\", "
		      "\"path\": \"/\"}},\n"
		      " {\"repeat\": 1000, \"set\": [{\"to\": \"list\", \"value\": \"join(list, 1, 2, 3, 4, 5, 6, "
		      "7, 8)\"}]}], \"end\": \"done\"}]}",
		      "state first, step 2: needs more memory than a session has, 1 MiB");
	assert_breaks("\"states\": [{\"name\": \"first\", \"steps\": [{\"name\": \"x\", \"request\": {\"method\": "
		      "\"GET\", \"path\": \"/\"}, \"mock\": {\"fail_chance\": 1}}], \"end\": \"done\"}]}",
		      "x: 503");
}

static void waits_are_asked_for_once(void **state)
{
	struct world w;

	(void)state;
	begin(&w, "\"states\": [{\"name\": \"first\", \"steps\": [{\"repeat\": 2, \"think\": \"n + 1.5\", \"set\": "
		  "[{\"to\": \"n\", \"value\": \"n + 1\"}]}, {\"think\": 0}], \"end\": \"done\"}]}");
	assert_int_equal(next(&w), WANT_WAIT);
	assert_true(journey_wait_s(w.journey) == 2.5);
	assert_int_equal(next(&w), WANT_WAIT);
	assert_true(journey_wait_s(w.journey) == 3.5);
	assert_int_equal(next(&w), WANT_NOTHING);
	end(&w);
}

/* ---- draws ---- */

static void the_same_address_draws_the_same(void **state)
{
	static const char states[] = "\"states\": [{\"name\": \"first\", \"steps\": [{\"set\": [{\"to\": \"n\", "
				     "\"value\": \"random()\"}]},\n"
				     " {\"event\": {\"type\": \"id\", \"fields\": [{\"name\": \"id\", \"value\": "
				     "\"session.id\"}]}}], \"end\": \"done\"}]}";
	struct world w;
	char id[80];
	double drawn;

	(void)state;
	begin(&w, states);
	assert_int_equal(next(&w), WANT_NOTHING);
	drawn = journey_result(w.journey)->kept[0];
	snprintf(id, sizeof(id), "%.*s", STRF(journey_result(w.journey)->events[0].payload));
	/* {"id":"xxxxxxxx-xxxx-4xxx-[89ab]xxx-xxxxxxxxxxxx"} */
	assert_true(strlen(id) == 45 && id[21] == '4' && strchr("89ab", id[26]));
	again(&w);
	assert_int_equal(next(&w), WANT_NOTHING);
	assert_true(journey_result(w.journey)->kept[0] == drawn);
	assert_true(str_eqz(journey_result(w.journey)->events[0].payload, id));
	w.start.number = 1;
	again(&w);
	assert_int_equal(next(&w), WANT_NOTHING);
	assert_true(journey_result(w.journey)->kept[0] != drawn);
	assert_false(str_eqz(journey_result(w.journey)->events[0].payload, id));
	end(&w);
}

static void ways_are_taken_as_often_as_their_weights_say(void **state)
{
	enum { COUNT = 40000 };
	int ends[3] = {0}, thrice = 0;
	struct world w;

	(void)state;
	begin(&w, "\"states\": [{\"name\": \"first\", \"steps\": [{\"repeat\": 3, \"chance\": \"p\", \"set\": "
		  "[{\"to\": \"n\", \"value\": \"n + 1\"}]}],\n"
		  " \"next\": [{\"to\": \"a\", \"weight\": \"1 + agent.mood\"}, {\"to\": \"b\", \"weight\": 2.5}, "
		  "{\"to\": \"c\", \"weight\": 1.25}, {\"to\": \"c\", \"weight\": 9, \"when\": \"n > 3\"}]},\n"
		  " {\"name\": \"a\", \"end\": \"done\"}, {\"name\": \"b\", \"end\": \"gone\"}, {\"name\": \"c\", "
		  "\"end\": \"broken\"}]}");
	for (uint32_t agent = 0; agent < COUNT; agent++) {
		w.start.agent = agent;
		again(&w);
		assert_int_equal(next(&w), WANT_NOTHING);
		ends[journey_result(w.journey)->outcome]++;
		thrice += journey_result(w.journey)->kept[0] == 3;
	}
	/* a quarter, a half, a quarter, and 0.3 to the power of 3; five standard errors are 433, 500 and 163 */
	assert_in_range(ends[0], COUNT / 4 - 433, COUNT / 4 + 433);
	assert_in_range(ends[1], COUNT / 2 - 500, COUNT / 2 + 500);
	assert_in_range(ends[2], COUNT / 4 - 433, COUNT / 4 + 433);
	assert_in_range(thrice, 1080 - 163, 1080 + 163);
	end(&w);
}

static void idle_agents_look_around_with_their_probability(void **state)
{
	enum { COUNT = 20000 };
	struct world w;
	int asked = 0;

	(void)state;
	begin(&w, "\"states\": [{\"name\": \"first\", \"steps\": [{\"request\": {\"method\": \"GET\", \"path\": "
		  "\"/\"}}], \"end\": \"gone\"}]}");
	w.start.kind = JOURNEY_IDLE;
	for (uint32_t agent = 0; agent < COUNT; agent++) {
		w.start.agent = agent;
		again(&w);
		if (next(&w) != WANT_REQUEST)
			continue;
		asked++;
		answer(&w, 200, "");
		assert_int_equal(next(&w), WANT_NOTHING);
		assert_int_equal(journey_result(w.journey)->outcome, 0);
	}
	/* 0.3; five standard errors are 324 */
	assert_in_range(asked, 6000 - 324, 6000 + 324);
	end(&w);
}

static void offers_are_counted_and_seen(void **state)
{
	struct world w;

	(void)state;
	begin(&w, "\"states\": [{\"name\": \"first\", \"steps\": [{\"event\": {\"type\": \"offers\", \"fields\": "
		  "[{\"name\": \"n\", \"value\": \"length(offers)\"}, {\"name\": \"period\", \"value\": "
		  "\"offer_period\"}]}}], \"end\": \"done\"}]}");
	w.start.kind = JOURNEY_OFFERS;
	w.start.offer_period = 2;
	again(&w);
	assert_int_equal(next(&w), WANT_NOTHING);
	assert_int_equal(journey_result(w.journey)->offers, 32);
	assert_int_equal(journey_result(w.journey)->offers_short, 0);
	assert_str(journey_result(w.journey)->events[0].payload, "{\"n\":32,\"period\":2}");
	end(&w);
}

/* ---- the shoppers of a pharmacy ---- */

static const struct value liked[] = {{.kind = VALUE_TEXT, .text = {"vitamins", 8}},
				     {.kind = VALUE_TEXT, .text = {"snacks", 6}},
				     {.kind = VALUE_TEXT, .text = {"skin care", 9}}};

static void begin_shopping(struct world *w)
{
	struct problem p = {0};

	*w = (struct world){.who = {.names = {"price_sensitivity", "impulsivity", "coupon_affinity",
					      "preferred_categories", "weekly_budget", "avg_cart_value"},
				    .values = {value_number(0.5), value_number(0.5), value_number(0.5),
					       value_list(liked, 3, false), value_number(1000), value_number(45)}},
			    .moment = {.hour = 9}};
	if (scenario_load(STR("shopping"), &w->scenario, &p))
		fail_msg("%s", p.detail);
	w->room = journey_room_new();
	w->run = (struct journey_run){.scenario = w->scenario, .population = &w->who, .seed = 5, .mocked = true};
	w->start = (struct journey_start){.moment = &w->moment};
	w->journey = journey_begin(w->room, &w->run, &w->start);
}

static const struct journey_result *shop(struct world *w, uint32_t agent)
{
	w->start.agent = agent;
	again(w);
	while (next(w) == WANT_REQUEST)
		journey_answer_mock(w->journey);
	return journey_result(w->journey);
}

static int count_events(const struct journey_result *r, const char *type)
{
	int n = 0;

	for (uint32_t i = 0; i < r->event_count; i++)
		n += str_eqz(r->events[i].type, type);
	return n;
}

/* Of products that cost next to nothing against the budget, 0.3 + 0.5 * 0.5 go into the cart, less the price's part. */
static void shoppers_do_as_the_formulas_say(void **state)
{
	enum { COUNT = 20000 };
	int viewed = 0, added = 0, carts = 0, bought = 0, with_coupon = 0, bought_with = 0;
	struct world w;

	(void)state;
	begin_shopping(&w);
	for (uint32_t agent = 0; agent < COUNT; agent++) {
		const struct journey_result *r = shop(&w, agent);
		bool cart = count_events(r, "cart_add_item") > 0, coupon = r->kept[3] > 0;

		assert_int_equal(r->failure.n, 0);
		assert_int_equal(count_events(r, "view_product"), 4);
		viewed += 4;
		added += count_events(r, "cart_add_item");
		carts += cart;
		with_coupon += cart && coupon;
		bought += cart && !coupon && r->outcome == 0;
		bought_with += cart && coupon && r->outcome == 0;
	}
	/* 0.55 * (1 - 0.5 * price / 250) at a mean price of about 16 is 0.532 +- 0.01 */
	assert_true(fabs((double)added / viewed - 0.532) < 0.012);
	/* 0.6 + 0.2 * 0.5 - 0.15 * 0.5 = 0.625, with a coupon 0.775; five standard errors of what there is */
	assert_true(fabs((double)bought / (carts - with_coupon) - 0.625) < 5 * sqrt(0.25 / (carts - with_coupon)));
	assert_true(fabs((double)bought_with / with_coupon - 0.775) < 5 * sqrt(0.25 / with_coupon));
	assert_true(with_coupon > carts / 2);
	end(&w);
}

static void a_parameter_changes_what_shoppers_do(void **state)
{
	struct world w;
	int bought = 0;

	(void)state;
	begin_shopping(&w);
	assert_int_equal(scenario_set(w.scenario, 0, STR("checkout_base"), -1, NULL), OK);
	for (uint32_t agent = 0; agent < 5000; agent++)
		bought += shop(&w, agent)->outcome == 0;
	/* never below 0.2 of those with a cart, which are 0.95 of all; five standard errors are 140 */
	assert_in_range(bought, 955 - 140, 955 + 140);
	end(&w);
}

static void totals_are_what_the_shop_would_reckon(void **state)
{
	struct world w;
	int orders = 0;

	(void)state;
	begin_shopping(&w);
	for (uint32_t agent = 0; agent < 2000; agent++) {
		const struct journey_result *r = shop(&w, agent);

		if (r->outcome != 0)
			continue;
		orders++;
		assert_true(r->kept[0] >= 0 && r->kept[4] >= 0);
		assert_true(fabs(r->kept[2] - r->kept[4] - r->kept[0]) < 0.011);
		assert_true(r->kept[3] > 0 || r->kept[4] == 0);
	}
	assert_true(orders > 500);
	end(&w);
}

static void memory_stays_what_one_journey_needs(void **state)
{
	struct world w;
	uint64_t after;

	(void)state;
	begin_shopping(&w);
	for (uint32_t agent = 0; agent < 200; agent++)
		shop(&w, agent);
	after = journey_room_bytes(w.room);
	for (uint32_t agent = 0; agent < 2000; agent++)
		shop(&w, agent);
#ifndef ARENA_EMULATION
	assert_true(journey_room_bytes(w.room) <= 2 * after);
#endif
	assert_true(after < 1 << 20);
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_session_asks_takes_and_asks_with_what_it_took),
		cmocka_unit_test(what_is_safe_to_repeat_is_tried_again),
		cmocka_unit_test(a_failure_leads_where_the_scenario_says_and_the_next_one_ends_it),
		cmocka_unit_test(answers_that_are_no_json_are_nothing),
		cmocka_unit_test(what_cannot_go_on_fails_and_says_why),
		cmocka_unit_test(waits_are_asked_for_once),
		cmocka_unit_test(the_same_address_draws_the_same),
		cmocka_unit_test(ways_are_taken_as_often_as_their_weights_say),
		cmocka_unit_test(idle_agents_look_around_with_their_probability),
		cmocka_unit_test(offers_are_counted_and_seen),
		cmocka_unit_test(shoppers_do_as_the_formulas_say),
		cmocka_unit_test(a_parameter_changes_what_shoppers_do),
		cmocka_unit_test(totals_are_what_the_shop_would_reckon),
		cmocka_unit_test(memory_stays_what_one_journey_needs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
