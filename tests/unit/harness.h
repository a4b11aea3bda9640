/*
 * What every unit test starts from: cmocka, a seed that is printed, and the check that a call dies.
 *
 * A test with random input takes test_seed(): another one in each run, printed so that TENFOLD_SEED=... replays it.
 */
#ifndef TENFOLD_TESTS_HARNESS_H
#define TENFOLD_TESTS_HARNESS_H

#include "base/rng.h"
#include "base/str.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* Which sanitizer watches, 0 or 1. A test that cannot run with one (or without) is left out by the compiler: this
 * cmocka's skip() says "not ok" in TAP, and the run fails. */
#ifdef __has_feature
#define HAS_ASAN __has_feature(address_sanitizer)
#define HAS_TSAN __has_feature(thread_sanitizer)
#else
#ifdef __SANITIZE_ADDRESS__
#define HAS_ASAN 1
#else
#define HAS_ASAN 0
#endif
#ifdef __SANITIZE_THREAD__
#define HAS_TSAN 1
#else
#define HAS_TSAN 0
#endif
#endif

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* The text is exactly the literal. */
#define assert_str(s, literal) assert_true(str_eqz((s), (literal)))

/* assert_true() about one row of a table; a failure names the row. */
#define assert_row(name, condition)                                     \
	do {                                                            \
		if (!(condition))                                       \
			fail_msg("%s: not true: %s", name, #condition); \
	} while (0)

static inline struct rng test_seed(void)
{
	const char *given = getenv("TENFOLD_SEED");
	unsigned long long fresh = (unsigned long long)time(NULL) << 20 ^ (unsigned)getpid();
	unsigned long long seed = given ? strtoull(given, NULL, 0) : fresh;
	struct rng r;

	printf("# TENFOLD_SEED=%llu\n", seed);
	fflush(stdout);
	rng_seeded_init(&r, seed);
	return r;
}

/* Whether fn(arg) ends in abort(); run in a child whose stderr is thrown away. */
static inline bool dies(void (*fn)(void *arg), void *arg)
{
	int status;
	pid_t child;

	fflush(NULL);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		signal(SIGABRT, SIG_DFL);
		dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
		fn(arg);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

#endif
