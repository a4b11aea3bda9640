/* Numbers as people read them; no more exact than they are worth. */
#ifndef TENFOLD_SIM_WORDS_H
#define TENFOLD_SIM_WORDS_H

#include "base/buf.h"

void words_count(struct buf *b, int64_t n);      /* 12,345 */
void words_percent(struct buf *b, double share); /* 57 %; 5.1 %; 0.03 % */
void words_ms(struct buf *b, double ms);         /* 3.2 ms; 150 ms; 2.5 s */
void words_span(struct buf *b, int64_t ms);      /* 12.5 s; 1 h 30 min; 5 d 3 h */
void words_clock(struct buf *b, int64_t ms);     /* 1:30:05 */
void words_hour(struct buf *b, int64_t ms);      /* UTC: 2026-01-05 14:00 */

#endif
