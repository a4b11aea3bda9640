/*
 * The wrapped store is an ordinary one: each call is counted, struck by the first rule that fits, or passed on.
 *
 *   plan ──parse──► rules[]         call n ──strike()──► OK: pass on to the inner connection
 *                                                        else: undo what is under way there, answer the error
 *
 * The outer connection keeps the states that store.c knows (store_priv.h) beside the inner one's own; reflect()
 * carries a doom outward. Counters are atomic: connections of several threads share them.
 */
#include "store/fault.h"

#include "base/magic.h"
#include "store/store_priv.h"

#include <poll.h>
#include <stdatomic.h>
#include <string.h>

enum { RULES_MAX = 32, SLOW_MAX_MS = 600000 };

enum what { FAULT_FAIL, FAULT_BUSY, FAULT_FULL, FAULT_UNKNOWN, FAULT_LOST, FAULT_SLOW, FAULT_KINDS };

struct rule {
	enum what what;
	bool commits; /* the range is one of commits, not of calls */
	int64_t first, last;
	int64_t ms;
};

struct fault_store {
	struct store store;
	struct store *inner;
	struct rule rules[RULES_MAX];
	unsigned rule_count;
	atomic_bool armed;
	atomic_uint_fast64_t calls, commits;
};

struct fault_db {
	struct db db;
	struct fault_store *of;
	struct db *inner;
};

/* ---- plans ---- */

static bool parse_what(struct str word, enum what *out)
{
	static const char *const words[FAULT_KINDS] = {
		[FAULT_FAIL] = "fail",       [FAULT_BUSY] = "busy", [FAULT_FULL] = "full",
		[FAULT_UNKNOWN] = "unknown", [FAULT_LOST] = "lost", [FAULT_SLOW] = "slow",
	};

	for (unsigned i = 0; i < FAULT_KINDS; i++) {
		if (str_eqz(word, words[i])) {
			*out = (enum what)i;
			return true;
		}
	}
	return false;
}

/* "7", "7..9", "7..", "*", each of them of commits after a "c". */
static bool parse_range(struct str text, struct rule *r)
{
	struct str rest, first;

	r->commits = str_starts(text, STR("c"));
	if (r->commits)
		text = (struct str){text.p + 1, text.n - 1};
	if (str_eqz(text, "*")) {
		r->first = 1;
		r->last = INT64_MAX;
		return true;
	}
	first = str_cut(text, '.', &rest);
	if (!str_to_i64(first, &r->first) || r->first < 1)
		return false;
	r->last = rest.p ? INT64_MAX : r->first;
	if (!rest.p)
		return true;
	if (!str_starts(rest, STR(".")))
		return false;
	rest = (struct str){rest.p + 1, rest.n - 1};
	return rest.n == 0 || (str_to_i64(rest, &r->last) && r->last >= r->first);
}

static bool parse_rule(struct str text, struct rule *r)
{
	struct str range, ms;
	struct str word = str_cut(text, '@', &range);

	*r = (struct rule){0};
	range = str_cut(range, '=', &ms);
	if (!parse_what(word, &r->what) || !parse_range(range, r))
		return false;
	if (r->what == FAULT_SLOW)
		return str_to_i64(ms, &r->ms) && r->ms >= 0 && r->ms <= SLOW_MAX_MS;
	return !ms.p;
}

static enum err parse_plan(const char *plan, struct fault_store *f, struct problem *p)
{
	struct str rest = str_of(plan);

	while (rest.n) {
		struct str text = str_trim(str_cut(rest, ',', &rest));

		if (f->rule_count == RULES_MAX)
			return problem_set(p, ERR_USAGE, "a fault plan has at most %d parts", RULES_MAX);
		if (!parse_rule(text, &f->rules[f->rule_count++]))
			return problem_set(
				p, ERR_USAGE,
				"fault plan: \"%.*s\" should be fail, busy, full, unknown, lost or slow, then "
				"@N, @N..M, @N.. or @*, with c before N to count commits, and =MS for slow",
				STRF(text));
	}
	return OK;
}

/* ---- striking ---- */

static bool fits(const struct rule *r, int64_t call, int64_t commit)
{
	int64_t n = r->commits ? commit : call;

	if ((r->what == FAULT_UNKNOWN || r->what == FAULT_LOST) && commit == 0)
		return false;
	return n >= r->first && n <= r->last;
}

static void wait_ms(int64_t ms)
{
	poll(NULL, 0, (int)ms); /* being slow is what it is for */
}

/* Counts a call; says what is to happen to it, FAULT_KINDS for nothing. */
static enum what count_call(struct fault_store *f, bool is_commit)
{
	int64_t call, commit;

