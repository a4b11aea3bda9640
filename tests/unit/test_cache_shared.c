/*
 * L2 on a real Redis that is killed, stopped, emptied, set back and filled with lies; each cache is a node. Whatever it
 * does: what a node was told to be void it never answers with.
 */
#include "redis_kit.h"

#include "cache_kit.h"

#include <poll.h>

enum { LIFE_MS = 60000, LONG_AGO_MS = 1000000, ID = 17 };

static struct redis_kit *kit;
static struct redis *admin; /* to look, and to do harm */
static struct arena *arena;

static int group_setup(void **state)
{
	(void)state;
	kit = redis_kit_new();
	return 0;
}

static int group_teardown(void **state)
{
	(void)state;
	redis_kit_free(kit);
	return 0;
}

static int setup(void **state)
{
	(void)state;
	admin = redis_kit_client(kit);
	KIT_DO(admin, "FLUSHALL");
	arena = arena_new(16 << 20);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_destroy(&arena);
	redis_destroy(&admin);
	return 0;
}

/* ---- nodes ---- */

struct node {
	struct cache *c;
	struct redis *r;
};

static struct node node_at(const char *url, int timeout_ms)
{
	struct node n = {.r = kit_client(url, timeout_ms)};

	n.c = cache_new(&(struct cache_config){.max_bytes = KIT_BYTES,
					       .seed = 5,
					       .redis = n.r,
					       .prefix = STR("t"),
					       .shared_ttl_ms = LIFE_MS,
					       .now_ms = kit_now_ms()});
	cache_trust(n.c, INT64_MAX);
	cache_told_since(n.c, kit_now_ms() - LONG_AGO_MS);
	return n;
}

static struct node node_new(void)
{
	struct node n = node_at(kit->url, KIT_TIMEOUT_MS);

	assert_true(redis_wait(n.r, KIT_PATIENCE_MS));
	return n;
}

static void node_free(struct node *n)
{
	cache_destroy(&n->c);
	redis_destroy(&n->r);
}

static struct cache_stats stats_of(const struct node *n)
{
	struct cache_stats s;

	cache_stats_get(n->c, kit_now_ms(), &s);
	return s;
}

static struct cache_key key_of(int64_t id)
{
	static struct kit_name names[16];
	struct cache_key k = kit_key(&names[id % 16], "row", id);

	k.shared = true;
	return k;
}

static void settle(const struct node *n)
{
	KIT_UNTIL(stats_of(n).shared_waiting == 0);
}

/* The version that it answers with when `version` is what the store has; and then all is told. */
static int64_t read_row(const struct node *n, int64_t id, int64_t version)
{
	struct cache_key k = key_of(id);
	struct cache_fill fill;
	struct cache_blob *b = cache_begin(n->c, &k, kit_now_ms(), &fill);
	int64_t answered;

	if (!b) {
		b = kit_blob(id, version, 0);
		cache_put(&fill, b, KIT_TTL_MS, kit_now_ms());
		settle(n);
	}
	kit_check(b, id);
	answered = b->version;
	cache_blob_drop(&b);
	return answered;
}

static void tell(const struct node *n, int64_t id, int64_t version)
{
	struct cache_key k = key_of(id);

	cache_invalidate(n->c, &k, version, kit_now_ms());
	settle(n);
}

/* So that only L2 is left to answer. */
static void forget_locally(const struct node *n)
{
	cache_flush(n->c, kit_now_ms());
	cache_told_since(n->c, kit_now_ms() - LONG_AGO_MS);
}

/* What stands in Redis for the row, as bytes. */
static struct str stored(int64_t id)
{
	struct redis_reply reply;
	char name[32];

	snprintf(name, sizeof(name), "t:c1:row/%lld", (long long)id);
	assert_int_equal(KIT_RUN(admin, arena, &reply, "GET", name), OK);
	return reply.kind == REDIS_TEXT ? reply.text : (struct str){0};
}

static void store(int64_t id, struct str value)
{
	struct redis_reply reply;
	char name[32];

	snprintf(name, sizeof(name), "t:c1:row/%lld", (long long)id);
	struct str args[] = {STR("SET"), str_of(name), value};
	assert_int_equal(redis_run(admin, arena, &(struct redis_command){.args = args, .count = 3}, 1, &reply), OK);
}

/* ---- well ---- */

static void what_one_node_loaded_another_finds(void **state)
{
	struct node a = node_new(), b = node_new();

	(void)state;
	assert_int_equal(read_row(&a, ID, 3), 3);
	assert_int_equal(read_row(&b, ID, 99), 3);
	assert_int_equal(stats_of(&b).shared_hits, 1);
	assert_int_equal(stats_of(&b).loads, 0);
	assert_int_equal(read_row(&b, ID, 99), 3); /* from L1 now */
	assert_int_equal(stats_of(&b).shared_hits, 1);
	node_free(&a);
	node_free(&b);
}

