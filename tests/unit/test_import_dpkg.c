/* The package database as a task graph: stanzas, dependencies, virtual packages, cycles, and the real thing. */
#include "harness.h"

#include "import/import.h"

struct fixture {
	struct arena *arena;
	struct import_result r;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->arena = arena_new(256 << 20);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	arena_destroy(&f->arena);
	free(f);
	return 0;
}

static void import(struct fixture *f, const char *text)
{
	const struct import_options none = {0};

	assert_int_equal(import_dpkg(str_of(text), &none, f->arena, &f->r), OK);
}

static const struct import_item *find(const struct fixture *f, const char *key)
{
	for (size_t i = 0; i < f->r.item_count; i++)
		if (str_eqz(f->r.items[i].work.key, key))
			return &f->r.items[i];
	fail_msg("there is no item %s", key);
	abort();
}

static bool waits_for(const struct fixture *f, const char *key, const char *other)
{
	const struct import_item *item = find(f, key);

	for (size_t k = 0; k < item->work.depends_on_count; k++)
		if (str_eqz(item->work.depends_on[k].key, other))
			return true;
	return false;
}

/* Every dependency stands before its item, and waits_for says where. */
static void check_order(const struct import_result *r)
{
	for (size_t i = 0; i < r->item_count; i++)
		for (size_t k = 0; k < r->items[i].work.depends_on_count; k++) {
			uint32_t to = r->items[i].waits_for[k];

			assert_true(to == IMPORT_OUTSIDE || to < i);
			if (to != IMPORT_OUTSIDE)
				assert_true(str_eq(r->items[to].work.key, r->items[i].work.depends_on[k].key));
		}
}

#define INSTALLED "Status: install ok installed\nArchitecture: amd64\nVersion: 1\n"

static void a_package_becomes_an_item(void **state)
{
	struct fixture *f = *state;
	const struct work_new *w;

	import(f, "Package: hello\nStatus: install ok installed\nPriority: optional\nSection: misc\n"
		  "Installed-Size: 2\nArchitecture: amd64\nVersion: 2.10-3\nDescription: says \"hello\"\n"
		  " First line.\n .\n  Indented.\nHomepage: x\n");
	assert_int_equal(f->r.item_count, 1);
	assert_int_equal(f->r.fault_count, 0);
	w = &f->r.items[0].work;
	assert_str(w->type, "verify");
	assert_str(w->key, "hello");
	assert_str(w->title, "hello 2.10-3: says \"hello\"");
	assert_str(w->description, "First line.\n\n Indented.");
	assert_str(w->payload,
		   "{\"package\":\"hello\",\"version\":\"2.10-3\",\"architecture\":\"amd64\",\"size\":2048,"
		   "\"section\":\"misc\",\"description\":\"says \\\"hello\\\"\"}");
	assert_int_equal(w->depends_on_count, 0);
	assert_int_equal(w->max_attempts, 5); /* fallbacks are there */
}

static void only_installed_packages_count(void **state)
{
	struct fixture *f = *state;

	import(f, "Package: gone\nStatus: deinstall ok config-files\nArchitecture: amd64\n\n"
		  "Package: half\nStatus: install ok half-configured\nArchitecture: amd64\n\n"
		  "Package: held\nStatus: hold ok installed\nArchitecture: amd64\n\n\n");
	assert_int_equal(f->r.item_count, 1);
	assert_str(find(f, "held")->work.key, "held");
}

static void dependencies_are_what_satisfies_them(void **state)
{
	struct fixture *f = *state;

	import(f, "Package: app\n" INSTALLED "Pre-Depends: base (>= 1)\n"
		  "Depends: absent | chosen (>= 2) | later, mta, base, app,\n base:any [amd64] <!nocheck>\n\n"
		  "Package: base\n" INSTALLED "\nPackage: later\n" INSTALLED "\nPackage: chosen\n" INSTALLED
		  "\nPackage: exim\n" INSTALLED "Provides: mta (= 1), other\n");
	assert_int_equal(find(f, "app")->work.depends_on_count, 3);
	assert_true(waits_for(f, "app", "base"));
	assert_true(waits_for(f, "app", "chosen"));
	assert_true(waits_for(f, "app", "exim"));
	assert_int_equal(find(f, "app")->work.depends_on[0].on_failure, ON_FAILURE_IGNORE);
	assert_int_equal(f->r.fault_count, 0);
	check_order(&f->r);
}

static void who_provides_a_thing_itself_waits_for_nobody(void **state)
{
	struct fixture *f = *state;

	import(f, "Package: postfix\n" INSTALLED "Provides: mta\n\n"
		  "Package: exim\n" INSTALLED "Provides: mta\nDepends: mta\n");
	assert_int_equal(find(f, "exim")->work.depends_on_count, 0);
}

static void architectures_are_told_apart(void **state)
{
	struct fixture *f = *state;

	import(f,
	       "Package: lib\nStatus: install ok installed\nArchitecture: i386\nMulti-Arch: same\nVersion: 1\n\n"
	       "Package: lib\nStatus: install ok installed\nArchitecture: amd64\nMulti-Arch: same\nVersion: 1\n\n"
	       "Package: a\n" INSTALLED "Depends: lib\n\n"
	       "Package: b\n" INSTALLED "Depends: lib:i386\n\n"
	       "Package: c\nStatus: install ok installed\nArchitecture: i386\nVersion: 1\nDepends: lib:any\n");
	assert_true(waits_for(f, "a", "lib:amd64"));
	assert_true(waits_for(f, "b", "lib:i386"));
	assert_true(waits_for(f, "c", "lib:i386"));
	assert_int_equal(f->r.item_count, 5);
}

