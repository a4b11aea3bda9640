/* See signed.h. Structured fields (RFC 8941) are read as far as RFC 9421 needs them, and no further. */
#include "directory/signed.h"

#include "base/buf.h"

#include <ctype.h>
#include <sodium.h>
#include <string.h>

enum { SHA256 = 32, SHA512 = 64, BASE_MAX = 64 << 10, COMPONENTS_MAX = 32 };

static struct str header_of(const struct signed_request *r, const char *name)
{
	return r->header(r->ctx, str_of(name));
}

bool signed_is(const struct signed_request *r)
{
	return header_of(r, "x-agent-signature").p || header_of(r, "signature-input").p;
}

bool signed_by(const struct signed_claim *claim, const unsigned char key[PROOF_KEY])
{
	return crypto_sign_verify_detached(claim->signature, (const unsigned char *)claim->text.p, claim->text.n,
					   key) == 0;
}

static enum err refuse(struct problem *p, const char *why)
{
	return problem_set(p, ERR_UNAUTHENTICATED, "%s", why);
}

static enum err check_time(int64_t created_ms, int64_t now_ms, struct problem *p)
{
	int64_t apart = created_ms > now_ms ? created_ms - now_ms : now_ms - created_ms;

	if (apart <= SIGNED_SKEW_MS)
		return OK;
	return problem_set(p, ERR_UNAUTHENTICATED,
			   "the signature was made %lld s %s the server's time; at most %d s are allowed",
			   (long long)(apart / 1000), created_ms > now_ms ? "after" : "before",
			   SIGNED_SKEW_MS / 1000);
}

/* ---- X-Agent-Signature ---- */

/* With colons between; any bytes. */
static struct str joined(struct arena *a, const struct str *parts, size_t count)
{
	struct buf b = BUF_INIT(0);
	struct str out;

	for (size_t i = 0; i < count; i++) {
		if (i)
			buf_c(&b, ':');
		buf_str_add(&b, parts[i]);
	}
	out = buf_ok(&b) ? arena_str(a, buf_str(&b)) : (struct str){0};
	buf_free(&b);
	return out;
}

static enum err read_plain(const struct signed_request *r, int64_t now_ms, struct arena *a,
			   struct signed_claim *out, struct problem *p)
{
	struct str time = header_of(r, "x-agent-timestamp");

	out->agent = header_of(r, "x-agent-id");
	if (!out->agent.n)
		return refuse(p, "X-Agent-Signature needs X-Agent-Id: the agent's id or handle");
	if (!str_to_i64(time, &out->created_ms) || out->created_ms < 0)
		return refuse(p, "X-Agent-Signature needs X-Agent-Timestamp: milliseconds since 1970");
	if (r->query.n)
		return refuse(p, "X-Agent-Signature does not cover a query; sign with Signature-Input (RFC 9421)");
	if (!proof_bytes(header_of(r, "x-agent-signature"), out->signature, PROOF_SIGNATURE))
		return refuse(p, "X-Agent-Signature must be the 64 bytes of a signature in base64");
	out->text = joined(a, (struct str[]){r->method, r->path, time, r->body}, 4);
	return out->text.p ? check_time(out->created_ms, now_ms, p)
			   : problem_set(p, ERR_TOO_LARGE, "what is signed is too long");
}

/* ---- structured fields ---- */

static bool take(struct str *s, char c)
{
	if (s->n == 0 || s->p[0] != c)
		return false;
	s->p++;
	s->n--;
	return true;
}

/* A key of a dictionary or a parameter: [a-z*][a-z0-9_.*-]* */
static bool take_key(struct str *s, struct str *out)
{
	size_t n = 0;

	while (n < s->n && (islower((unsigned char)s->p[n]) || s->p[n] == '*' ||
			    (n > 0 && (isdigit((unsigned char)s->p[n]) || strchr("_.-", s->p[n])))))
		n++;
	if (n == 0)
		return false;
	*out = (struct str){s->p, n};
	s->p += n;
	s->n -= n;
	return true;
}

/* "text" of visible characters; escapes have no place in what we read. */
static bool take_string(struct str *s, struct str *out)
{
	size_t n = 0;

	if (!take(s, '"'))
		return false;
	while (n < s->n && s->p[n] != '"' && s->p[n] != '\\' && s->p[n] >= ' ' && s->p[n] <= '~')
		n++;
	*out = (struct str){s->p, n};
	s->p += n;
	s->n -= n;
	return take(s, '"');
}

