/*
 * The handlers of api/routes.def, one function per call, and the table that finds them. What a handler may do is
 * said in http/call.h.
 */
#ifndef TENFOLD_API_API_H
#define TENFOLD_API_API_H

#include "http/http.h"

#define ROUTE(name, tag, method, path, in_type, out_type, scope, runs, status, max_body, flags, cache, doc) \
	enum err api_##name(struct call *c, const struct in_type *in, struct out_type *out);
#include "api/routes.def"
#undef ROUTE

/* The first halves of HASH_WRITE calls. */
enum err api_sign_up_hash(struct call *c, const struct sign_up_in *in, struct signed_in *out);
enum err api_sign_in_hash(struct call *c, const struct sign_in_in *in, struct signed_in *out);
enum err api_account_password_hash(struct call *c, const struct account_password_in *in, struct nothing *out);
enum err api_password_reset_use_hash(struct call *c, const struct password_reset_in *in, struct nothing *out);

/* The second halves of SLOT_READ calls. */
enum err api_work_list_read(struct call *c, const struct work_list_in *in, struct work_list_out *out);

/* By route_id: the handler, and for SLOT_READ what runs afterwards on a connection that reads (else NULL). */
extern http_handler_fn *const api_handlers[ROUTE_COUNT];
extern http_handler_fn *const api_second_halves[ROUTE_COUNT];

/* Of HASH_WRITE calls, what runs before them on a thread of their own, with a connection that reads. */
extern http_handler_fn *const api_hash_halves[ROUTE_COUNT];
/* Of BULK calls, by route_id: what a batch of them is written in the order of, which names the row that is written;
 * and, where it pays, all calls of a batch at once: outcomes[i] of calls[i], an error that undoes the batch. */
struct api_bulk {
	int64_t (*key)(const struct call *c);
	enum err (*all)(struct call *const *calls, enum err *outcomes, size_t count); /* or NULL */
};
int64_t agent_add_key(const struct call *c);
enum err agent_add_all(struct call *const *calls, enum err *outcomes, size_t count);
int64_t agent_beat_key(const struct call *c);
enum err agent_beat_all(struct call *const *calls, enum err *outcomes, size_t count);
extern const struct api_bulk api_bulks[ROUTE_COUNT];
/* The first halves of CACHED calls, run on the loop (else NULL). */
extern http_handler_fn *const api_first_halves[ROUTE_COUNT];

#endif
