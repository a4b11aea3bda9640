/*
 * What the search index does a second, on one core, over made-up documents or those of this machine's Debian.
 *
 *	search_bench synthetic|debian [--docs N] [--queries FILE] [--seconds S] [--writer]
 *
 * A file of queries has one a line, as anybody would type it; without one, one to four words are taken from documents.
 * --writer changes a document from a second thread for every ten queries. Each line of the output is a kind of query
 * and its figures; hits are counted so that two runs can be seen to have done the same.
 */
#include "search_kit/corpus.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/rng.h"

#include <math.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { VOCABULARY = 8000, FLAT = 10, QUERIES = 3000, LIMIT = 20, NS_S = 1000000000 };

struct bench {
	struct rng r;
	struct corpus corpus;
	struct buf text; /* of made-up documents */
	VEC(struct str) queries;
	struct search *s;
	struct search_reader *reader;
	size_t docs;
	double seconds;
	bool writer;
	sem_t turn; /* the writer's, given by the reader */
	_Atomic bool stop;
	uint64_t written;
};

static const char *const sections[] = {"tool", "service", "assistant", "autonomous"};

/* ---- documents ---- */

/* Word w is as frequent as 1 / (w + FLAT): a quarter of all documents have the most frequent one. */
static size_t zipf(struct rng *r)
{
	double u = (double)rng_below(r, 1 << 30) / (1 << 30);

	return (size_t)(FLAT * pow((VOCABULARY + FLAT) / (double)FLAT, u) - FLAT);
}

static void add_word(struct buf *b, size_t w)
{
	static const char *const syllables[] = {"ka", "ri", "to", "ne", "mu", "sel", "dor", "vin", "pa", "lex"};

	for (w += 100; w; w /= 10)
		buf_z(b, syllables[w % 10]);
	buf_c(b, ' ');
}

static struct str made_up_text(struct bench *b, size_t words)
{
	size_t from = b->text.n;

	for (size_t i = 0; i < words; i++)
		add_word(&b->text, zipf(&b->r));
	return (struct str){(const char *)from, b->text.n - from}; /* an offset until the buffer stops moving */
}

static void settle(struct bench *b, struct str *s)
{
	*s = (struct str){b->text.p + (uintptr_t)s->p, s->n};
}

static void make_up_docs(struct bench *b)
{
	b->text = BUF_INIT((size_t)4 << 30);
	for (size_t i = 0; i < b->docs; i++) {
		struct corpus_doc *d = VEC_PUSH(&b->corpus.docs);

		d->name = made_up_text(b, 2);
		d->tags = made_up_text(b, 5);
		d->description = made_up_text(b, 8 + rng_below(&b->r, 16));
		d->section = str_of(sections[rng_below(&b->r, 4)]);
		d->priority = str_of(rng_below(&b->r, 5) ? "online" : "offline");
	}
	CHECK(buf_ok(&b->text));
	for (size_t i = 0; i < b->docs; i++) {
		struct corpus_doc *d = &b->corpus.docs.v[i];

		settle(b, &d->name);
		settle(b, &d->tags);
		settle(b, &d->description);
	}
}

static const struct corpus_doc *doc_at(const struct bench *b, size_t i)
{
	return &b->corpus.docs.v[i % b->corpus.docs.n];
}

static void build(struct bench *b)
{
	int64_t from = clock_mono_ns();
	struct search_stats stats;

	b->s = search_new(&corpus_config);
	for (size_t i = 0; i < b->docs; i++)
		corpus_put(b->s, doc_at(b, i), (int64_t)i);
	printf("build    %zu documents in %.2f s", b->docs, (double)(clock_mono_ns() - from) / NS_S);
	from = clock_mono_ns();
	search_stats_get(b->s, &stats);
	printf(", %.1f MB", (double)stats.bytes / 1e6);
	search_compact(b->s);
	search_stats_get(b->s, &stats);
	printf("; compacted in %.3f s to %.1f MB; %llu terms, %llu words, %llu postings\n",
	       (double)(clock_mono_ns() - from) / NS_S, (double)stats.bytes / 1e6, (unsigned long long)stats.terms,
	       (unsigned long long)stats.words, (unsigned long long)stats.postings);
	b->reader = search_reader_new(b->s);
}

