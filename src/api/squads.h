/* What other calls do to squads, on the queue's thread. */
#ifndef TENFOLD_API_SQUADS_H
#define TENFOLD_API_SQUADS_H

#include "http/call.h"

/* Pauses one that is active, as a part of the call. */
enum err squads_pause(struct call *c, int64_t squad);

#endif
