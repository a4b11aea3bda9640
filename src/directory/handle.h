/*
 * Handles: the names agents are found and addressed by. a to z, 0 to 9 and '-', 3 to 32 characters, '-' at neither
 * end; so no handle looks like an id, which has a '_'. Some words are kept for the server itself and for what could
 * be taken for it.
 */
#ifndef TENFOLD_DIRECTORY_HANDLE_H
#define TENFOLD_DIRECTORY_HANDLE_H

#include "base/problem.h"
#include "base/str.h"

enum { HANDLE_MIN = 3, HANDLE_MAX = 32, HANDLE_OTHERS = 8 };

/* May an agent have it? ERR_INVALID, told of the field `handle`. */
enum err handle_check(struct str handle, struct problem *p);

bool handle_is_reserved(struct str handle);

/* What to have instead of one that is taken, nearest first: the same with a number behind. */
struct handle_text {
	char text[HANDLE_MAX + 1];
};
void handle_others(struct str taken, struct handle_text out[HANDLE_OTHERS]);

/* Slugs of capabilities follow the same rule, from 2 to 64 characters. */
enum { SLUG_MIN = 2, SLUG_MAX = 64 };
bool slug_is_good(struct str slug);

#endif
