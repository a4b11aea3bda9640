/*
 * One kind of question to the search index, as bench/find_peers.py asks it of others: find FILE KIND SECONDS LIMIT
 * CHANGE_EACH.
 *
 * FILE has a document a line, its name, tags, description, type and status with tabs between; an empty line; and a
 * query a line. KIND is all, any or filtered. A second thread puts a document anew for so many questions. What is
 * printed is one line of JSON.
 */
#include "search_kit/corpus.h"

#include "base/clock.h"
#include "base/histogram.h"
#include "base/rng.h"

#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct find {
	VEC(struct corpus_doc) docs;
	VEC(struct str) queries;
	struct search *search;
	sem_t turn; /* the writer's */
	atomic_bool stop;
};

static struct str map_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *text = fd >= 0 && fstat(fd, &st) == 0 ? mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0)
						    : MAP_FAILED;

	CHECK(text != MAP_FAILED);
	close(fd);
	return (struct str){text, (size_t)st.st_size};
}

static void read_corpus(struct find *f, const char *path)
{
	struct str rest = map_file(path), line;

	while (rest.n && (line = str_cut(rest, '\n', &rest)).n) {
		struct corpus_doc *d = VEC_PUSH(&f->docs);

		d->name = str_cut(line, '\t', &line);
		d->tags = str_cut(line, '\t', &line);
		d->description = str_cut(line, '\t', &line);
		d->section = str_cut(line, '\t', &line);
		d->priority = line;
	}
	while (rest.n)
		*VEC_PUSH(&f->queries) = str_cut(rest, '\n', &rest);
	CHECK(f->docs.n && f->queries.n);
}

static void *change(void *find)
{
	struct find *f = find;
	struct rng r;

	rng_seeded_init(&r, 2);
	while (!sem_wait(&f->turn) && !atomic_load(&f->stop)) {
		size_t i = rng_below(&r, f->docs.n);

		corpus_put(f->search, &f->docs.v[i], (int64_t)i);
	}
	return NULL;
}

static struct search_query question(const char *kind, size_t limit)
{
	static const struct search_value filters[] = {{0, {"tool", 4}}, {1, {"online", 6}}};
	struct search_query q = {.limit = limit, .why = true, .typos = true};

	if (strcmp(kind, "all") == 0)
		q.match = SEARCH_ALL;
	if (strcmp(kind, "filtered") == 0) {
		q.filters = filters;
		q.filter_count = 2;
	}
	return q;
}

static void ask(struct find *f, struct search_query q, double seconds, size_t change_each)
{
	struct search_reader *reader = search_reader_new(f->search);
	struct histogram *took = NEW(struct histogram);
	int64_t began = clock_mono_ns(), end = began + (int64_t)(seconds * 1e9), sum = 0;
	uint64_t hits = 0;

	for (size_t n = 0; n == 0 || clock_mono_ns() < end; n++) {
		struct search_result result;
		int64_t from;

		q.text = f->queries.v[n % f->queries.n];
		from = clock_mono_ns();
		CHECK(search_query(reader, &q, &result) == OK);
		from = clock_mono_ns() - from;
		sum += from;
		histogram_add(took, (uint64_t)from);
		hits += result.hit_count;
		if (n % change_each == 0)
			sem_post(&f->turn);
	}
	printf("{\"per_second\": %.1f, \"p50_ms\": %.5f, \"p99_ms\": %.5f, \"asked\": %llu, \"hits\": %.2f}\n",
	       (double)took->count * 1e9 / (double)sum, (double)histogram_at(took, 50) / 1e6,
	       (double)histogram_at(took, 99) / 1e6, (unsigned long long)took->count,
	       (double)hits / (double)took->count);
	free(took);
	search_reader_destroy(&reader);
}

int main(int argc, char **argv)
{
	struct find f = {0};
	double seconds = 0;
	int64_t limit = 0, each = 0;
	pthread_t writer;

	if (argc != 6 || !str_to_f64(str_of(argv[3]), &seconds) || !str_to_i64(str_of(argv[4]), &limit) ||
	    !str_to_i64(str_of(argv[5]), &each) || limit < 1 || each < 1) {
		fputs("usage: find FILE all|any|filtered SECONDS LIMIT CHANGE_EACH\n", stderr);
		return 2;
	}
	read_corpus(&f, argv[1]);
	f.search = search_new(&corpus_config);
	for (size_t i = 0; i < f.docs.n; i++)
		corpus_put(f.search, &f.docs.v[i], (int64_t)i);
	CHECK(sem_init(&f.turn, 0, 0) == 0 && pthread_create(&writer, NULL, change, &f) == 0);
	ask(&f, question(argv[2], (size_t)limit), seconds, (size_t)each);
	atomic_store(&f.stop, true);
	sem_post(&f.turn);
	pthread_join(writer, NULL);
	search_destroy(&f.search);
	VEC_FREE(&f.docs);
	VEC_FREE(&f.queries);
	return 0;
}
