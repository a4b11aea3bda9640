/* The parts of the queue by themselves: the sorted map, the ring, links, histories, tokens, cut text. */
#include "harness.h"

#include "work/work_priv.h"

/* ---- the sorted map, against an array with one entry for each possible id ---- */

enum { IDS = 2000 };

struct plain {
	bool there[IDS + 1];
	size_t count;
};

static void assert_same_map(const struct idmap *m, struct plain *p)
{
	struct idmap_cursor c = idmap_below(m, INT64_MAX);
	size_t n = 0;
	int64_t first = 0;

	for (int64_t id = IDS; id > 0; id--) {
		assert_int_equal(idmap_has(m, id), p->there[id]);
		if (!p->there[id])
			continue;
		first = id;
		assert_true(idmap_next_down(m, &c));
		assert_int_equal(c.id, id);
		assert_ptr_equal(c.value, m->valued ? &p->there[id] : NULL);
		n++;
	}
	assert_false(idmap_next_down(m, &c));
	assert_int_equal(n, m->count);
	assert_int_equal(idmap_first(m), first);
}

static void change_map(struct idmap *m, struct plain *p, int64_t id, bool there)
{
	if (there)
		assert_int_equal(idmap_add(m, id, &p->there[id]), !p->there[id]);
	else
		assert_int_equal(idmap_remove(m, id), p->there[id]);
	p->there[id] = there;
}

/* Filled in order, or at random; emptied from the front, the back, or at random; then all mixed. */
static void the_map_is_an_array(void **state)
{
	struct rng r = test_seed();

	(void)state;
	for (int round = 0; round < 24; round++) {
		struct idmap m = {.valued = round % 2};
		struct plain *p = NEW(struct plain);

		for (int64_t id = 1; id <= IDS; id++)
			change_map(&m, p, round % 4 < 2 ? id : 1 + (int64_t)rng_below(&r, IDS), true);
		assert_same_map(&m, p);
		for (int64_t n = 1; n <= IDS * 3 / 4; n++)
			change_map(&m, p,
				   round % 3 == 0   ? n
				   : round % 3 == 1 ? IDS + 1 - n
						    : 1 + (int64_t)rng_below(&r, IDS),
				   false);
		assert_same_map(&m, p);
		for (int n = 0; n < 20000; n++)
			change_map(&m, p, 1 + (int64_t)rng_below(&r, IDS),
				   rng_below(&r, 5) < (unsigned)round % 5 + 1);
		assert_same_map(&m, p);
		if (m.valued && m.count)
			assert_ptr_equal(idmap_get(&m, idmap_first(&m)), &p->there[idmap_first(&m)]);
		assert_in_range(idmap_bytes(&m), m.count * sizeof(int64_t), m.count * 80 + 4096);
		idmap_free(&m);
		assert_int_equal(idmap_bytes(&m), 0);
		free(p);
	}
}

static void the_map_reads_below_any_id(void **state)
{
	struct idmap m = {0};

	(void)state;
	for (int64_t id = 10; id <= 10000; id += 10)
		idmap_add(&m, id, NULL);
	for (int64_t below = 0; below <= 10010; below++) {
		struct idmap_cursor c = idmap_below(&m, below);

		if (below <= 10)
			assert_false(idmap_next_down(&m, &c));
		else
			assert_true(idmap_next_down(&m, &c) && c.id == (below - 1) / 10 * 10);
	}
	idmap_free(&m);
}

static void the_map_stays_dense_when_ids_come_nearly_in_order(void **state)
{
	struct idmap m = {0};
	struct rng r = test_seed();
	size_t added = 0;

	(void)state;
	for (int64_t ms = 0; ms < 1000; ms++)
		for (int n = 0; n < 100; n++)
			added += idmap_add(&m, ms * 4096 + (int64_t)rng_below(&r, 4096), NULL);
	assert_int_equal(m.count, added);
	assert_true(idmap_bytes(&m) < added * 10);
	idmap_free(&m);
}