/* ---- queries ---- */

static struct str word_of(struct rng *r, struct str text)
{
	size_t at = text.n ? rng_below(r, text.n) : 0, from = at, to = at;

	while (from > 0 && text.p[from - 1] != ' ')
		from--;
	while (to < text.n && text.p[to] != ' ')
		to++;
	return (struct str){text.p + from, to - from};
}

static void make_up_queries(struct bench *b)
{
	struct buf text = BUF_INIT((size_t)1 << 30);
	VEC(size_t) ends = {0};

	for (int i = 0; i < QUERIES; i++) {
		const struct corpus_doc *d = doc_at(b, rng_below(&b->r, b->corpus.docs.n));

		for (uint64_t n = 1 + rng_below(&b->r, 4); n > 0; n--) {
			buf_str_add(&text, word_of(&b->r, rng_below(&b->r, 4) ? d->description : d->name));
			buf_c(&text, ' ');
		}
		*VEC_PUSH(&ends) = text.n;
	}
	for (size_t i = 0, from = 0; i < ends.n; from = ends.v[i++])
		*VEC_PUSH(&b->queries) = (struct str){text.p + from, ends.v[i] - from};
	VEC_FREE(&ends); /* the text stays for as long as the program runs */
}

static bool read_queries(struct bench *b, const char *path)
{
	FILE *f = fopen(path, "r");
	char line[1 << 14];

	while (f && fgets(line, sizeof(line), f)) {
		struct str s = str_trim(str_of(line));
		char *copy = must_alloc(s.n + 1);

		memcpy(copy, s.p, s.n);
		*VEC_PUSH(&b->queries) = (struct str){copy, s.n};
	}
	return f && !fclose(f) && b->queries.n;
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* What this thread has had of a core: on a machine that others use too, the clock tells of them. */
static int64_t cpu_ns(void)
{
	struct timespec t;

	CHECK(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) == 0);
	return (int64_t)t.tv_sec * NS_S + t.tv_nsec;
}

static void report(const char *kind, uint32_t *took, size_t n, uint64_t hits, int64_t ns)
{
	qsort(took, n, sizeof(*took), by_value);
	printf("%-26s %8.0f queries/s of a core   p50 %7.1f us   p99 %7.1f us   worst %7.1f us   %.1f hits\n", kind,
	       (double)n * NS_S / (double)ns, took[n / 2] / 1e3, took[n * 99 / 100] / 1e3, took[n - 1] / 1e3,
	       (double)hits / (double)n);
}

static void ask(struct bench *b, const char *kind, struct search_query q)
{
	VEC(uint32_t) took = {0};
	int64_t from = clock_mono_ns(), end = from + (int64_t)(b->seconds * NS_S), now = from, cpu = cpu_ns();
	uint64_t hits = 0;
	struct search_result result;

	for (size_t i = 0; now < end || i < b->queries.n; i++) {
		int64_t before = now;

		q.text = b->queries.v[i % b->queries.n];
		CHECK(search_query(b->reader, &q, &result) == OK);
		hits += result.hit_count;
		now = clock_mono_ns();
		*VEC_PUSH(&took) = (uint32_t)(now - before);
		if (b->writer && i % 10 == 0)
			sem_post(&b->turn);
	}
	report(kind, took.v, took.n, hits, cpu_ns() - cpu);
	VEC_FREE(&took);
}

