/*
 * From a store's url to its connections: what libpq is told, and what the sessions are set to.
 *
 * The url is libpq's, but for `pooler=transaction`, which is ours: behind a pooler that gives each transaction
 * another session nothing may be left in one. Then what a session is set to, the url's `options` included, is set
 * in each transaction and for it alone, and statements have no names.
 */
#include "store/postgres_priv.h"

#include "base/magic.h"

#include <string.h>

enum { WORDS_MAX = 80, URL_MAX = 16384, TEXT_MAX = 1 << 16 };

struct setting {
	const char *name, *value;
};

/* For how long a statement may run, and a transaction wait for us while it holds its locks: who sleeps longer, because
 * his machine was stopped, loses it to those who want to go on. */
static const struct setting settings_of_all[] = {
	{"statement_timeout", "60s"},
	{"idle_in_transaction_session_timeout", "10s"},
	{"client_min_messages", "warning"},
	{"jit", "off"},
};

/* What is answered has reached the disk, whatever the database is set to. */
#define COMMITS_LAST                                      \
	"CASE WHEN current_setting('synchronous_commit')" \
	" = 'off' THEN set_config('synchronous_commit', 'on', "

/* Calls find their rows along indexes. The queue's table is small and full of dead rows, and its statistics say "empty"
 * most of the time: planned by them, each batch reads all of it. */
static const struct setting by_key = {"enable_seqscan", "off"};
static const struct setting session_writes = {"default_transaction_read_only", "off"};
static const struct setting session_reads = {"default_transaction_read_only", "on"};
static const struct setting transaction_reads = {"transaction_read_only", "on"};

/* ---- settings ---- */

static void put_quoted(struct buf *b, struct str s)
{
	buf_z(b, "E'");
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\'' || s.p[i] == '\\')
			buf_c(b, s.p[i]);
		buf_c(b, s.p[i]);
	}
	buf_c(b, '\'');
}

static void put_setting(struct buf *b, bool pooled, struct str name, struct str value)
{
	buf_z(b, "set_config(");
	put_quoted(b, name);
	buf_z(b, ", ");
	put_quoted(b, value);
	buf_z(b, pooled ? ", true), " : ", false), ");
}

static void put(struct buf *b, bool pooled, const struct setting *s)
{
	put_setting(b, pooled, str_of(s->name), str_of(s->value));
}

/* The next word of a server's command line: a backslash takes what follows as it is. */
static bool next_word(struct str *rest, struct buf *word)
{
	buf_reset(word);
	*rest = str_trim(*rest);
	for (; rest->n && *rest->p != ' '; rest->p++, rest->n--) {
		if (*rest->p == '\\' && rest->n > 1)
			rest->p++, rest->n--;
		buf_c(word, *rest->p);
	}
	return word->n > 0;
}

/* -c NAME=VALUE, also in one word, or --NAME=VALUE. */
static bool put_option(struct buf *b, struct str *rest, struct buf *word)
{
	struct str name, value;
	bool given;

	if (str_eqz(buf_str(word), "-c"))
		given = next_word(rest, word);
	else
		given = str_starts(buf_str(word), STR("-c")) || str_starts(buf_str(word), STR("--"));
	name = buf_str(word);
	if (given && name.n && *name.p == '-')
		name = (struct str){name.p + 2, name.n - 2};
	name = str_cut(name, '=', &value);
	for (char *p = word->p; p < name.p + name.n; p++)
		if (*p == '-')
			*p = '_';
	if (given && name.n && value.p)
		put_setting(b, true, name, value);
	return given && name.n && value.p;
}

static bool put_options(struct buf *b, struct str options)
{
	struct buf word = BUF_INIT(TEXT_MAX);
	bool good = true;

	while (good && next_word(&options, &word))
		good = put_option(b, &options, &word);
	buf_free(&word);
	return good;
}

static const char *option(const PQconninfoOption *all, const char *keyword)
{
	for (; all->keyword; all++)
		if (strcmp(all->keyword, keyword) == 0)
			return all->val;
	return NULL;
}