/* ---- the ring ---- */

static void the_ring_keeps_order_and_forgets_holes(void **state)
{
	struct rng r = test_seed();
	struct line line = {.front = UINT32_MAX - 100, .back = UINT32_MAX - 100}; /* positions wrap */
	static struct item items[100000];
	static bool here[COUNT_OF(items)];
	size_t first = 0, last = 0, live = 0;

	(void)state;
	while (last < COUNT_OF(items)) {
		struct item *item = &items[last];

		*item = (struct item){
			.id = (int64_t)last + 1, .ready_ms = (int64_t)last / 3, .shelf_place = HEAP_NOWHERE};
		assert_true(line_push(&line, item));
		here[last] = true;
		live++;
		last++;
		while (live > 0 && rng_below(&r, last % 20000 < 10000 ? 4 : 1) == 0) {
			size_t victim = rng_below(&r, 3) ? first : first + rng_below(&r, last - first);

			if (!here[victim])
				continue;
			line_remove(&line, &items[victim]);
			here[victim] = false;
			live--;
			while (first < last && !here[first])
				first++;
			assert_ptr_equal(line_first(&line), live ? &items[first] : NULL);
			if (last % 20000 >= 10000 && live < 50)
				break;
		}
		assert_int_equal(line.count, live);
	}
	line_free(&line);
}

static void the_ring_refuses_what_is_out_of_order(void **state)
{
	struct line line = {0};
	struct item a = {.id = 5, .ready_ms = 10}, earlier = {.id = 9, .ready_ms = 9},
		    lower = {.id = 4, .ready_ms = 10}, behind = {.id = 6, .ready_ms = 10};

	(void)state;
	assert_null(line_first(&line));
	assert_true(line_push(&line, &a));
	assert_false(line_push(&line, &earlier));
	assert_false(line_push(&line, &lower));
	assert_true(line_push(&line, &behind));
	line_remove(&line, &a);
	line_remove(&line, &behind);
	assert_true(line_push(&line, &lower)); /* empty: anything goes */
	line_free(&line);
}

/* ---- links: objects with one hash ---- */

static void links_of_one_hash_are_a_chain(void **state)
{
	static const int orders[][3] = {{0, 1, 2}, {2, 1, 0}, {1, 0, 2}, {1, 2, 0}};

	(void)state;
	for (size_t o = 0; o < COUNT_OF(orders); o++) {
		struct map m = {0};
		struct link links[4], *l = NULL;
		int n = 0;

		for (int i = 0; i < 4; i++)
			links_add(&m, &links[i], i == 3 ? 2 : 1);
		for (size_t i = 0; (l = links_next(&m, &i, l));)
			n++;
		assert_int_equal(n, 4);
		for (int i = 0; i < 3; i++) {
			links_remove(&m, &links[orders[o][i]]);
			n = 0;
			for (l = links_first(&m, 1); l; l = l->next)
				n++;
			assert_int_equal(n, 2 - i);
		}
		assert_ptr_equal(links_first(&m, 2), &links[3]);
		map_free(&m);
	}
}

/* ---- tokens ---- */

static void a_token_is_26_characters_and_back(void **state)
{
	static const struct {
		struct work_token t;
		const char *text;
	} cases[] = {
		{{0, 0, 0}, "00000000000000000000000000"},
		{{UINT32_MAX, UINT32_MAX, UINT64_MAX}, "zzzzzzzzzzzzzzzzzzzzzzzzzw"},
		{{1, 2, 3}, "0000008000004000000000000c"},
	};
	struct work_token t;
	char text[WORK_TOKEN_TEXT];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		work_token_format(&cases[i].t, text);
		assert_string_equal(text, cases[i].text);
		assert_true(work_token_parse(str_of(text), &t) && work_token_eq(&t, &cases[i].t));
	}
	assert_false(work_token_parse(STR(""), &t));
	assert_false(work_token_parse(STR("0000000000000000000000000"), &t));
	assert_false(work_token_parse(STR("000000000000000000000000000"), &t));
	assert_false(work_token_parse(STR("00000000000000000000000001"), &t)); /* bits that mean nothing */
	assert_false(work_token_parse(STR("0000000000000000000000000u"), &t));
}

