/*
 * The parts of alerts.
 *
 *	alerts.c         the thread that delivers
 *	alerts_place.c   where to: flags checked and taken apart
 *	alerts_post.c    one delivery, as libcurl is told of it and tells of it
 *	alerts_text.c    what is said
 *	alerts_watch.c   what of a run is worth an alert
 */
#ifndef TENFOLD_SIM_ALERTS_PRIV_H
#define TENFOLD_SIM_ALERTS_PRIV_H

#include "base/arena.h"
#include "base/buf.h"
#include "sim/alerts.h"

#include <curl/curl.h>

/* ---- where to ---- */

struct alert_place {
	struct str url;  /* without user and password */
	struct str name; /* scheme and host: for people */
	struct str user, password;
	bool is_mail, is_slack;
	bool is_far; /* not this machine */
};

struct alert_places {
	struct alert_place v[ALERT_WEBHOOKS_MAX + 1]; /* the mail's, if any, is the last */
	size_t n;
	struct str from, host; /* the sender; this machine */
	struct str emails[ALERT_EMAILS_MAX];
	size_t email_count;
};

/* Texts are of the arena, and end with a NUL. */
enum err alert_places_read(const struct alerts_config *config, struct arena *a, struct alert_places *out,
			   struct problem *p);

/* ---- what is said ---- */

void alert_plain(const struct sim_alert *alert, struct buf *b);
void alert_slack(const struct sim_alert *alert, struct buf *b);
void alert_mail_text(const struct sim_alert *alert, struct buf *b); /* lines end with CR LF */
void alert_mail_subject(const struct sim_alert *alert, struct buf *b);
void alert_mail_date(int64_t ms, struct buf *b); /* RFC 5322 */

/* ---- one delivery ---- */

struct alert_post {
	struct alert_post *next;
	const struct alert_place *place;
	struct buf body, subject, date, id; /* but for the body of mails alone */
	struct buf why;                     /* the last try failed */
	unsigned tries;
	int64_t due_ns; /* when it is tried next */
	CURL *easy;     /* while it is tried; NULL */
	struct curl_slist *headers, *to;
	curl_mime *mime;
	size_t room; /* bytes of an answer that are still read */
	char error[CURL_ERROR_SIZE];
};

struct alert_post *alert_post_new(const struct alert_place *place, const struct alert_places *all,
				  const struct sim_alert *alert);
void alert_post_free(struct alert_post *d);
/* Makes d->easy, to be given to a multi handle. */
void alert_post_begin(struct alert_post *d, const struct alert_places *all, const struct alerts_config *config);
void alert_post_end(struct alert_post *d); /* of what begin() made */

enum alert_fate { ALERT_DELIVERED, ALERT_AGAIN, ALERT_REFUSED };
/* What `result` means; d->why tells it to people. */
enum alert_fate alert_post_fate(struct alert_post *d, CURLcode result);

#endif
