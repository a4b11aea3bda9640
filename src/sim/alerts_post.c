/* One delivery, as libcurl is told of it and tells of it. See alerts_priv.h. */
#include "sim/alerts_priv.h"

#include "base/magic.h"

enum { ANSWER_BYTES_MAX = 64 << 10 };

/* ---- a delivery ---- */

static void write_mail(struct alert_post *d, const struct alert_places *all, const struct sim_alert *alert)
{
	alert_mail_text(alert, &d->body);
	alert_mail_subject(alert, &d->subject);
	alert_mail_date(alert->at, &d->date);
	buf_fmt(&d->id, "<%.*s.%lld.%lld@%.*s>", STRF(alert->run), (long long)alert->trips, (long long)alert->at,
		STRF(all->host));
}

struct alert_post *alert_post_new(const struct alert_place *place, const struct alert_places *all,
				  const struct sim_alert *alert)
{
	struct alert_post *d = NEW(struct alert_post);

	d->place = place;
	if (place->is_mail)
		write_mail(d, all, alert);
	else if (place->is_slack)
		alert_slack(alert, &d->body);
	else
		alert_plain(alert, &d->body);
	return d;
}

void alert_post_free(struct alert_post *d)
{
	alert_post_end(d);
	buf_free(&d->body);
	buf_free(&d->subject);
	buf_free(&d->date);
	buf_free(&d->id);
	buf_free(&d->why);
	free(d);
}

/* ---- begun ---- */

static void add_header(struct alert_post *d, const char *name, struct str value)
{
	struct buf b = BUF_INIT(0);
	struct curl_slist *more;

	buf_fmt(&b, "%s: %.*s", name, STRF(value));
	more = curl_slist_append(d->headers, buf_cstr(&b));
	CHECK(more);
	d->headers = more;
	buf_free(&b);
}

static void add_mail_headers(struct alert_post *d, const struct alert_places *all)
{
	struct buf to = BUF_INIT(0);

	for (size_t i = 0; i < all->email_count; i++)
		buf_fmt(&to, "%s%.*s", i ? ", " : "", STRF(all->emails[i]));
	add_header(d, "From", all->from);
	add_header(d, "To", buf_str(&to));
	add_header(d, "Subject", buf_str(&d->subject));
	add_header(d, "Date", buf_str(&d->date));
	add_header(d, "Message-ID", buf_str(&d->id));
	add_header(d, "Auto-Submitted", STR("auto-generated"));
	buf_free(&to);
}

/* A password goes out in the clear to this machine alone. */
static long tls_of(const struct alert_place *place)
{
	return (long)(place->is_far && place->user.n ? CURLUSESSL_ALL : CURLUSESSL_TRY);
}

