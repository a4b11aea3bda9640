/*
 * The search index of agents as the follower keeps it: read at the start, told of changes, read anew when some were
 * missed; and what those see who ask meanwhile.
 */
#include "store_kit.h"

#include "directory/agent.h"
#include "directory/index.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

enum { MINE = 1, THEIRS = 2, AGENTS = 1500, ASKERS = 3, ANEW = HAS_TSAN ? 5 : 20 };

struct desk {
	struct kit *kit;
	struct changes *feed;
	struct agent_index *index;
	struct arena *arena;
};

static struct desk desk_new(void **state)
{
	struct kit *k = kit_new(STORE_SQLITE, NULL);
	(void)state;
	kit_open(k);
	struct desk d = {.kit = k, .feed = changes_new(1 << 10, true), .arena = arena_new(16 << 20)};
	struct tenant_insert_out out;
	d.index = agent_index_new(d.feed, NULL);
	for (int64_t id = MINE; id <= THEIRS; id++)
		assert_int_equal(
			q_tenant_insert(k->db,
					&(struct tenant_insert_in){
						.id = id, .name = id == MINE ? STR("mine") : STR("theirs")},
					k->arena, &out),
			OK);
	return d;
}

static void desk_destroy(struct desk *d)
{
	agent_index_destroy(&d->index);
	changes_destroy(&d->feed);
	arena_destroy(&d->arena);
	kit_free(d->kit);
}

static struct agent_full_row row_of(struct desk *d, int64_t id)
{
	struct agent_full_row row;
	assert_int_equal(q_agent_get(d->kit->db, &(struct id_row){id}, d->kit->arena, &row), OK);
	return row;
}

static void change(struct desk *d, const struct agent_full_row *row)
{
	struct agent_change_row changed = agent_row_change(row);
	assert_int_equal(q_agent_update(d->kit->db, &changed, 1), OK);
}

static void add(struct desk *d, int64_t id, int64_t tenant, const char *handle, const char *description)
{
	struct agent_row row = {.id = id,
				.tenant = tenant,
				.handle = str_of(handle),
				.name = str_of(handle),
				.protocols = 1 << PROTOCOL_MCP,
				.description = str_of(description),
				.tags = STR("[\"tagged\"]"),
				.version = 1,
				.created_ms = 1,
				.updated_ms = 1};
	assert_int_equal(q_agent_insert(d->kit->db, &row, 1), OK);
	assert_int_equal(q_agent_liveness_insert(d->kit->db, &(struct agent_liveness_insert_in){id, tenant}, 1),
			 OK);
}

static void follow(struct desk *d, enum change_entity entity, int64_t id)
{
	struct change_row row = {.seq = 1, .tenant = MINE, .entity = (int64_t)entity, .op = OP_PUT, .ref = id};
	assert_int_equal(agent_index_follow(d->index, d->kit->db, &row, 1), OK);
}

static void read_anew(struct desk *d)
{
	assert_int_equal(agent_index_follow(d->index, d->kit->db, NULL, 0), OK);
}

static enum err ask(struct desk *d, int64_t tenant, const char *q, struct arena *a, struct agent_matches *out)
{
	int online = STATUS_ONLINE;
	struct agent_search_in in = {.q = str_of(q), .limit = 10, .count = true};
	if (q[0] == '!') { /* those that are online */
		in.q = str_of(q + 1);
		in.status = &online;
		in.status_count = 1;
	}
	return agent_index_ask(d->index, &(struct agent_question){.tenant = tenant, .in = &in}, a, out);
}

static int64_t count(struct desk *d, int64_t tenant, const char *q)
{
	struct agent_matches found;
	arena_reset(d->arena);
	assert_int_equal(ask(d, tenant, q, d->arena, &found), OK);
	return found.count;
}

/* ---- the tests ---- */

static void nobody_is_answered_before_everything_was_read(void **state)
{
	struct desk d = desk_new(state);
	struct agent_index_progress progress;
	struct agent_matches found;
	add(&d, 10, MINE, "weather-one", "forecasts");
	assert_int_equal(ask(&d, MINE, "weather", d.arena, &found), ERR_INDEX_STARTING);
	agent_index_progress(d.index, &progress);
	assert_false(progress.complete);
	read_anew(&d);
	agent_index_progress(d.index, &progress);
	assert_true(progress.complete && progress.agents == 1 && progress.total == 1);
	assert_int_equal(count(&d, MINE, "weather"), 1);
	desk_destroy(&d);
}

