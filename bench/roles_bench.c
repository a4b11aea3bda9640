/*
 * What choosing an agent costs, in the shape of the note that roles were made from: rigs, presets, re-reading,
 * memory.
 *
 *   roles_bench DIR                      everything below, as a table
 *   roles_bench make DIR RIGS PRESETS    makes that town, for bench/roles.py to ask others about
 *   roles_bench time DIR RIGS ROUNDS     what a command for it costs here, as JSON
 *   roles_bench run PROGRAM WORD...      what that process costs, as JSON, its own output thrown away
 *
 * The first makes towns below DIR (which must be empty and is left empty) and asks them through the machine's own
 * files. "As Gas Town" is the same answer the way it is found there: every file that its code opens for one command
 * (seven settings files and four registries, counted in the code) is read and parsed again. It is a re-creation of
 * that reading in this program, not a measurement of Gas Town. Times are medians of ROUNDS.
 */
#include "base/buf.h"
#include "base/clock.h"
#include "base/magic.h"
#include "roles/command.h"
#include "roles/doc.h"

#include <dirent.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS = 2001, PATH_BYTES = 512 };

static const char *base;

_Noreturn static void give_up(const char *what, const struct problem *p)
{
	fprintf(stderr, "roles_bench: %s: %s\n", what, p ? p->detail : "failed");
	exit(1);
}

/* ---- towns ---- */

static const char *path_of(char out[PATH_BYTES], const char *rest)
{
	snprintf(out, PATH_BYTES, "%s/%s", base, rest);
	return out;
}

static void make_folder(const char *rest)
{
	char path[PATH_BYTES];

	if (mkdir(path_of(path, rest), 0755) < 0)
		give_up(path, NULL);
}

static void write_file(const char *rest, struct str text)
{
	char path[PATH_BYTES];
	int fd = open(path_of(path, rest), O_WRONLY | O_CREAT | O_TRUNC, 0644);

	if (fd < 0 || write(fd, text.p, text.n) != (ssize_t)text.n || close(fd) < 0)
		give_up(path, NULL);
}

static void write_agents(struct buf *b, int presets)
{
	for (int i = 0; i < presets; i++)
		buf_fmt(b, "%s\n    \"agent-%d\": {\"command\": \"claude\", \"args\": [\"--model\", \"m%d\"]}",
			i ? "," : "", i, i);
}

static void write_town(int presets)
{
	struct buf b = BUF_INIT(0);

	buf_z(&b,
	      "{\n  \"type\": \"town-settings\",\n  \"version\": 1,\n  \"default_agent\": \"claude\",\n"
	      "  \"role_agents\": {\"witness\": \"agent-0\", \"refinery\": \"agent-1\", \"mayor\": \"agent-2\"},\n"
	      "  \"role_effort\": {\"witness\": \"low\"},\n  \"agents\": {");
	write_agents(&b, presets);
	buf_z(&b, "\n  }\n}\n");
	write_file("settings/config.json", buf_str(&b));
	buf_free(&b);
}

static void make_rig(int i)
{
	static const struct str text = {"{\n  \"type\": \"rig-settings\",\n  \"version\": 1,\n"
					"  \"role_agents\": {\"polecat\": \"agent-3\"}\n}\n",
					92};
	char rest[64];

	snprintf(rest, sizeof(rest), "r%d", i);
	make_folder(rest);
	snprintf(rest, sizeof(rest), "r%d/settings", i);
	make_folder(rest);
	snprintf(rest, sizeof(rest), "r%d/settings/config.json", i);
	write_file(rest, (struct str){text.p, strlen(text.p)});
}

/* An agent that is there, behind as many parts of PATH as people have. */
static void make_agent(void)
{
	char path[PATH_BYTES], search[PATH_BYTES * 2];

	make_folder("bin");
	write_file("bin/claude", STR("#!/bin/sh\n"));
	chmod(path_of(path, "bin/claude"), 0755);
	snprintf(search, sizeof(search), "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:%s/bin",
		 base);
	setenv("PATH", search, 1);
}

static void make_town(int rigs, int presets)
{
	make_agent();
	make_folder("mayor");
	make_folder("settings");
	write_file("mayor/town.json", STR("{\"type\":\"town\",\"version\":2,\"name\":\"bench\"}"));
	write_town(presets);
	for (int i = 0; i < rigs; i++)
		make_rig(i);
}

static void remove_below(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *e;
	char inner[PATH_BYTES * 2];

	while (d && (e = readdir(d))) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		snprintf(inner, sizeof(inner), "%s/%s", path, e->d_name);
		if (unlink(inner) < 0) {
			remove_below(inner);
			rmdir(inner);
		}
	}
	if (d)
		closedir(d);
}