static void only_what_is_shared_and_has_a_version_stands_there(void **state)
{
	struct node a = node_new();
	struct kit_name name;
	struct cache_key own = kit_key(&name, "own", 1);

	(void)state;
	kit_load(a.c, &own, 1, 1, kit_now_ms());
	own.shared = true;
	cache_invalidate(a.c, &own, 0, kit_now_ms());
	kit_load(a.c, &own, 1, 0, kit_now_ms());
	settle(&a);
	KIT_DO(admin, "PING");
	assert_int_equal(stored(1).n, 0);
	assert_int_equal(stats_of(&a).shared_writes, 1); /* the invalidation */
	node_free(&a);
}

static void a_change_told_on_one_node_is_not_overwritten_by_an_older_load_on_another(void **state)
{
	struct node a = node_new(), b = node_new(), c = node_new();
	struct cache_key k = key_of(ID);
	struct cache_fill slow;
	struct cache_blob *old = kit_blob(ID, 1, 0);

	(void)state;
	assert_null(cache_begin(a.c, &k, kit_now_ms(), &slow)); /* reads version 1 */
	tell(&b, ID, 2);
	cache_put(&slow, old, KIT_TTL_MS, kit_now_ms()); /* a does not know yet */
	settle(&a);
	assert_int_equal(read_row(&c, ID, 2), 2);
	assert_int_equal(stats_of(&c).shared_hits, 0);
	forget_locally(&b);
	assert_int_equal(read_row(&b, ID, 99), 2); /* that of c */
	cache_blob_drop(&old);
	node_free(&a);
	node_free(&b);
	node_free(&c);
}

/* From b to c, 9 to 10: it is numbers that are compared. */
static void a_newer_load_takes_the_place_of_an_older_one(void **state)
{
	struct node a = node_new(), b = node_new();

	(void)state;
	assert_int_equal(read_row(&a, ID, 9), 9);
	tell(&b, ID, 10);
	assert_int_equal(read_row(&b, ID, 10), 10);
	forget_locally(&b);
	assert_int_equal(read_row(&b, ID, 99), 10);
	node_free(&a);
	node_free(&b);
}

/* The writer tells after its commit, and each node's follower again, when others may have loaded it anew. */
static void what_is_told_again_takes_nothing_away(void **state)
{
	struct node a = node_new(), b = node_new();

	(void)state;
	tell(&a, ID, 2);
	assert_int_equal(read_row(&a, ID, 2), 2);
	tell(&a, ID, 2);
	tell(&b, ID, 2);
	assert_int_equal(read_row(&b, ID, 99), 2);
	assert_int_equal(stats_of(&b).shared_hits, 1);
	node_free(&a);
	node_free(&b);
}

static void a_blob_from_redis_lives_no_longer_than_it_would_have_there(void **state)
{
	struct node a = node_new(), b = node_new();
	struct cache_key k = key_of(ID);
	struct cache_blob *got;

	(void)state;
	read_row(&a, ID, 1);
	read_row(&b, ID, 1);
	got = cache_get(b.c, &k, kit_now_ms());
	assert_non_null(got);
	assert_true(got->expires_ms <= kit_now_ms() + LIFE_MS * 9 / 10);
	cache_blob_drop(&got);
	node_free(&a);
	node_free(&b);
}

/* What it was not told of may stand there. */
static void a_new_node_believes_redis_only_when_it_knows_what_changed(void **state)
{
	struct node a = node_new(), b = node_new();

	(void)state;
	read_row(&a, ID, 1);
	cache_told_since(b.c, kit_now_ms());
	assert_false(stats_of(&b).shared_open);
	assert_int_equal(read_row(&b, ID, 2), 2);
	cache_flush(b.c, kit_now_ms());
	assert_false(stats_of(&b).shared_open);
	cache_told_since(b.c, kit_now_ms() - LONG_AGO_MS);
	assert_true(stats_of(&b).shared_open);
	node_free(&a);
	node_free(&b);
}

/* ---- lies ---- */

static struct str changed_at(struct str s, size_t i)
{
	struct str copy = arena_str(arena, s);
	char *p = arena_array(arena, s.n, 1);

	memcpy(p, copy.p, s.n);
	p[i] ^= 1;
	return (struct str){p, s.n};
}