/* ---- text ---- */

static void text_is_cut_at_a_characters_end(void **state)
{
	static const struct {
		const char *text;
		size_t max, left;
	} cases[] = {
		{"abc", 3, 3},
		{"abc", 2, 2},
		{"abc", 0, 0},
		{"a\xc3\xa9", 2, 1},
		{"a\xc3\xa9", 3, 3},
		{"\xe2\x82\xac\xe2\x82\xac", 5, 3},
		{"\xe2\x82\xac\xe2\x82\xac", 2, 0},
		{"\xf0\x9f\x94\xa5!", 3, 0},
		{"\xf0\x9f\x94\xa5!", 4, 4},
		{"\x80\x80\x80\x80\x80\x80", 5, 5}, /* no UTF-8: cut where it is */
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_int_equal(text_cut(str_of(cases[i].text), cases[i].max).n, cases[i].left);
}

/* ---- history ---- */

static void after_64_entries_the_oldest_are_folded(void **state)
{
	enum { CLAIMS = 50 };
	struct rng rng;
	struct work_env env = {.rng = &rng, .epoch = 1, .max_live = 10, .max_waiting = 10, .max_queues = 10};
	struct work *w = work_new(&env);
	struct work_spec spec = {.tenant = 1, .type = STR("build"), .max_attempts = 5, .lease_ms = 1000};
	struct work_claim c = {.tenant = 1, .agent = STR("grace"), .max = 1};
	struct work_ending released = {.outcome = OUTCOME_RELEASED};
	struct work_history_entry e;
	struct item *item, *out;
	uint32_t expected = 2 * CLAIMS - HISTORY_KEPT, n = 0;
	struct str blob;
	bool existed;

	(void)state;
	rng_seeded_init(&rng, 1);
	work_begin(w, 1000);
	assert_int_equal(work_enqueue(w, &spec, &item, &existed, NULL), OK);
	for (int i = 0; i < CLAIMS; i++) {
		struct work_token t;

		work_commit(w);
		work_begin(w, 2000 + i);
		assert_int_equal(work_claim(w, &c, &out), 1);
		t = work_token_of(item);
		assert_int_equal(work_settle(w, 1, item->id, &t, &released, &out), OK);
	}
	blob = work_blob_str(item->history);
	for (; work_history_next(&blob, &e); n++) {
		assert_int_equal(e.folded, n == 0 ? expected : 0);
		assert_int_equal(e.kind, n % 2 ? EVENT_RELEASED : EVENT_CLAIMED);
		assert_int_equal(e.attempt, (expected + n) / 2 + 1);
		assert_int_equal(e.at_ms, 2000 + (expected + n) / 2);
		assert_str(e.agent, "grace");
		assert_int_equal(e.note.n, 0);
	}
	assert_int_equal(n, HISTORY_KEPT);
	assert_int_equal(blob.n, 0);
	work_undo(w);
	work_destroy(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_map_is_an_array),
		cmocka_unit_test(the_map_reads_below_any_id),
		cmocka_unit_test(the_map_stays_dense_when_ids_come_nearly_in_order),
		cmocka_unit_test(the_ring_keeps_order_and_forgets_holes),
		cmocka_unit_test(the_ring_refuses_what_is_out_of_order),
		cmocka_unit_test(links_of_one_hash_are_a_chain),
		cmocka_unit_test(a_token_is_26_characters_and_back),
		cmocka_unit_test(text_is_cut_at_a_characters_end),
		cmocka_unit_test(after_64_entries_the_oldest_are_folded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
