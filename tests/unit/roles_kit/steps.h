/*
 * A child process that is stopped before and after each system call it makes: so that a test can kill it at any of
 * them, change the world in between, or see in which order they come. Linux, by ptrace().
 */
#ifndef TENFOLD_TESTS_ROLES_KIT_STEPS_H
#define TENFOLD_TESTS_ROLES_KIT_STEPS_H

#include <stdbool.h>

struct step_at {
	unsigned stop; /* counts from 0, two for each call */
	long call;     /* SYS_… */
	bool entering; /* else it is done */
};

enum { STEPS_KILLED = -1, STEPS_CANNOT = -2 /* this machine lets nobody trace its own child */ };

/* work(arg) runs in the child, its result (0 to 255) becomes the result here. at() is asked in the parent at each
 * stop; false: kill it there. */
int steps_run(int (*work)(void *arg), void *arg, bool (*at)(void *context, const struct step_at *step),
	      void *context);

#endif