static void what_changed_is_read_and_found(void **state)
{
	struct desk d = desk_new(state);
	read_anew(&d);
	add(&d, 10, MINE, "weather-one", "forecasts");
	assert_int_equal(count(&d, MINE, "forecast"), 0);
	follow(&d, ENTITY_AGENT, 10);
	assert_int_equal(count(&d, MINE, "forecast"), 1);
	assert_int_equal(count(&d, THEIRS, "forecast"), 0);
	assert_int_equal(count(&d, 0, "forecast"), 0);
	assert_int_equal(count(&d, MINE, "!forecast"), 0);
	assert_int_equal(
		q_liveness_flip(d.kit->db, &(struct liveness_flip_in){.agent = 10, .status = STATUS_ONLINE}, 1),
		OK);
	follow(&d, ENTITY_LIVENESS, 10);
	assert_int_equal(count(&d, MINE, "!forecast"), 1);
	struct agent_full_row row = row_of(&d, 10);
	row.visibility = VISIBLE_PUBLIC;
	change(&d, &row);
	follow(&d, ENTITY_AGENT, 10);
	assert_int_equal(count(&d, THEIRS, "forecast"), 1);
	assert_int_equal(count(&d, 0, "!forecast"), 1);
	row.deleted_ms = 5;
	change(&d, &row);
	follow(&d, ENTITY_AGENT, 10);
	assert_int_equal(count(&d, MINE, ""), 0);
	follow(&d, ENTITY_LIVENESS, 10);
	follow(&d, ENTITY_AGENT, 11);
	desk_destroy(&d);
}

static void what_went_while_changes_were_missed_is_gone(void **state)
{
	struct desk d = desk_new(state);
	add(&d, 10, MINE, "weather-one", "forecasts");
	add(&d, 11, MINE, "weather-two", "forecasts");
	read_anew(&d);
	assert_int_equal(count(&d, MINE, "weather"), 2);
	struct agent_full_row row = row_of(&d, 10);
	row.deleted_ms = 5;
	change(&d, &row);
	read_anew(&d);
	assert_int_equal(count(&d, MINE, "weather"), 1);
	desk_destroy(&d);
}

/* ---- beside those who ask ---- */

struct asking {
	struct desk *d;
	_Atomic bool done;
	_Atomic int64_t answered;
};

/* All there are, or word that it is being read; never a part. */
static void *ask_on(void *arg)
{
	struct asking *s = arg;
	struct arena *a = arena_new(16 << 20);
	while (!atomic_load(&s->done)) {
		struct agent_matches found;
		arena_reset(a);
		enum err err = ask(s->d, MINE, "weather", a, &found);
		CHECK(err == ERR_INDEX_STARTING || (err == OK && found.count == AGENTS && found.n == 10));
		atomic_fetch_add(&s->answered, err == OK);
		sched_yield();
	}
	arena_destroy(&a);
	return NULL;
}

static void who_asks_while_it_is_read_anew_gets_all_or_nothing(void **state)
{
	struct desk d = desk_new(state);
	struct asking s = {.d = &d};
	pthread_t askers[ASKERS];
	char handle[32];
	assert_int_equal(db_begin(d.kit->db), OK);
	for (int64_t i = 0; i < AGENTS; i++) {
		snprintf(handle, sizeof(handle), "weather-%d", (int)i);
		add(&d, 10 + i, MINE, handle, "forecasts");
	}
	assert_int_equal(db_commit(d.kit->db), OK);
	for (int i = 0; i < ASKERS; i++)
		assert_int_equal(pthread_create(&askers[i], NULL, ask_on, &s), 0);
	for (int i = 0; i < ANEW; i++) {
		int64_t before = atomic_load(&s.answered);
		read_anew(&d);
		while (atomic_load(&s.answered) == before)
			sched_yield();
	}
	atomic_store(&s.done, true);
	for (int i = 0; i < ASKERS; i++)
		pthread_join(askers[i], NULL);
	desk_destroy(&d);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_is_answered_before_everything_was_read),
		cmocka_unit_test(what_changed_is_read_and_found),
		cmocka_unit_test(what_went_while_changes_were_missed_is_gone),
		cmocka_unit_test(who_asks_while_it_is_read_anew_gets_all_or_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
