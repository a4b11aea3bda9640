/*
 * Whether something that fails is worth another try: plain data, time handed in.
 *
 *	           failures_max failures in a row
 *	CLOSED ──────────────────────────────────► OPEN ◄──────────────┐
 *	   ▲                                        │ its rest is over  │ the try failed: rest twice as long
 *	   │              the try succeeded         ▼                   │
 *	   └──────────────────────────────────── HALF_OPEN ─────────────┘
 *
 * In HALF_OPEN one try is under way. One thread at a time.
 */
#ifndef TENFOLD_REDIS_BREAKER_H
#define TENFOLD_REDIS_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

enum breaker_state { BREAKER_CLOSED, BREAKER_OPEN, BREAKER_HALF_OPEN };

enum { BREAKER_DOUBLINGS = 5 }; /* a rest is at most 32 times the first */

struct breaker {
	unsigned failures_max; /* set these two before use */
	int64_t rest_ms;
	enum breaker_state state;
	unsigned failures; /* in a row */
	unsigned rests;    /* in a row */
	int64_t until_ms;  /* while OPEN */
};

/* Whether work may go on: true while CLOSED. */
bool breaker_is_closed(const struct breaker *b);

/* Whether one may try now. An OPEN one whose rest is over becomes HALF_OPEN: the caller must try and say how it
 * went. */
bool breaker_try(struct breaker *b, int64_t now_ms);

/* When breaker_try() will say yes; INT64_MAX while a try is under way. */
int64_t breaker_next_ms(const struct breaker *b, int64_t now_ms);

void breaker_succeeded(struct breaker *b);
void breaker_failed(struct breaker *b, int64_t now_ms);

#endif