static void expect_lie(const struct node *n, const char *what)
{
	uint64_t lies = stats_of(n).shared_lies;

	forget_locally(n);
	assert_row(what, read_row(n, ID, 5) == 5);
	assert_row(what, stats_of(n).shared_lies == lies + 1);
	forget_locally(n);
	assert_row(what, read_row(n, ID, 99) == 5); /* it was put right */
}

static void what_was_not_put_there_is_a_miss_and_is_put_right(void **state)
{
	struct node a = node_new();
	struct str good, other;

	(void)state;
	read_row(&a, ID, 4);
	good = stored(ID);
	read_row(&a, ID + 1, 4);
	other = stored(ID + 1);
	for (size_t i = 0; i < good.n; i++) {
		store(ID, changed_at(good, i));
		expect_lie(&a, "a byte changed");
	}
	for (size_t n = 0; n < good.n; n++) {
		store(ID, (struct str){good.p, n});
		expect_lie(&a, "cut short");
	}
	store(ID, STR("tfc1bzzzzzzzzzzzzzzzzzzz"));
	expect_lie(&a, "a head with no number");
	store(ID, other);
	expect_lie(&a, "the value of another key");
	KIT_DO(admin, "DEL", "t:c1:row/17");
	KIT_DO(admin, "LPUSH", "t:c1:row/17", "x");
	expect_lie(&a, "a list");
	node_free(&a);
}

/* A dump of yesterday is loaded, or a replica that had not heard takes over: what was told is not there any more. */
static void a_redis_that_was_set_back_in_time_is_not_believed(void **state)
{
	struct node a = node_new(), b = node_new();
	struct str old;

	(void)state;
	read_row(&a, ID, 1);
	read_row(&b, ID, 1);
	old = stored(ID);
	tell(&a, ID, 2);
	tell(&b, ID, 2);
	store(ID, old);
	assert_int_equal(read_row(&a, ID, 2), 2);
	assert_int_equal(stats_of(&a).shared_stale, 1);
	assert_int_equal(stats_of(&a).shared_hits, 0);
	forget_locally(&b);
	assert_int_equal(read_row(&b, ID, 99), 2); /* which a has put there */
	node_free(&a);
	node_free(&b);
}

/* ---- one that is not Redis, with a clock that the test holds ---- */

struct fake {
	int listener, port;
	pthread_t thread;
	pthread_mutex_t lock;
	struct buf answer; /* to GET and TIME, as the protocol has it */
};

static size_t times_in(const char *text, size_t n, const char *word)
{
	size_t times = 0;

	for (const char *at = text; (at = memmem(at, n - (size_t)(at - text), word, strlen(word))); at++)
		times++;
	return times;
}

/* Whether it has more to say to this one. */
static bool fake_answer(struct fake *f, int fd)
{
	char asked[8192];
	ssize_t n = recv(fd, asked, sizeof(asked), 0);
	size_t writes;

	if (n <= 0)
		return false;
	writes = times_in(asked, (size_t)n, "\r\nEVALSHA\r\n") + times_in(asked, (size_t)n, "\r\nDEL\r\n");
	if (times_in(asked, (size_t)n, "\r\nPING\r\n"))
		send(fd, "+PONG\r\n", 7, MSG_NOSIGNAL);
	while (writes-- > 0)
		send(fd, ":1\r\n", 4, MSG_NOSIGNAL);
	if (times_in(asked, (size_t)n, "\r\nGET\r\n")) {
		pthread_mutex_lock(&f->lock);
		send(fd, f->answer.p, f->answer.n, MSG_NOSIGNAL);
		pthread_mutex_unlock(&f->lock);
	}
	return true;
}

static void *fake_on(void *arg)
{
	enum { PEERS = 8 };
	struct fake *f = arg;
	struct pollfd fds[PEERS] = {{f->listener, POLLIN, 0}};
	nfds_t n = 1;

	while (poll(fds, n, -1) > 0 && !(fds[0].revents & ~POLLIN)) {
		for (nfds_t i = n; i-- > 1;)
			if (fds[i].revents && !fake_answer(f, fds[i].fd)) {
				close(fds[i].fd);
				fds[i] = fds[--n];
			}
		if (fds[0].revents && n < PEERS)
			fds[n++] = (struct pollfd){accept(f->listener, NULL, NULL), POLLIN, 0};
	}
	while (n > 1)
		close(fds[--n].fd);
	return NULL;
}