/* ---- asking ---- */

struct bench {
	struct town *town;
	struct arena *arena;
	size_t before_bytes;
};

static size_t heap_bytes(void)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}

static struct bench open_town(void)
{
	struct bench b = {.arena = arena_new((size_t)1 << 28), .before_bytes = heap_bytes()};
	struct problem p = {0};

	if (town_open(files_of_system(), str_of(base), (struct str){0}, &b.town, &p) != OK)
		give_up("open", &p);
	return b;
}

static void close_town(struct bench *b)
{
	town_close(&b->town);
	arena_destroy(&b->arena);
}

static void ask(struct bench *b, int rig, const char *role)
{
	char name[32];
	int n = snprintf(name, sizeof(name), "r%d", rig);
	const struct role_query q = {.role = str_of(role), .rig = {name, (size_t)n}};
	struct role_answer answer;
	struct problem p = {0};

	town_refresh(b->town);
	if (role_resolve(b->town, &q, NULL, b->arena, &answer, &p) != OK)
		give_up("resolve", &p);
	arena_reset(b->arena);
}

/* The whole way, as `role command --compat` goes it: from the stamps of the files to the string. */
static void command(struct bench *b, int rig)
{
	char name[32];
	int n = snprintf(name, sizeof(name), "r%d", rig);
	const struct role_query q = {
		.role = STR("polecat"), .rig = {name, (size_t)n}, .name = STR("toast"), .compat = true};
	const struct command_options o = {.prompt = STR("gt prime")};
	struct role_answer answer;
	struct role_command out;
	struct problem p = {0};

	town_refresh(b->town);
	if (role_resolve(b->town, &q, NULL, b->arena, &answer, &p) != OK ||
	    role_command(b->town, &q, &answer, &o, b->arena, &out, &p) != OK)
		give_up("command", &p);
	arena_reset(b->arena);
}

/* ---- measuring ---- */