/* :base64: */
static bool take_bytes(struct str *s, void *out, size_t n)
{
	struct str text;

	if (!take(s, ':'))
		return false;
	text = (struct str){s->p, 0};
	while (text.n < s->n && text.p[text.n] != ':')
		text.n++;
	s->p += text.n;
	s->n -= text.n;
	return take(s, ':') && proof_bytes(text, out, n);
}

static bool take_number(struct str *s, int64_t *out)
{
	size_t n = 0;
	struct str text;

	while (n < s->n && n < 15 && isdigit((unsigned char)s->p[n]))
		n++;
	text = (struct str){s->p, n};
	s->p += n;
	s->n -= n;
	return str_to_i64(text, out);
}

/* ---- Signature-Input ---- */

struct input {
	struct str label;
	struct str params; /* "(" to the end, as it stands: the value of @signature-params */
	struct str components[COMPONENTS_MAX];
	size_t count;
	struct str keyid, alg;
	int64_t created_s, expires_s; /* 0: none */
};

static bool take_components(struct str *s, struct input *in)
{
	if (!take(s, '('))
		return false;
	while (!take(s, ')')) {
		if (in->count == COMPONENTS_MAX || (in->count && !take(s, ' ')) ||
		    !take_string(s, &in->components[in->count++]))
			return false;
	}
	return true;
}

static bool take_param(struct str *s, struct input *in)
{
	struct str name, ignored;

	if (!take_key(s, &name) || !take(s, '='))
		return false;
	if (str_eqz(name, "created"))
		return take_number(s, &in->created_s);
	if (str_eqz(name, "expires"))
		return take_number(s, &in->expires_s);
	if (str_eqz(name, "keyid"))
		return take_string(s, &in->keyid);
	if (str_eqz(name, "alg"))
		return take_string(s, &in->alg);
	return (str_eqz(name, "nonce") || str_eqz(name, "tag")) && take_string(s, &ignored);
}

static bool read_input(struct str s, struct input *in)
{
	*in = (struct input){0};
	if (!take_key(&s, &in->label) || !take(&s, '='))
		return false;
	in->params.p = s.p;
	if (!take_components(&s, in))
		return false;
	while (take(&s, ';'))
		if (!take_param(&s, in))
			return false;
	in->params.n = (size_t)(s.p - in->params.p);
	return s.n == 0 || s.p[0] == ',';
}

static bool read_signature(struct str s, struct str label, unsigned char out[PROOF_SIGNATURE])
{
	struct str name;

	return take_key(&s, &name) && str_eq(name, label) && take(&s, '=') &&
	       take_bytes(&s, out, PROOF_SIGNATURE) && (s.n == 0 || s.p[0] == ',');
}

static bool covers(const struct input *in, const char *component)
{
	for (size_t i = 0; i < in->count; i++)
		if (str_eqz(in->components[i], component))
			return true;
	return false;
}

/* RFC 9421, 2: each component stands there once. */
static bool covers_twice(const struct input *in)
{
	for (size_t i = 0; i < in->count; i++)
		for (size_t j = 0; j < i; j++)
			if (str_eq(in->components[i], in->components[j]))
				return true;
	return false;
}

static enum err check_covered(const struct signed_request *r, const struct input *in, struct problem *p)
{
	bool target = covers(in, "@request-target");

	if (!covers(in, "@method"))
		return refuse(p, "the signature must cover @method");
	if (!target && !covers(in, "@path"))
		return refuse(p, "the signature must cover @path");
	if (r->query.n && !target && !covers(in, "@query"))
		return refuse(p, "the signature must cover @query");
	if (r->body.n && !covers(in, "content-digest"))
		return refuse(p, "the signature must cover Content-Digest, as there is a body");
	if (covers_twice(in))
		return refuse(p, "the signature covers the same twice; name each component once");
	return OK;
}

static enum err check_params(const struct input *in, int64_t now_ms, struct problem *p)
{
	if (!in->created_s)
		return refuse(p, "Signature-Input must say when it was created");
	if (in->expires_s && in->expires_s * 1000 <= now_ms)
		return refuse(p, "the signature has expired");
	if (!in->keyid.n)
		return refuse(p, "Signature-Input must have keyid: the agent's id or handle");
	if (in->alg.n && !str_eqz(in->alg, "ed25519"))
		return refuse(p, "the only algorithm is ed25519");
	return check_time(in->created_s * 1000, now_ms, p);
}

