/* What persist.c and load.c share. */
#ifndef TENFOLD_WORK_PERSIST_PRIV_H
#define TENFOLD_WORK_PERSIST_PRIV_H

#include "work/persist.h"

enum { PERSIST_BODIES_MAX_BYTES = 32 << 20 };

bool persist_key_is(void *ctx, const struct item *item, struct str key);

#endif
