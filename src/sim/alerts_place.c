/* Where alerts go: flags checked and taken apart. See alerts_priv.h. */
#include "sim/alerts_priv.h"

#include <string.h>
#include <unistd.h>

enum { HOST_MAX = 256, ADDRESS_MAX = 254 };

/* ---- URLs ---- */

static struct str part(CURLU *u, CURLUPart which, unsigned flags, struct arena *a)
{
	char *text = NULL;
	struct str out = {0};

	if (curl_url_get(u, which, &text, flags) == CURLUE_OK)
		out = arena_str(a, str_of(text));
	curl_free(text);
	return out;
}

static bool is_this_machine(struct str host)
{
	return str_eqz(host, "localhost") || str_eqz(host, "[::1]") || str_starts(host, STR("127."));
}

static bool is_one_of(struct str scheme, const char *plain, const char *tls)
{
	return str_eqz(scheme, plain) || str_eqz(scheme, tls);
}

static void take_apart(CURLU *u, struct arena *a, struct alert_place *out)
{
	struct str scheme = part(u, CURLUPART_SCHEME, 0, a), host = part(u, CURLUPART_HOST, 0, a);
	struct str port = part(u, CURLUPART_PORT, 0, a);

	out->name = arena_fmt(a, "%.*s://%.*s%s%.*s", STRF(scheme), STRF(host), port.n ? ":" : "", STRF(port));
	out->user = part(u, CURLUPART_USER, CURLU_URLDECODE, a);
	out->password = part(u, CURLUPART_PASSWORD, CURLU_URLDECODE, a);
	out->is_far = !is_this_machine(host);
	curl_url_set(u, CURLUPART_USER, NULL, 0);
	curl_url_set(u, CURLUPART_PASSWORD, NULL, 0);
	out->url = part(u, CURLUPART_URL, 0, a);
}

static enum err read_url(struct str text, const char *flag, const char *plain, const char *tls, struct arena *a,
			 struct alert_place *out, struct problem *p)
{
	CURLU *u = curl_url();
	bool good = !memchr(text.p, '\0', text.n) &&
		    curl_url_set(u, CURLUPART_URL, arena_z(a, text), 0) == CURLUE_OK &&
		    is_one_of(part(u, CURLUPART_SCHEME, 0, a), plain, tls);

	if (good)
		take_apart(u, a, out);
	curl_url_cleanup(u);
	if (good)
		return OK;
	return problem_field(p, ERR_INVALID, flag, "must be a URL that begins with %s:// or %s://", plain, tls);
}

/* Those of Discord and others that take Slack's messages end so. */
static bool takes_slack(const struct alert_place *place)
{
	struct str ending = STR("/slack"), url = place->url;

	return str_eqz(place->name, "https://hooks.slack.com") ||
	       (url.n > ending.n && str_eq((struct str){url.p + url.n - ending.n, ending.n}, ending));
}

static enum err read_webhook(const struct alerts_config *c, size_t i, struct arena *a, struct alert_place *out,
			     struct problem *p)
{
	enum err e = read_url(c->webhooks[i], "alert_webhook", "http", "https", a, out, p);

	if (!e)
		out->is_slack = c->format == SIM_ALERT_SLACK || (c->format == SIM_ALERT_AUTO && takes_slack(out));
	return e;
}

/* ---- addresses ---- */

/* As far as it matters here: nothing that ends a line of SMTP or a header, or means more than one. */
static bool is_address(struct str s)
{
	struct str host, user = str_cut(s, '@', &host);

	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] >= 0x7f || strchr("<>()[]\\,;:\"", s.p[i]))
			return false;
	return s.n <= ADDRESS_MAX && user.n > 0 && host.n > 0 && !memchr(host.p, '@', host.n);
}

static enum err read_address(struct str given, const char *flag, struct arena *a, struct str *out,
			     struct problem *p)
{
	if (!is_address(given))
		return problem_field(p, ERR_INVALID, flag, "\"%.*s\" is no address such as ops@example.com",
				     STRF(given));
	*out = arena_str(a, given);
	return OK;
}

static struct str name_of_this_machine(struct arena *a)
{
	char host[HOST_MAX] = "localhost";

	if (gethostname(host, sizeof(host) - 1) != 0 || !host[0])
		return STR("localhost");
	return arena_str(a, str_of(host));
}

static enum err read_mail(const struct alerts_config *c, struct arena *a, struct alert_places *out,
			  struct problem *p)
{
	struct str relay = c->smtp.n ? c->smtp : STR("smtp://127.0.0.1:25");
	struct alert_place *place = &out->v[out->n++];
	enum err e = read_url(relay, "alert_smtp", "smtp", "smtps", a, place, p);

	place->is_mail = true;
	out->host = name_of_this_machine(a);
	out->from = arena_fmt(a, "tenfold@%.*s", STRF(out->host));
	if (!e && c->from.n)
		e = read_address(c->from, "alert_from", a, &out->from, p);
	for (; !e && out->email_count < c->email_count; out->email_count++)
		e = read_address(c->emails[out->email_count], "alert_email", a, &out->emails[out->email_count], p);
	return e;
}

enum err alert_places_read(const struct alerts_config *config, struct arena *a, struct alert_places *out,
			   struct problem *p)
{
	enum err e = OK;

	*out = (struct alert_places){0};
	if (config->webhook_count > ALERT_WEBHOOKS_MAX)
		return problem_field(p, ERR_INVALID, "alert_webhook", "at most %d can be given",
				     ALERT_WEBHOOKS_MAX);
	if (config->email_count > ALERT_EMAILS_MAX)
		return problem_field(p, ERR_INVALID, "alert_email", "at most %d can be given", ALERT_EMAILS_MAX);
	if (!config->email_count && (config->smtp.n || config->from.n))
		return problem_field(p, ERR_INVALID, config->smtp.n ? "alert_smtp" : "alert_from",
				     "says how e-mail is sent, and --alert-email does not say to whom");
	for (; !e && out->n < config->webhook_count; out->n++)
		e = read_webhook(config, out->n, a, &out->v[out->n], p);
	if (!e && config->email_count)
		e = read_mail(config, a, out, p);
	return e;
}
