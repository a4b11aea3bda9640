/*
 * Somebody is told when a run's breaker opens: by webhooks and by e-mail, from a thread of its own, so that the run
 * waits for nobody.
 *
 * Each receiver is tried up to ALERT_TRIES times, with growing pauses, as long as what went wrong may pass: no
 * connection, no answer in time, 408, 429 and 5xx of HTTP, 4xx of SMTP. Redirections are not followed. Of what cannot
 * be delivered a line is said. Addresses of webhooks are secrets, and so are passwords: lines name the host alone.
 *
 * E-mail goes to a relay by SMTP, with STARTTLS where that is offered. A password is never sent unprotected but to this
 * machine itself.
 */
#ifndef TENFOLD_SIM_ALERTS_H
#define TENFOLD_SIM_ALERTS_H

#include "base/clock.h"
#include "sim/watcher.h"
#include "spec/types.h"

enum { ALERT_WEBHOOKS_MAX = 8, ALERT_EMAILS_MAX = 16, ALERT_TRIES = 4 };

struct alerts_config {
	const struct str *webhooks, *emails; /* http:// or https://; addresses */
	size_t webhook_count, email_count;
	enum sim_alert_format format;
	struct str smtp;    /* smtp://[USER:PASSWORD@]HOST[:PORT] or smtps://…; empty: this machine's */
	struct str from;    /* an address; empty: tenfold at this machine */
	struct str ca_file; /* of https and TLS; empty: the system's */
	int64_t answer_ms,
		pause_ms; /* for one try; before the second one, and twice as long before each after it */
	/* What came of an alert, a line each, on the run's thread. */
	void (*said)(void *ctx, bool delivered, const char *line);
	void *ctx;
};

struct alerts;

/* ERR_INVALID names the flag. Texts are copied. */
enum err alerts_open(const struct alerts_config *config, struct alerts **out, struct problem *p);
void alerts_raise(struct alerts *a, const struct sim_alert *alert); /* never waits; too many at once are left out */
void alerts_turn(struct alerts *a);                                 /* says what came of alerts since */
/* Goes on delivering for at most so long, and says what is left. */
void alerts_close(struct alerts **a, int64_t patience_ms);

/* Hangs on a run, raises an alert for each trip of its breaker, and closes `a` with the run. The facts must stay. */
void alerts_watch(struct alerts *a, const struct run_facts *facts, struct clock *wall, struct watcher *out);

#endif
