/*
 * Signatures that this process has taken, each to be taken once while it counts. Two halves take turns: what is older
 * than twice the time a signature counts is forgotten, and nothing that counts is. Any thread.
 */
#ifndef TENFOLD_ACCESS_REPLAYS_H
#define TENFOLD_ACCESS_REPLAYS_H

#include <stdbool.h>
#include <stdint.h>

struct replays;

struct replays *replays_new(int64_t counts_ms);
void replays_destroy(struct replays **r);

/* False: it was taken before. Times never go back. */
bool replays_take(struct replays *r, uint64_t hash, int64_t now_ms);

#endif
