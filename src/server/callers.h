/*
 * Who calls, and how much of it: what the HTTP server asks of each request before anything else.
 *
 * The keyring knows keys; here is what holds without one, and the buckets of limits/limits.h: one per agent, one per
 * person, one per key of neither, and one per address of callers without key. Keys that an admin makes are unlimited.
 */
#ifndef TENFOLD_SERVER_CALLERS_H
#define TENFOLD_SERVER_CALLERS_H

#include "http/http.h"
#include "spec/types.h"

struct limits;

/* Flags of the routes that need no key: for http_config.keyless. */
unsigned callers_keyless(const struct serve_params *params);
struct limits *callers_limits(const struct serve_params *params);

/* For http_hooks; app->keyring and app->limits are there. */
enum err callers_authenticate(struct call *c, struct str secret, struct str tenant);
enum err callers_admit(struct call *c, struct rate *out);
enum err callers_recheck(struct call *c, int64_t *again_ms);

#endif