/* It has a blob of that row, which dies so long from now. */
static void fake_set(struct fake *f, int64_t seconds, int64_t dies_in_ms)
{
	struct buf value = BUF_INIT(0);
	struct cache_blob *b = kit_blob(ID, 1, 0);
	struct wire w = {.key = STR("t:c1:row/17"),
			 .version = 1,
			 .dies_ms = seconds * 1000 + dies_in_ms,
			 .tags = {ID, 1},
			 .etag = b->etag,
			 .body = b->body};

	wire_write(&value, &w);
	pthread_mutex_lock(&f->lock);
	buf_reset(&f->answer);
	buf_fmt(&f->answer, "$%zu\r\n", value.n);
	buf_str_add(&f->answer, buf_str(&value));
	buf_fmt(&f->answer, "\r\n*2\r\n$10\r\n%lld\r\n$1\r\n0\r\n", (long long)seconds);
	pthread_mutex_unlock(&f->lock);
	buf_free(&value);
	cache_blob_drop(&b);
}

static void lives_and_dies_by_the_clock_of_redis_which_must_not_jump(void **state)
{
	enum { NOW_S = 1764000000 };
	struct fake f = {.lock = PTHREAD_MUTEX_INITIALIZER};
	struct node a;
	char url[64];

	(void)state;
	f.listener = kit_listen(&f.port);
	fake_set(&f, NOW_S, LIFE_MS);
	assert_int_equal(pthread_create(&f.thread, NULL, fake_on, &f), 0);
	snprintf(url, sizeof(url), "redis://127.0.0.1:%d", f.port);
	a = node_at(url, KIT_TIMEOUT_MS);
	assert_true(redis_wait(a.r, KIT_PATIENCE_MS));
	assert_int_equal(read_row(&a, ID, 2), 1);
	forget_locally(&a);
	fake_set(&f, NOW_S, 0); /* dead, though Redis has not noticed */
	assert_int_equal(read_row(&a, ID, 2), 2);
	assert_int_equal(stats_of(&a).shared_lies, 0);
	forget_locally(&a);
	fake_set(&f, NOW_S, LIFE_MS + 1); /* nobody gives so long a life */
	assert_int_equal(read_row(&a, ID, 2), 2);
	assert_int_equal(stats_of(&a).shared_lies, 1);
	forget_locally(&a);
	fake_set(&f, NOW_S - 30, LIFE_MS / 2); /* the clock went back: the dead would live again */
	assert_int_equal(read_row(&a, ID, 2), 2);
	assert_false(stats_of(&a).shared_open);
	node_free(&a);
	shutdown(f.listener, SHUT_RDWR);
	assert_int_equal(pthread_join(f.thread, NULL), 0);
	close(f.listener);
	buf_free(&f.answer);
}

/* ---- away ---- */

static void without_redis_it_goes_on_alone_and_with_it_again(void **state)
{
	struct node a = node_new(), b = node_new();

	(void)state;
	read_row(&a, ID, 1);
	redis_kit_kill(kit);
	assert_int_equal(read_row(&b, ID, 1), 1);
	tell(&a, ID, 2);
	tell(&b, ID, 2);
	assert_int_equal(read_row(&a, ID, 2), 2);
	assert_int_equal(read_row(&a, ID, 99), 2);
	assert_true(stats_of(&a).shared_errors > 0 && stats_of(&a).shared_dropped > 0);
	redis_kit_start(kit);
	assert_true(redis_wait(a.r, KIT_PATIENCE_MS) && redis_wait(b.r, KIT_PATIENCE_MS));
	forget_locally(&a);
	assert_int_equal(read_row(&a, ID, 2), 2);
	assert_int_equal(read_row(&b, ID, 99), 2);
	assert_int_equal(stats_of(&b).shared_hits, 1);
	node_free(&a);
	node_free(&b);
}

/* The change is told while Redis stands still; then it goes on, with the old blob and with whatever lies in its
 * sockets. */
static void a_change_that_redis_never_heard_of_is_void_all_the_same(void **state)
{
	enum { TIMEOUT_MS = 100 };
	struct node a = node_at(kit->url, TIMEOUT_MS), b = node_at(kit->url, TIMEOUT_MS);
	int64_t start_ms;

	(void)state;
	assert_true(redis_wait(a.r, KIT_PATIENCE_MS) && redis_wait(b.r, KIT_PATIENCE_MS));
	read_row(&a, ID, 1);
	assert_true(stored(ID).n > 0);
	redis_kit_stop(kit);
	start_ms = kit_now_ms();
	tell(&a, ID, 2);
	tell(&b, ID, 2);
	assert_int_equal(read_row(&b, ID, 2), 2);
	assert_true(kit_now_ms() - start_ms < KIT_PATIENCE_MS);
	redis_kit_go_on(kit);
	assert_true(redis_wait(a.r, KIT_PATIENCE_MS) && redis_wait(b.r, KIT_PATIENCE_MS));
	assert_int_equal(read_row(&a, ID, 2), 2);
	forget_locally(&b);
	assert_int_equal(read_row(&b, ID, 2), 2);
	node_free(&a);
	node_free(&b);
}