	if (!atomic_load(&f->armed))
		return FAULT_KINDS;
	call = (int64_t)atomic_fetch_add(&f->calls, 1) + 1;
	commit = is_commit ? (int64_t)atomic_fetch_add(&f->commits, 1) + 1 : 0;
	for (unsigned i = 0; i < f->rule_count; i++) {
		const struct rule *r = &f->rules[i];

		if (!fits(r, call, commit))
			continue;
		if (r->what != FAULT_SLOW)
			return r->what;
		wait_ms(r->ms);
	}
	return FAULT_KINDS;
}

static enum err lose(struct fault_db *f, enum err e)
{
	db_rollback(f->inner);
	f->db.lost = true;
	f->db.place = (struct log_place){0};
	f->db.gone = f->db.transaction != TRANSACTION_NONE;
	return db_doom(&f->db, e);
}

static enum err apply(struct fault_db *f, enum what what)
{
	switch (what) {
	case FAULT_FAIL:
		return lose(f, ERR_STORE_UNAVAILABLE);
	case FAULT_BUSY:
		return db_doom(&f->db, ERR_STORE_BUSY);
	case FAULT_FULL:
		return db_doom(&f->db, ERR_STORE_FULL);
	case FAULT_LOST:
		return lose(f, ERR_OUTCOME_UNKNOWN);
	case FAULT_UNKNOWN: /* by commit(), which first lets it happen */
	case FAULT_SLOW:
	case FAULT_KINDS:
		return OK;
	}
	UNREACHABLE();
}

/* Before each call but a commit. */
static enum err strike(struct db *db, struct fault_db **out)
{
	struct fault_db *f = CONTAINER_OF(db, struct fault_db, db);

	*out = f;
	return apply(f, count_call(f->of, false));
}

/* After a call that was passed on. */
static enum err reflect(struct fault_db *f, enum err e)
{
	if (f->inner->doom != OK)
		db_doom(&f->db, f->inner->doom);
	f->db.gone = f->inner->gone;
	f->db.lost = f->inner->lost;
	return e;
}

/* ---- the driver ---- */

static enum err begin(struct db *db)
{
	struct fault_db *f;
	enum err e = strike(db, &f);

	return e == OK ? reflect(f, db_begin(f->inner)) : e;
}

static void rollback(struct db *db)
{
	db_rollback(CONTAINER_OF(db, struct fault_db, db)->inner);
}

static enum err commit(struct db *db)
{
	struct fault_db *f = CONTAINER_OF(db, struct fault_db, db);
	enum what what = count_call(f->of, true);
	enum err e = apply(f, what);

	if (e == OK) {
		e = db_commit(f->inner);
		db->place = f->inner->place;
	} else {
		db_rollback(f->inner);
	}
	f->db.lost = f->db.lost || f->inner->lost;
	return e == OK && what == FAULT_UNKNOWN ? lose(f, ERR_OUTCOME_UNKNOWN) : e;
}

static enum err savepoint(struct db *db)
{
	struct fault_db *f;
	enum err e = strike(db, &f);

	return e == OK ? reflect(f, db_savepoint(f->inner)) : e;
}

static enum err release(struct db *db)
{
	struct fault_db *f;
	enum err e = strike(db, &f);

	return e == OK ? reflect(f, db_savepoint_release(f->inner)) : e;
}

static enum err undo(struct db *db)
{
	struct fault_db *f;
	enum err e = strike(db, &f);

	return e == OK ? reflect(f, db_savepoint_undo(f->inner)) : e;
}

static enum err prepare(struct db *db, const struct query *q)
{
	struct fault_db *f = CONTAINER_OF(db, struct fault_db, db);

	return reflect(f, db_prepare(f->inner, q));
}

static enum err exec(struct db *db, const struct query *q, const void *in)
{
	struct fault_db *f;
	enum err e = strike(db, &f);

	return e == OK ? reflect(f, db_exec(f->inner, q, in)) : e;
}

static enum err one(struct db *db, const struct query *q, const void *in, struct arena *a, void *out)
{
	struct fault_db *f;
	enum err e = strike(db, &f);

	return e == OK ? reflect(f, db_one(f->inner, q, in, a, out)) : e;
}

static enum err many(struct db *db, const struct query *q, const void *in, db_row_fn *each, void *ctx)
{
	struct fault_db *f;
	enum err e = strike(db, &f);

	return e == OK ? reflect(f, db_many(f->inner, q, in, each, ctx)) : e;
}

static enum err batch(struct db *db, const struct query *q, const void *rows, size_t count)
{
	struct fault_db *f;
	enum err e = strike(db, &f);

	return e == OK ? reflect(f, db_batch(f->inner, q, rows, count)) : e;
}

