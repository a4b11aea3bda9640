/* What the files of forwarding share. */
#ifndef TENFOLD_API_FORWARD_PRIV_H
#define TENFOLD_API_FORWARD_PRIV_H

#include "api/forward.h"

#include "base/map.h"
#include "base/vec.h"
#include "http/etag.h"

#include <curl/curl.h>

enum transfer_kind { OF_CALL, OF_STREAM, OF_RELEASE };

struct transfer {
	struct forward *forward;
	enum transfer_kind kind;
	struct call *call;  /* OF_CALL */
	uint64_t number;    /* its number; 0 for others */
	bool waits, writes; /* of the route */
	CURL *easy;
	struct curl_slist *headers;
	struct buf url, body, answer;
	char content_type[96], etag[ETAG_MAX + 1], seen[64];
	int retry_after_s;
	bool replayed;
	struct buf pending;         /* OF_STREAM, under the lock: not sent yet */
	bool paused, ended, closed; /* likewise */
};

enum order_kind { START, CANCEL, RESUME, CUT, END_WAITS, GIVE_UP };

struct order {
	struct order *next;
	enum order_kind kind;
	struct transfer *transfer; /* START, RESUME, CUT */
	uint64_t number;           /* CANCEL */
};

struct forward {
	struct app *app;
	CURLM *multi;
	pthread_t thread;
	bool started;

	pthread_mutex_t lock;
	struct buf url; /* of the owner */
	int64_t epoch;
	struct order *first, **last;
	bool stopping, stopped;

	/* the driver's */
	struct map calls; /* by number */
	VEC(struct transfer *) others;
	VEC(CURL *) idle;
};

/* ---- forward.c: the driver ---- */

/* Any thread. False: it has stopped. */
bool forward_order(struct forward *f, enum order_kind kind, struct transfer *t, uint64_t number);

/* ---- transfer.c: one request, and what comes back ---- */

struct transfer *transfer_new(struct forward *f, enum transfer_kind kind);
void transfer_free(struct transfer *t);

/* The owner's url and epoch, and who asks. False: there is no owner to ask. */
bool transfer_address(struct transfer *t, const struct call *c, struct str path, struct str query);
/* The same for all that the call's request said. */
bool transfer_address_request(struct transfer *t, const struct call *c);
void transfer_header(struct transfer *t, const char *name, struct str value);

void transfer_prepare(struct transfer *t); /* its handle, to be added to the multi handle */

/* The outcome of its call: the owner's answer in the call's own memory, or that there is none. */
enum err transfer_relay(struct transfer *t);
enum err transfer_unanswered(struct transfer *t, const char *why);

#endif