/* One statement. What the url sets comes first, so that ours has the last word, as in a session. */
static bool write_settings(struct pg_target *t, enum db_mode mode)
{
	const char *options = t->pooled ? option(t->options, "options") : NULL;
	struct buf b = BUF_INIT(TEXT_MAX);
	bool good;

	buf_z(&b, "SELECT ");
	good = put_options(&b, str_of(options));
	for (size_t i = 0; i < sizeof(settings_of_all) / sizeof(*settings_of_all); i++)
		put(&b, t->pooled, &settings_of_all[i]);
	if (mode != DB_READ)
		put(&b, t->pooled, &by_key);
	if (!t->pooled)
		put(&b, t->pooled, mode == DB_WRITE ? &session_writes : &session_reads);
	else if (mode != DB_WRITE)
		put(&b, t->pooled, &transaction_reads);
	buf_fmt(&b, COMMITS_LAST "%s) END", t->pooled ? "true" : "false");
	good = good && buf_ok(&b);
	t->settings[mode] = store_copy(buf_cstr(&b));
	buf_free(&b);
	return good;
}

/* ---- the url ---- */

/* Leaves our own word out of the url; *pooler is its value, without p when it does not stand there. */
static void cut_out_pooler(struct str url, struct buf *out, struct str *pooler)
{
	struct str query, pair;
	char between = '?';

	*pooler = (struct str){0};
	buf_str_add(out, str_cut(url, '?', &query));
	while (query.p) {
		pair = str_cut(query, '&', &query);
		if (str_starts(pair, STR("pooler="))) {
			str_cut(pair, '=', pooler);
			continue;
		}
		buf_c(out, between);
		buf_str_add(out, pair);
		between = '&';
	}
}

static enum err parse(struct str url, struct pg_target *t, struct problem *p)
{
	struct buf text = BUF_INIT(URL_MAX);
	struct str pooler;

	cut_out_pooler(url, &text, &pooler);
	if (buf_ok(&text))
		t->options = PQconninfoParse(buf_cstr(&text), NULL); /* its message would quote the password */
	buf_free(&text);
	t->pooled = pooler.p != NULL;
	if (!t->options)
		return problem_set(p, ERR_USAGE,
				   "the store's url is not one that PostgreSQL understands; it looks like "
				   "postgres://USER@HOST:PORT/DATABASE");
	if (t->pooled && !str_eqz(pooler, "transaction"))
		return problem_set(p, ERR_USAGE,
				   "pooler in the store's url can only be \"transaction\"; leave it out for one "
				   "that keeps a session for each connection");
	if (!write_settings(t, DB_READ) || !write_settings(t, DB_WRITE) || !write_settings(t, DB_REPLICA))
		return problem_set(p, ERR_USAGE,
				   "behind a pooler the options in the store's url can only be settings: "
				   "-c NAME=VALUE");
	return OK;
}

enum err pg_target_new(const char *url, struct pg_target *out, struct problem *p)
{
	enum err e;

	*out = (struct pg_target){0};
	e = parse(str_of(url), out, p);
	if (e != OK)
		pg_target_free(out);
	return e;
}

void pg_target_free(struct pg_target *t)
{
	PQconninfoFree(t->options);
	for (size_t i = 0; i < sizeof(t->settings) / sizeof(*t->settings); i++)
		free(t->settings[i]);
}

char *pg_target_name(const struct pg_target *t)
{
	const char *host = option(t->options, "host"), *port = option(t->options, "port");
	const char *database = option(t->options, "dbname");
	struct buf text = BUF_INIT(512);

	buf_z(&text, host ? host : "localhost");
	if (port)
		buf_fmt(&text, ":%s", port);
	if (database)
		buf_fmt(&text, "/%s", database);
	return text.p;
}

/* ---- dialling ---- */

/* What libpq is told, by name. */
struct words {
	const char *names[WORDS_MAX], *values[WORDS_MAX];
	size_t count;
};

static void say(struct words *w, const char *name, const char *value)
{
	CHECK(w->count + 1 < WORDS_MAX);
	w->names[w->count] = name;
	w->values[w->count++] = value;
}

/* Later words override earlier ones, so the url has the last say in all but the character set. A server that is
 * gone is noticed within a minute even when nothing is sent. */
PGconn *pg_target_dial(const struct pg_target *t, enum db_mode mode)
{
	struct words w = {0};

	say(&w, "connect_timeout", mode == DB_REPLICA ? "2" : "10");
	say(&w, "keepalives_idle", "20");
	say(&w, "keepalives_interval", "10");
	say(&w, "keepalives_count", "3");
	say(&w, "tcp_user_timeout", "30000");
	say(&w, "target_session_attrs", mode == DB_WRITE ? "read-write" : "any");
	say(&w, "fallback_application_name", "tenfold");
	for (const PQconninfoOption *o = t->options; o->keyword; o++)
		if (o->val && !(t->pooled && strcmp(o->keyword, "options") == 0))
			say(&w, o->keyword, o->val);
	say(&w, "client_encoding", "UTF8");
	return PQconnectdbParams(w.names, w.values, 0);
}