static enum err each_row(struct db *db, const struct query *q, const void *ins, size_t count, db_each_fn *each,
			 void *ctx)
{
	struct fault_db *f;
	enum err e = strike(db, &f);

	return e == OK ? reflect(f, db_each(f->inner, q, ins, count, each, ctx)) : e;
}

static enum err lock_schema(struct db *db)
{
	struct fault_db *f = CONTAINER_OF(db, struct fault_db, db);

	return reflect(f, db_lock_schema(f->inner));
}

static enum err script(struct db *db, const char *sql, struct problem *p)
{
	struct fault_db *f = CONTAINER_OF(db, struct fault_db, db);

	return reflect(f, db_script(f->inner, sql, p));
}

static void maintain(struct db *db, bool idle)
{
	db_maintain(CONTAINER_OF(db, struct fault_db, db)->inner, idle);
}

static int64_t wal_bytes(struct db *db)
{
	return db_wal_bytes(CONTAINER_OF(db, struct fault_db, db)->inner);
}

static enum err place(struct db *db, struct log_place *out)
{
	*out = db_place(CONTAINER_OF(db, struct fault_db, db)->inner);
	return OK;
}

static void disconnect(struct db *db)
{
	struct fault_db *f = CONTAINER_OF(db, struct fault_db, db);

	db_close(&f->inner);
	free(f);
}

static enum err reconnect(struct db *db, struct problem *p)
{
	struct fault_db *f = CONTAINER_OF(db, struct fault_db, db);
	enum err e = apply(f, count_call(f->of, false));

	if (e != OK)
		return problem_set(p, e, "%s", err_info(e)->title);
	return db_reconnect(f->inner, p);
}

static enum err check(struct db *db)
{
	struct fault_db *f;
	enum err e = strike(db, &f);

	return e == OK ? reflect(f, db_check(f->inner)) : e;
}

static bool hung_up(const struct db *db)
{
	return db_lost(((const struct fault_db *)(const void *)db)->inner);
}

static struct fault_store *fault_of(struct store *s);

static enum err connect_to(struct store *s, enum db_mode mode, struct db **out, struct problem *p)
{
	struct fault_store *of = fault_of(s);
	struct fault_db *f = NEW(struct fault_db);
	enum err e;

	of->inner->notes_places = s->notes_places;
	e = store_connect(of->inner, mode, &f->inner, p);
	f->of = of;
	if (e == OK)
		*out = &f->db;
	else
		free(f);
	return e;
}

static void close_store(struct store *s)
{
	struct fault_store *f = CONTAINER_OF(s, struct fault_store, store);

	store_close(&f->inner);
	free(f);
}

static const struct store_driver driver = {
	.close = close_store,
	.connect = connect_to,
	.disconnect = disconnect,
	.reconnect = reconnect,
	.hung_up = hung_up,
	.check = check,
	.begin = begin,
	.commit = commit,
	.rollback = rollback,
	.savepoint = savepoint,
	.release = release,
	.undo = undo,
	.prepare = prepare,
	.exec = exec,
	.one = one,
	.many = many,
	.batch = batch,
	.each = each_row,
	.lock_schema = lock_schema,
	.script = script,
	.maintain = maintain,
	.wal_bytes = wal_bytes,
	.place = place,
};

static struct fault_store *fault_of(struct store *s)
{
	CHECK_OBJ(s, STORE_MAGIC);
	CHECK(s->driver == &driver);
	return CONTAINER_OF(s, struct fault_store, store);
}

enum err fault_wrap(struct store **s, const char *plan, struct problem *p)
{
	struct fault_store *f = NEW(struct fault_store);
	enum err e = parse_plan(plan, f, p);

	if (e != OK) {
		free(f);
		return e;
	}
	f->inner = *s;
	f->store = (struct store){.magic = STORE_MAGIC, .driver = &driver, .kind = store_kind(*s)};
	f->store.name = store_copy(store_name(*s));
	*s = &f->store;
	return OK;
}

void fault_arm(struct store *s)
{
	struct fault_store *f = fault_of(s);

	atomic_store(&f->calls, 0);
	atomic_store(&f->commits, 0);
	atomic_store(&f->armed, true);
}

uint64_t fault_calls(const struct store *s)
{
	CHECK_OBJ(s, STORE_MAGIC);
	CHECK(s->driver == &driver);
	return atomic_load(&((const struct fault_store *)(const void *)s)->calls);
}

uint64_t fault_commits(const struct store *s)
{
	CHECK_OBJ(s, STORE_MAGIC);
	CHECK(s->driver == &driver);
	return atomic_load(&((const struct fault_store *)(const void *)s)->commits);
}