/* A relay takes one receiver and refuses another: those it takes are told. */
static void begin_mail(struct alert_post *d, const struct alert_places *all)
{
	curl_mimepart *text;

	for (size_t i = 0; i < all->email_count; i++)
		d->to = curl_slist_append(d->to, all->emails[i].p);
	d->mime = curl_mime_init(d->easy);
	text = curl_mime_addpart(d->mime);
	curl_mime_data(text, d->body.p, d->body.n);
	curl_mime_type(text, "text/plain; charset=utf-8");
	curl_mime_encoder(text, "quoted-printable");
	add_mail_headers(d, all);
	curl_easy_setopt(d->easy, CURLOPT_MAIL_FROM, all->from.p);
	curl_easy_setopt(d->easy, CURLOPT_MAIL_RCPT, d->to);
	curl_easy_setopt(d->easy, CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L);
	curl_easy_setopt(d->easy, CURLOPT_MIMEPOST, d->mime);
	curl_easy_setopt(d->easy, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(d->easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl_easy_setopt(d->easy, CURLOPT_USE_SSL, tls_of(d->place));
}

static void begin_webhook(struct alert_post *d)
{
	add_header(d, "Content-Type", STR("application/json"));
	add_header(d, "Expect", (struct str){0});
	curl_easy_setopt(d->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)d->body.n);
	curl_easy_setopt(d->easy, CURLOPT_POSTFIELDS, d->body.p);
	curl_easy_setopt(d->easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(d->easy, CURLOPT_USERAGENT, "tenfold-sim");
}

/* What it answers is of no interest, and ends somewhere. */
static size_t count_answer(char *bytes, size_t each, size_t count, void *left)
{
	size_t n = each * count, *room = left;

	(void)bytes;
	if (n > *room)
		return 0;
	*room -= n;
	return n;
}

static void secure(struct alert_post *d, const struct alerts_config *config)
{
	const struct alert_place *place = d->place;

	if (config->ca_file.n)
		curl_easy_setopt(d->easy, CURLOPT_CAINFO, config->ca_file.p);
	if (place->user.n)
		curl_easy_setopt(d->easy, CURLOPT_USERNAME, place->user.p);
	if (place->password.n)
		curl_easy_setopt(d->easy, CURLOPT_PASSWORD, place->password.p);
}

void alert_post_begin(struct alert_post *d, const struct alert_places *all, const struct alerts_config *config)
{
	d->tries++;
	d->room = ANSWER_BYTES_MAX;
	d->error[0] = '\0';
	d->easy = curl_easy_init();
	CHECK(d->easy);
	if (d->place->is_mail)
		begin_mail(d, all);
	else
		begin_webhook(d);
	secure(d, config);
	curl_easy_setopt(d->easy, CURLOPT_URL, d->place->url.p);
	curl_easy_setopt(d->easy, CURLOPT_HTTPHEADER, d->headers);
	curl_easy_setopt(d->easy, CURLOPT_TIMEOUT_MS, (long)config->answer_ms);
	curl_easy_setopt(d->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(d->easy, CURLOPT_QUICK_EXIT, 1L); /* a name that is still looked up is not waited for */
	curl_easy_setopt(d->easy, CURLOPT_WRITEFUNCTION, count_answer);
	curl_easy_setopt(d->easy, CURLOPT_WRITEDATA, &d->room);
	curl_easy_setopt(d->easy, CURLOPT_ERRORBUFFER, d->error);
	curl_easy_setopt(d->easy, CURLOPT_PRIVATE, d);
}

void alert_post_end(struct alert_post *d)
{
	curl_easy_cleanup(d->easy);
	curl_mime_free(d->mime);
	curl_slist_free_all(d->headers);
	curl_slist_free_all(d->to);
	d->easy = NULL;
	d->mime = NULL;
	d->headers = d->to = NULL;
}

/* ---- ended ---- */

/* Nothing of what these say passes by itself. */
static bool is_lasting(CURLcode result)
{
	return result == CURLE_PEER_FAILED_VERIFICATION || result == CURLE_SSL_CACERT_BADFILE ||
	       result == CURLE_USE_SSL_FAILED || result == CURLE_LOGIN_DENIED ||
	       result == CURLE_UNSUPPORTED_PROTOCOL || result == CURLE_WRITE_ERROR;
}

static enum alert_fate fate_of_mail(CURLcode result, long status)
{
	if (result == CURLE_OK)
		return ALERT_DELIVERED;
	return is_lasting(result) || status / 100 == 5 ? ALERT_REFUSED : ALERT_AGAIN;
}

static enum alert_fate fate_of_webhook(CURLcode result, long status)
{
	if (result != CURLE_OK)
		return is_lasting(result) ? ALERT_REFUSED : ALERT_AGAIN;
	if (status / 100 == 2)
		return ALERT_DELIVERED;
	return status / 100 == 5 || status == 408 || status == 429 ? ALERT_AGAIN : ALERT_REFUSED;
}

enum alert_fate alert_post_fate(struct alert_post *d, CURLcode result)
{
	long status = 0;

	curl_easy_getinfo(d->easy, CURLINFO_RESPONSE_CODE, &status);
	buf_reset(&d->why);
	if (result != CURLE_OK)
		buf_z(&d->why, d->error[0] ? d->error : curl_easy_strerror(result));
	else if (status / 100 == 3)
		buf_fmt(&d->why, "it redirects (%ld), which is not followed", status);
	else
		buf_fmt(&d->why, "it answers %ld", status);
	return d->place->is_mail ? fate_of_mail(result, status) : fate_of_webhook(result, status);
}
