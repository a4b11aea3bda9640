/*
 * The loads of tenants' queues, watched from when a tenant asks for its own first. On the queue's thread.
 */
#ifndef TENFOLD_API_SCALING_H
#define TENFOLD_API_SCALING_H

#include "schedule/scaler.h"
#include "work/work.h"

struct scaling;

/* ERR_INVALID: the parameters cannot be read. */
enum err scaling_new(const struct serve_params *params, struct zones *zones, struct scaling **out,
		     struct problem *p);
void scaling_destroy(struct scaling **s);

void scaling_count(struct scaling *s, const struct work_happening *h); /* something that was committed */
/* A batch is over: decides where that is due, and logs what would be scaled. */
void scaling_tick(struct scaling *s, const struct work *w, int64_t now_ms);
void scaling_show(struct scaling *s, const struct work *w, int64_t tenant, int64_t now_ms, struct arena *a,
		  struct autoscale *out);

#endif