static void a_wrong_password_is_as_no_redis(void **state)
{
	struct node a;
	char url[128];

	(void)state;
	snprintf(url, sizeof(url), "redis://:wrong@127.0.0.1:%d", kit->port);
	a = node_at(url, KIT_TIMEOUT_MS);
	assert_int_equal(read_row(&a, ID, 1), 1);
	tell(&a, ID, 2);
	assert_int_equal(read_row(&a, ID, 2), 2);
	assert_int_equal(read_row(&a, ID, 99), 2);
	node_free(&a);
}

/* ---- anything ---- */

enum { ROWS = 6, NODES = 2, STEPS = HAS_TSAN || HAS_ASAN ? 1500 : 6000 };

struct world {
	struct rng r;
	struct node nodes[NODES];
	int64_t committed[ROWS], told[NODES][ROWS];
	struct str before[ROWS]; /* a value that stood there once */
};

static void harm(struct world *w, int64_t row)
{
	switch (rng_below(&w->r, 4)) {
	case 0:
		KIT_DO(admin, "FLUSHALL");
		break;
	case 1:
		w->before[row] = stored(row);
		break;
	case 2:
		if (w->before[row].n)
			store(row, w->before[row]);
		break;
	default:
		if (w->before[row].n)
			store(row, changed_at(w->before[row], rng_below(&w->r, w->before[row].n)));
	}
}

static void step(struct world *w)
{
	int64_t row = (int64_t)rng_below(&w->r, ROWS), got;
	size_t i = rng_below(&w->r, NODES);
	struct cache_key k = key_of(row);

	switch (rng_below(&w->r, 8)) {
	case 0:
		w->committed[row]++;
		break;
	case 1:
		cache_invalidate(w->nodes[i].c, &k, rng_below(&w->r, 5) ? w->committed[row] : 0, kit_now_ms());
		w->told[i][row] = w->committed[row];
		break;
	case 2:
		harm(w, row);
		break;
	case 3:
		cache_invalidate_group(w->nodes[i].c, 1);
		break;
	default:
		got = read_row(&w->nodes[i], row, w->committed[row]);
		assert_true(got >= w->told[i][row] && got <= w->committed[row]);
		if (got < w->committed[row] || rng_below(&w->r, 2)) {
			k.shared = false; /* only L1 forgets it: no change is told */
			cache_invalidate(w->nodes[i].c, &k, 0, kit_now_ms());
		}
	}
}

static void whatever_happens_no_node_reads_what_it_was_told_is_void(void **state)
{
	struct world w = {.r = test_seed()};
	uint64_t hits = 0, stale = 0;

	(void)state;
	for (int i = 0; i < NODES; i++)
		w.nodes[i] = node_new();
	for (int i = 0; i < ROWS; i++)
		w.committed[i] = 1;
	for (int i = 0; i < STEPS; i++)
		step(&w);
	for (int i = 0; i < NODES; i++) {
		hits += stats_of(&w.nodes[i]).shared_hits;
		stale += stats_of(&w.nodes[i]).shared_stale;
		node_free(&w.nodes[i]);
	}
	assert_true(hits > 0 && stale > 0);
}

#define WITH_REDIS(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_REDIS(what_one_node_loaded_another_finds),
		WITH_REDIS(only_what_is_shared_and_has_a_version_stands_there),
		WITH_REDIS(a_change_told_on_one_node_is_not_overwritten_by_an_older_load_on_another),
		WITH_REDIS(a_newer_load_takes_the_place_of_an_older_one),
		WITH_REDIS(what_is_told_again_takes_nothing_away),
		WITH_REDIS(a_blob_from_redis_lives_no_longer_than_it_would_have_there),
		WITH_REDIS(a_new_node_believes_redis_only_when_it_knows_what_changed),
		WITH_REDIS(what_was_not_put_there_is_a_miss_and_is_put_right),
		WITH_REDIS(a_redis_that_was_set_back_in_time_is_not_believed),
		WITH_REDIS(lives_and_dies_by_the_clock_of_redis_which_must_not_jump),
		WITH_REDIS(without_redis_it_goes_on_alone_and_with_it_again),
		WITH_REDIS(a_change_that_redis_never_heard_of_is_void_all_the_same),
		WITH_REDIS(a_wrong_password_is_as_no_redis),
		WITH_REDIS(whatever_happens_no_node_reads_what_it_was_told_is_void),
	};

	kit_need_redis();
	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