static void what_is_broken_is_told_and_the_rest_goes_in(void **state)
{
	struct fixture *f = *state;

	import(f, "Package: good\n" INSTALLED "what is this\nVersion: 2\nDepends: missing | nowhere\n\n"
		  "Status: install ok installed\nVersion: 1\n\n"
		  "Package: ../evil\n" INSTALLED "\nPackage: nostatus\nVersion: 1\n");
	assert_int_equal(f->r.item_count, 1);
	assert_int_equal(f->r.fault_count, 6);
	assert_int_equal(f->r.faults[0].line, 5);
	assert_str(f->r.faults[0].text, "neither a field nor the rest of one: what is this");
	assert_false(f->r.faults[0].refused);
	assert_str(f->r.faults[1].text, "Version stands twice; the first counts");
	assert_int_equal(f->r.faults[2].line, 9);
	assert_true(f->r.faults[2].refused);
	assert_str(f->r.faults[3].text, "not the name of a package: ../evil");
	assert_str(f->r.faults[4].text, "nostatus: an entry without Status");
	assert_str(f->r.faults[5].text, "good: nothing that is installed satisfies missing | nowhere");
	assert_int_equal(f->r.faults[5].line, 1);
}

static void cycles_are_cut_once_each_and_reported(void **state)
{
	struct fixture *f = *state;

	import(f, "Package: top\n" INSTALLED "Depends: a\n\n"
		  "Package: a\n" INSTALLED "Depends: b\n\n"
		  "Package: b\n" INSTALLED "Depends: c\n\n"
		  "Package: c\n" INSTALLED "Depends: a, d\n\n"
		  "Package: d\n" INSTALLED "Depends: e\n\nPackage: e\n" INSTALLED "Depends: d\n");
	check_order(&f->r);
	assert_int_equal(f->r.cycle_count, 2);
	assert_str(f->r.cycles[0].members, "d, e");
	assert_str(f->r.cycles[0].cuts, "e no longer waits for d");
	assert_int_equal(f->r.cycles[1].member_count, 3);
	assert_str(f->r.cycles[1].members, "a, b, c");
	assert_str(f->r.cycles[1].cuts, "c no longer waits for a");
	assert_true(waits_for(f, "c", "d"));
	assert_false(waits_for(f, "c", "a"));
}

/* A chain and a ring of many: the walk must not use the C stack. */
static void long_chains_are_no_problem(void **state)
{
	struct fixture *f = *state;
	enum { COUNT = 50000 };
	struct buf b = BUF_INIT(0);

	for (int i = 0; i < COUNT; i++)
		buf_fmt(&b, "Package: p%d\n" INSTALLED "Depends: p%d\n\n", i, (i + 1) % COUNT);
	import(f, buf_cstr(&b));
	assert_int_equal(f->r.item_count, COUNT);
	assert_int_equal(f->r.cycle_count, 1);
	assert_int_equal(f->r.cycles[0].member_count, COUNT);
	assert_int_equal(f->r.cycles[0].cut_count, 1);
	check_order(&f->r);
	buf_free(&b);
}

static void random_graphs_end_without_cycles(void **state)
{
	struct fixture *f = *state;
	struct rng rng = test_seed();

	for (int round = 0; round < 300; round++) {
		struct buf b = BUF_INIT(0);
		int count = 1 + (int)rng_below(&rng, 12);

		for (int i = 0; i < count; i++) {
			buf_fmt(&b, "Package: p%d\n" INSTALLED "Depends: p%d", i, i);
			for (uint64_t k = rng_below(&rng, 4); k > 0; k--)
				buf_fmt(&b, ", p%d", (int)rng_below(&rng, (uint64_t)count));
			buf_z(&b, "\n\n");
		}
		arena_reset(f->arena);
		import(f, buf_cstr(&b));
		assert_int_equal(f->r.item_count, count);
		check_order(&f->r);
		buf_free(&b);
	}
}

/* The machine's own database: whatever it is, nothing is refused and the order holds. */
static void this_machines_packages_are_understood(void **state)
{
	struct fixture *f = *state;
	FILE *in = fopen("/var/lib/dpkg/status", "r");
	struct buf b = BUF_INIT(0);
	size_t installed = 0;
	char line[4096];

	if (!in)
		return; /* not a Debian */
	while (fgets(line, sizeof(line), in)) {
		buf_z(&b, line);
		installed += strncmp(line, "Status: ", 8) == 0 && strstr(line, " ok installed\n");
	}
	fclose(in);
	import(f, buf_cstr(&b));
	assert_int_equal(f->r.item_count, installed);
	for (size_t i = 0; i < f->r.fault_count; i++)
		assert_false(f->r.faults[i].refused);
	check_order(&f->r);
	buf_free(&b);
}

static void a_full_arena_is_said(void **state)
{
	const struct import_options none = {0};
	struct arena *small = arena_new(2000);
	struct import_result r;

	(void)state;
	assert_int_equal(import_dpkg(STR("Package: a\n" INSTALLED "\nPackage: b\n" INSTALLED), &none, small, &r),
			 ERR_TOO_LARGE);
	arena_destroy(&small);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_package_becomes_an_item),
		TEST(only_installed_packages_count),
		TEST(dependencies_are_what_satisfies_them),
		TEST(who_provides_a_thing_itself_waits_for_nobody),
		TEST(architectures_are_told_apart),
		TEST(what_is_broken_is_told_and_the_rest_goes_in),
		TEST(cycles_are_cut_once_each_and_reported),
		TEST(long_chains_are_no_problem),
		TEST(random_graphs_end_without_cycles),
		TEST(this_machines_packages_are_understood),
		TEST(a_full_arena_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