static int by_size(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double median_us(int64_t *took_ns, size_t n)
{
	qsort(took_ns, n, sizeof(*took_ns), by_size);
	return (double)took_ns[n / 2] / 1000;
}

static double warm_us(struct bench *b, int rigs)
{
	static int64_t took_ns[ROUNDS];

	for (int i = 0; i < ROUNDS; i++) {
		int64_t start_ns = clock_mono_ns();

		ask(b, i % rigs, "polecat");
		took_ns[i] = clock_mono_ns() - start_ns;
	}
	return median_us(took_ns, ROUNDS);
}

/* The town's file gets a new version before each question. */
static double changed_us(struct bench *b, int presets)
{
	static int64_t took_ns[ROUNDS];
	int rounds = presets > 1000 ? 21 : 301;

	for (int i = 0; i < rounds; i++) {
		int64_t start_ns;

		write_town(presets);
		start_ns = clock_mono_ns();
		ask(b, 0, "witness");
		took_ns[i] = clock_mono_ns() - start_ns;
	}
	return median_us(took_ns, (size_t)rounds);
}

static void read_and_parse(const char *rest, struct arena *a)
{
	struct files *f = files_of_system();
	char path[PATH_BYTES];
	struct stamp stamp;
	struct str text;
	struct doc d;

	if (f->read(f, path_of(path, rest), DOC_MAX_BYTES, a, &text, &stamp, NULL) == OK)
		doc_parse(str_of(rest), text, a, &d, NULL);
}

/* What one startup command of Gas Town opens: see research 1 and 2.7. */
static void as_gas_town(struct arena *a)
{
	for (int i = 0; i < 4; i++)
		read_and_parse("r0/settings/config.json", a);
	for (int i = 0; i < 3; i++)
		read_and_parse("settings/config.json", a);
	for (int i = 0; i < 2; i++) {
		read_and_parse("settings/agents.json", a);
		read_and_parse("r0/settings/agents.json", a);
	}
	arena_reset(a);
}

static double as_gas_town_us(int presets)
{
	static int64_t took_ns[ROUNDS];
	struct arena *a = arena_new((size_t)1 << 30);
	int rounds = presets > 1000 ? 21 : 301;

	for (int i = 0; i < rounds; i++) {
		int64_t start_ns = clock_mono_ns();

		as_gas_town(a);
		took_ns[i] = clock_mono_ns() - start_ns;
	}
	arena_destroy(&a);
	return median_us(took_ns, (size_t)rounds);
}

/* From nothing: opened, read, answered. */
static double cold_us(void)
{
	static int64_t took_ns[ROUNDS];

	for (int i = 0; i < 301; i++) {
		int64_t start_ns = clock_mono_ns();
		struct bench b = open_town();

		ask(&b, 0, "witness");
		close_town(&b);
		took_ns[i] = clock_mono_ns() - start_ns;
	}
	return median_us(took_ns, 301);
}

static void measure(int rigs, int presets)
{
	struct bench b;
	struct stat st;
	char path[PATH_BYTES];
	int64_t start_ns;
	double all_ms, warm, memory_kb, changed, cold = 0;
	int spawns = rigs * 5 > 500 ? rigs * 5 : 500;

	make_town(rigs, presets);
	if (presets <= 100)
		cold = cold_us();
	b = open_town();
	start_ns = clock_mono_ns();
	for (int i = 0; i < spawns; i++)
		ask(&b, i % rigs, "polecat");
	all_ms = (double)(clock_mono_ns() - start_ns) / 1e6;
	memory_kb = (double)(heap_bytes() - b.before_bytes) / 1024;
	warm = warm_us(&b, rigs);
	stat(path_of(path, "settings/config.json"), &st);
	changed = changed_us(&b, presets);
	printf("%6d %8d %9lld %9.1f %9.1f %9.1f %9.1f %7d %9.1f %10.0f\n", rigs, presets, (long long)st.st_size,
	       warm, changed, cold, as_gas_town_us(presets), spawns, all_ms, memory_kb);
	close_town(&b);
	remove_below(base);
}

/* Rigs are gone through in turn; each has been asked about once before. */
static void time_commands(int rigs, int rounds)
{
	static int64_t took_ns[ROUNDS];
	struct bench b = open_town();

	for (int i = 0; i < rigs; i++)
		command(&b, i);
	for (int i = 0; i < rounds; i++) {
		int64_t start_ns = clock_mono_ns();

		command(&b, i % rigs);
		took_ns[i] = clock_mono_ns() - start_ns;
	}
	printf("{\"us\": %.2f, \"live_bytes\": %zu}\n", median_us(took_ns, (size_t)rounds),
	       heap_bytes() - b.before_bytes);
	close_town(&b);
}

_Noreturn static void become(char **words)
{
	int nowhere = open("/dev/null", O_WRONLY);

	if (nowhere >= 0 && dup2(nowhere, STDOUT_FILENO) >= 0)
		execv(words[0], words);
	_exit(127);
}

static double cpu_ms(const struct rusage *used)
{
	return (double)(used->ru_utime.tv_sec + used->ru_stime.tv_sec) * 1e3 +
	       (double)(used->ru_utime.tv_usec + used->ru_stime.tv_usec) / 1e3;
}

/* A process begins with the memory of whoever starts it: less here than in a script. */
static int run(char **words)
{
	struct rusage used;
	int64_t start_ns = clock_mono_ns();
	pid_t child = fork();
	int status;

	if (child == 0)
		become(words);
	if (child < 0 || wait4(child, &status, 0, &used) != child || status != 0)
		give_up(words[0], NULL);
	printf("{\"ms\": %.3f, \"cpu_ms\": %.3f, \"peak_kb\": %ld}\n", (double)(clock_mono_ns() - start_ns) / 1e6,
	       cpu_ms(&used), used.ru_maxrss);
	return 0;
}

static int for_others(char **argv)
{
	int64_t rigs, n;

	if (!str_to_i64(str_of(argv[3]), &rigs) || !str_to_i64(str_of(argv[4]), &n) || rigs < 1 || n < 1)
		return 2;
	base = argv[2];
	if (strcmp(argv[1], "make") == 0)
		make_town((int)rigs, (int)n);
	else if (strcmp(argv[1], "time") == 0)
		time_commands((int)rigs, n > ROUNDS ? ROUNDS : (int)n);
	else
		return 2;
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		int rigs, presets;
	} rows[] = {{1, 20},  {1, 100},  {10, 20},   {100, 20},  {1000, 20},
		    {10, 10}, {10, 100}, {10, 1000}, {10, 10000}};

	if (argc > 2 && strcmp(argv[1], "run") == 0)
		return run(argv + 2);
	if (argc == 5)
		return for_others(argv);
	if (argc != 2) {
		fprintf(stderr, "usage: roles_bench DIR | make DIR RIGS PRESETS | time DIR RIGS ROUNDS | "
				"run PROGRAM WORD...\n");
		return 2;
	}
	base = argv[1];
	printf("warm, changed, cold, as gt: us a question (all files as they were; the town's file changed; from "
	       "nothing;\n"
	       "read and parsed as often as Gas Town does). spawns: the first questions of a process, and their "
	       "ms.\n\n"
	       "%6s %8s %9s %9s %9s %9s %9s %7s %9s %10s\n",
	       "rigs", "presets", "bytes", "warm", "changed", "cold", "as gt", "spawns", "ms", "memory KB");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		measure(rows[i].rigs, rows[i].presets);
	return 0;
}
