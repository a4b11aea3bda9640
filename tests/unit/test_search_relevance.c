/*
 * How good the answers are: judged queries over this machine's Debian (tests/data/search_judged.txt), and the plain
 * ones over the MCP servers of a registry. What a machine does not have is left out, and said.
 */
#include "harness.h"

#include "search_kit/corpus.h"

#include "base/map.h"

#include <math.h>

enum { CUT = 10 };

struct graded {
	int64_t id;
	int grade;
};

struct judged {
	struct str query;
	VEC(struct graded) packages;
};

struct measure {
	double ndcg, hit1, hit3;
	size_t queries, missing;
};

static struct str read_all(const char *path)
{
	FILE *f = fopen(path, "r");
	VEC(char) bytes = {0};
	int c;

	while (f && (c = getc(f)) != EOF)
		*VEC_PUSH(&bytes) = (char)c;
	if (f)
		fclose(f);
	return (struct str){bytes.v, bytes.n};
}

/* Ids are places in the corpus and 1, so that none is NULL in the map. */
static struct map by_name(const struct corpus *c)
{
	struct map m = {0};

	for (size_t i = 0; i < c->docs.n; i++)
		map_put(&m, str_hash(c->docs.v[i].name), (void *)(uintptr_t)(i + 1));
	return m;
}

static void take_package(struct judged *j, const struct map *names, struct str word, size_t *missing)
{
	struct str grade, name = str_cut(word, '=', &grade);
	void *id = map_get(names, str_hash(name));
	int64_t g = 0;

	if (!name.n)
		return;
	assert_true(str_to_i64(grade, &g));
	*missing += g > 0 && !id;
	for (size_t i = 0; i < j->packages.n; i++)
		if (j->packages.v[i].id == (int64_t)(uintptr_t)id)
			return; /* said twice: the first counts */
	if (id && g > 0)
		*VEC_PUSH(&j->packages) = (struct graded){.id = (int64_t)(uintptr_t)id, .grade = (int)g};
}

static int grade_of(const struct judged *j, int64_t id)
{
	for (size_t i = 0; i < j->packages.n; i++)
		if (j->packages.v[i].id == id)
			return j->packages.v[i].grade;
	return 0;
}

static double gain(int grade, size_t place)
{
	return (exp2(grade) - 1) / log2((double)place + 2);
}

static double ideal(const struct judged *j)
{
	double sum = 0;
	size_t place = 0;

	for (int g = 3; g > 0; g--)
		for (size_t i = 0; i < j->packages.n && place < CUT; i++)
			if (j->packages.v[i].grade == g)
				sum += gain(g, place++);
	return sum;
}

static void measure(struct search_reader *r, const struct judged *j, struct measure *m)
{
	struct search_query q = {.text = j->query, .limit = CUT, .typos = true};
	struct search_result found;
	double sum = 0;
	bool hit3 = false;

	assert_int_equal(search_query(r, &q, &found), OK);
	for (size_t i = 0; i < found.hit_count; i++) {
		int grade = grade_of(j, found.hits[i].id);

		sum += gain(grade, i);
		hit3 |= i < 3 && grade >= 2;
	}
	m->queries++;
	m->ndcg += sum / ideal(j);
	m->hit1 += found.hit_count && grade_of(j, found.hits[0].id) >= 2;
	m->hit3 += hit3;
	if (!hit3)
		printf("# not among three: %.*s\n", STRF(j->query));
}

static void measure_line(struct search_reader *r, const struct map *names, struct str line, struct measure *m)
{
	struct judged j = {0};
	struct str packages;

	j.query = str_trim(str_cut(line, '|', &packages));
	while (packages.p)
		take_package(&j, names, str_cut(packages, ' ', &packages), &m->missing);
	if (j.packages.n)
		measure(r, &j, m);
	else
		printf("# left out, none of its packages is here: %.*s\n", STRF(j.query));
	VEC_FREE(&j.packages);
}

static struct search *index_of(const struct corpus *c)
{
	struct search *s = search_new(&corpus_config);

	for (size_t i = 0; i < c->docs.n; i++)
		corpus_put(s, &c->docs.v[i], (int64_t)i + 1);
	return s;
}

static void people_find_the_package_they_mean(void **state)
{
	struct corpus c = {0};
	struct measure m = {0};
	struct str rest = read_all(SEARCH_JUDGED), text = rest;

	(void)state;
	if (corpus_debian(&c)) {
		struct map names = by_name(&c);
		struct search *s = index_of(&c);
		struct search_reader *r = search_reader_new(s);

		while (rest.p) {
			struct str line = str_cut(rest, '\n', &rest);

			if (line.n && line.p[0] != '#')
				measure_line(r, &names, line, &m);
		}
		m.ndcg /= (double)m.queries;
		m.hit1 /= (double)m.queries;
		m.hit3 /= (double)m.queries;
		printf("# %zu queries over %zu packages: nDCG@10 %.3f, hit@1 %.3f, hit@3 %.3f; %zu judged are not "
		       "here\n",
		       m.queries, c.docs.n, m.ndcg, m.hit1, m.hit3, m.missing);
		assert_true(m.queries >= 100 && m.ndcg >= 0.42 && m.hit1 >= 0.55 && m.hit3 >= 0.78);
		search_reader_destroy(&r);
		search_destroy(&s);
		map_free(&names);
	} else {
		printf("# left out: this machine has no package lists (apt-get update fetches them)\n");
	}
	corpus_free(&c);
	free((void *)(uintptr_t)text.p);
}

static bool contains(struct str text, struct str part)
{
	for (size_t i = 0; i + part.n <= text.n; i++)
		if (str_eq_nocase((struct str){text.p + i, part.n}, part))
			return true;
	return false;
}

static void servers_are_found_by_what_they_are_for(void **state)
{
	static const struct {
		const char *query, *name;
	} plain[] = {
		{"mongodb", "mongo"},          {"slack", "slack"},
		{"kubernetes", "kubernetes"},  {"browser automation", "playwright"},
		{"notion", "notion"},          {"playwright", "playwright"},
		{"obsidian", "obsidian"},      {"figma design", "figma"},
		{"stripe payments", "stripe"},
	};
	const char *path = getenv("TENFOLD_MCP_SERVERS");
	struct corpus c = {0};

	(void)state;
	if (corpus_mcp(&c, path ? path : MCP_SERVERS)) {
		struct search *s = index_of(&c);
		struct search_reader *r = search_reader_new(s);

		printf("# %zu servers\n", c.docs.n);
		for (size_t i = 0; i < COUNT_OF(plain); i++) {
			struct search_query q = {.text = str_of(plain[i].query), .limit = 3, .prefix = true};
			struct search_result found;

			assert_int_equal(search_query(r, &q, &found), OK);
			assert_row(plain[i].query, found.hit_count > 0);
			assert_row(plain[i].query,
				   contains(c.docs.v[found.hits[0].id - 1].name, str_of(plain[i].name)));
		}
		search_reader_destroy(&r);
		search_destroy(&s);
	} else {
		printf("# left out: the list of MCP servers is not on this machine\n");
	}
	corpus_free(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(people_find_the_package_they_mean),
		cmocka_unit_test(servers_are_found_by_what_they_are_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
