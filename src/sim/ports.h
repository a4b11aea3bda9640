/*
 * What the engine reaches the world through, handed in: a transport for each thread, and a sink for its records. The
 * engine waits nowhere else than in transport.poll(), so whoever hands in a clock and a transport of a test holds its
 * time.
 */
#ifndef TENFOLD_SIM_PORTS_H
#define TENFOLD_SIM_PORTS_H

#include "sim/client.h"
#include "sim/recorder.h"

/* As sim/client.h has it; all but wake() on the thread of one shard. */
struct transport {
	void *self;
	void (*start)(void *self, struct client_call *c);
	void (*cancel)(void *self, struct client_call *c);
	void (*poll)(void *self, int64_t timeout_ns);
	void (*wake)(void *self); /* any thread */
	struct client_counts (*count)(const void *self);
	void (*free)(void *self);
};

/* Makes the transport of one shard of so many; `done` is told of its calls. */
typedef enum err transport_make_fn(const void *how, unsigned shards, client_done_fn *done, void *ctx,
				   struct transport *out, struct problem *p);

/* HTTP: `how` is a struct client_config of the whole run, whose connections the shards divide. */
enum err transport_http(const void *how, unsigned shards, client_done_fn *done, void *ctx, struct transport *out,
			struct problem *p);
/* --mock-api: nothing can be started; it only waits. `how` is NULL. */
enum err transport_mock(const void *how, unsigned shards, client_done_fn *done, void *ctx, struct transport *out,
			struct problem *p);

/* As sim/recorder.h has it. */
struct sink {
	void *self;
	enum err (*put)(void *self, const struct session_record *s); /* any thread */
	bool (*settled)(void *self);
	void (*cycle)(void *self, const struct cycle_record *c);
	void (*trouble)(void *self, struct problem *out);
	void (*count)(void *self, struct recorder_counts *out);
};

struct sink sink_recorder(struct recorder *r);

#endif