/* ---- Content-Digest ---- */

static bool digest_fits(struct str name, struct str *value, struct str body)
{
	unsigned char said[SHA512], is[SHA512];

	if (str_eqz(name, "sha-256")) {
		crypto_hash_sha256(is, (const unsigned char *)body.p, body.n);
		return take_bytes(value, said, SHA256) && memcmp(said, is, SHA256) == 0;
	}
	crypto_hash_sha512(is, (const unsigned char *)body.p, body.n);
	return str_eqz(name, "sha-512") && take_bytes(value, said, SHA512) && memcmp(said, is, SHA512) == 0;
}

/* The first digest must be one we know, and fit. */
static enum err check_digest(const struct signed_request *r, struct problem *p)
{
	struct str value = header_of(r, "content-digest"), name;

	if (!r->body.n && !value.p)
		return OK;
	if (take_key(&value, &name) && take(&value, '=') && digest_fits(name, &value, r->body))
		return OK;
	return refuse(
		p, "Content-Digest must begin with the sha-256 or sha-512 of the body, such as sha-256=:BASE64:");
}

/* ---- the signature base ---- */

static void add_lower(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		buf_c(b, (char)tolower((unsigned char)s.p[i]));
}

static void add_query(struct buf *b, const struct signed_request *r)
{
	buf_c(b, '?');
	buf_str_add(b, r->query);
}

static void add_target(struct buf *b, const struct signed_request *r)
{
	buf_str_add(b, r->path);
	if (r->query.n)
		add_query(b, r);
}

static bool add_value(struct buf *b, const struct signed_request *r, struct str component)
{
	struct str value;

	if (str_eqz(component, "@method"))
		buf_str_add(b, r->method);
	else if (str_eqz(component, "@path"))
		buf_str_add(b, r->path);
	else if (str_eqz(component, "@query"))
		add_query(b, r);
	else if (str_eqz(component, "@request-target"))
		add_target(b, r);
	else if (str_eqz(component, "@authority"))
		add_lower(b, header_of(r, "host"));
	else if (component.n && component.p[0] != '@' && (value = r->header(r->ctx, component)).p)
		buf_str_add(b, value);
	else
		return false;
	return true;
}

static enum err make_base(const struct signed_request *r, const struct input *in, struct arena *a, struct str *out,
			  struct problem *p)
{
	struct buf b = BUF_INIT(BASE_MAX);
	enum err err = OK;

	for (size_t i = 0; i < in->count && !err; i++) {
		buf_fmt(&b, "\"%.*s\": ", STRF(in->components[i]));
		if (!add_value(&b, r, in->components[i]))
			err = problem_set(p, ERR_UNAUTHENTICATED,
					  "the signature covers \"%.*s\", which this server does not know or the "
					  "request does not have",
					  STRF(in->components[i]));
		buf_c(&b, '\n');
	}
	buf_fmt(&b, "\"@signature-params\": %.*s", STRF(in->params));
	*out = buf_ok(&b) ? arena_str(a, buf_str(&b)) : (struct str){0};
	buf_free(&b);
	return err || out->p ? err : problem_set(p, ERR_TOO_LARGE, "what is signed is too long");
}

static enum err read_message(const struct signed_request *r, int64_t now_ms, struct arena *a,
			     struct signed_claim *out, struct problem *p)
{
	struct input in;
	enum err err;

	if (!read_input(header_of(r, "signature-input"), &in))
		return refuse(p, "Signature-Input must be like sig1=(\"@method\" "
				 "\"@path\");created=1700000000;keyid=\"AGENT\"");
	if (!read_signature(header_of(r, "signature"), in.label, out->signature))
		return refuse(p, "Signature must have the same label, and the 64 bytes in base64 between colons");
	out->agent = in.keyid;
	out->created_ms = in.created_s * 1000;
	err = check_params(&in, now_ms, p);
	err = err ? err : check_covered(r, &in, p);
	err = err ? err : check_digest(r, p);
	return err ? err : make_base(r, &in, a, &out->text, p);
}

enum err signed_read(const struct signed_request *r, int64_t now_ms, struct arena *a, struct signed_claim *out,
		     struct problem *p)
{
	*out = (struct signed_claim){0};
	if (header_of(r, "x-agent-signature").p)
		return read_plain(r, now_ms, a, out, p);
	return read_message(r, now_ms, a, out, p);
}