static void *write_on(void *bench)
{
	struct bench *b = bench;
	struct rng r;

	rng_seeded_init(&r, 2);
	for (; !sem_wait(&b->turn) && !atomic_load(&b->stop); b->written++) {
		size_t id = rng_below(&r, b->docs);

		if (rng_below(&r, 2))
			search_set_values(b->s, (int64_t)id, 1, (struct str[]){STR("online")}, 1);
		else
			corpus_put(b->s, doc_at(b, rng_below(&r, b->docs)), (int64_t)id);
	}
	return NULL;
}

static void ask_all(struct bench *b)
{
	struct search_value filters[] = {{0, doc_at(b, 0)->section}, {1, doc_at(b, 0)->priority}};

	ask(b, "any word", (struct search_query){.limit = LIMIT});
	ask(b, "all words", (struct search_query){.limit = LIMIT, .match = SEARCH_ALL});
	ask(b, "any, why", (struct search_query){.limit = LIMIT, .why = true});
	ask(b, "any, typos", (struct search_query){.limit = LIMIT, .typos = true});
	ask(b, "any, filters", (struct search_query){.limit = LIMIT, .filters = filters, .filter_count = 2});
	ask(b, "any, prior, why, typos",
	    (struct search_query){.limit = LIMIT, .prior_weight = 1, .why = true, .typos = true});
	ask(b, "any, one filter, the same",
	    (struct search_query){.limit = LIMIT,
				  .filters = filters + 1,
				  .filter_count = 1,
				  .prior_weight = 1,
				  .why = true,
				  .typos = true});
	ask(b, "unfinished", (struct search_query){.limit = LIMIT, .prefix = true});
	ask(b, "any, count, facets", (struct search_query){.limit = LIMIT, .count = true, .facets = 3});
}

static void ask_beside_writer(struct bench *b)
{
	pthread_t writer;
	int64_t from = clock_mono_ns();

	CHECK(sem_init(&b->turn, 0, 0) == 0 && pthread_create(&writer, NULL, write_on, b) == 0);
	ask_all(b);
	atomic_store(&b->stop, true);
	sem_post(&b->turn);
	CHECK(pthread_join(writer, NULL) == 0);
	printf("writer   %.0f changes/s meanwhile\n", (double)b->written * NS_S / (double)(clock_mono_ns() - from));
}

/* ---- the command ---- */

static int usage(void)
{
	fputs("usage: search_bench synthetic|debian [--docs N] [--queries FILE] [--seconds S] [--writer]\n",
	      stderr);
	return 2;
}

static bool take_option(struct bench *b, const char *name, const char *value)
{
	int64_t docs;

	if (str_eqz(str_of(name), "--queries"))
		return read_queries(b, value);
	if (str_eqz(str_of(name), "--seconds"))
		return str_to_f64(str_of(value), &b->seconds);
	if (!str_eqz(str_of(name), "--docs") || !str_to_i64(str_of(value), &docs) || docs < 1)
		return false;
	b->docs = (size_t)docs;
	return true;
}

static bool take_options(struct bench *b, char **args)
{
	for (; *args; args++) {
		if (str_eqz(str_of(*args), "--writer"))
			b->writer = true;
		else if (!args[1] || !take_option(b, args[0], args[1]))
			return false;
		else
			args++;
	}
	return true;
}

int main(int argc, char **argv)
{
	struct bench b = {.docs = 100000, .seconds = 1};
	bool debian = argc > 1 && str_eqz(str_of(argv[1]), "debian");

	rng_seeded_init(&b.r, 1);
	if (argc < 2 || (!debian && !str_eqz(str_of(argv[1]), "synthetic")) || !take_options(&b, argv + 2))
		return usage();
	if (!debian)
		make_up_docs(&b);
	else if (!corpus_debian(&b.corpus)) {
		fputs("search_bench: this machine has no package lists\n", stderr);
		return 1;
	}
	if (!b.queries.n)
		make_up_queries(&b);
	build(&b);
	if (b.writer)
		ask_beside_writer(&b);
	else
		ask_all(&b);
	return 0;
}
