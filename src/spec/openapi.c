/*
 * The OpenAPI 3.1 document, written from the tables: routes, types, errors.
 *
 *   paths       one operation per route: members of the path and the query as parameters, those of the body as a
 * schema components  the types that routes reach, the headers and the problems that operations share
 *
 * Commas: a member or element puts one before itself unless it is the first in its brackets.
 */
#include "base/err.h"
#include "spec/routes.h"

#include <string.h>

/* Statuses whose answer is a problem, and when. The text of 4xx and 5xx errors themselves is in api/errors.def. */
static const struct fault {
	int status;
	const char *name, *doc;
} faults[] = {
	{400, "Malformed", "The request could not be read, or has a field this call does not know."},
	{401, "Unauthenticated", "A valid key is needed."},
	{403, "Forbidden", "The key may not make this call."},
	{404, "NotFound", "There is no such thing here."},
	{409, "Conflict", "It is not in a state that allows this."},
	{412, "PreconditionFailed", "The thing was changed since it was read."},
	{410, "Gone", "It was deleted."},
	{413, "TooLarge", "The request body is over the limit."},
	{415, "MediaType", "The body must be application/json."},
	{422, "Invalid", "A value is out of range."},
	{429, "TooMany", "Too many requests of this caller, or of this kind; Retry-After says when to come again."},
	{500, "Internal", "The server failed to handle the request."},
	{503, "Unavailable", "The server cannot do it now; Retry-After says when to come again."},
};

enum { FAULT_COUNT = sizeof(faults) / sizeof(faults[0]) };

/* ---- writing ---- */

static void comma(struct buf *b)
{
	if (b->n && b->p[b->n - 1] != '{' && b->p[b->n - 1] != '[')
		buf_c(b, ',');
}

static void name(struct buf *b, const char *name)
{
	comma(b);
	buf_json_text(b, str_of(name));
	buf_c(b, ':');
}

static void open(struct buf *b, const char *member)
{
	if (member)
		name(b, member);
	else
		comma(b);
	buf_c(b, '{');
}

static void open_list(struct buf *b, const char *member)
{
	name(b, member);
	buf_c(b, '[');
}

static void text(struct buf *b, const char *member, const char *value)
{
	name(b, member);
	buf_json_text(b, str_of(value));
}

/* Ready JSON. */
static void raw(struct buf *b, const char *member, const char *json)
{
	name(b, member);
	buf_z(b, json);
}

static void reference(struct buf *b, const char *kind, const char *to)
{
	name(b, "$ref");
	buf_fmt(b, "\"#/components/%s/%s\"", kind, to);
}

static void reference_element(struct buf *b, const char *kind, const char *to)
{
	open(b, NULL);
	reference(b, kind, to);
	buf_c(b, '}');
}

/* ---- what a route has ---- */

static uint64_t all_fields(const struct json_type *t)
{
	return t->field_count == 64 ? UINT64_MAX : (UINT64_C(1) << t->field_count) - 1;
}

/* Members of `in` that stand in the body; 0: there is none. */
static uint64_t body_fields(const struct route *r)
{
	return route_in_query(r) ? 0 : all_fields(r->in) & ~r->path_fields;
}

static bool takes_text(const struct route *r)
{
	return r->in->field_count > 0;
}

static bool needs_key(const struct route *r)
{
	return r->scope != SCOPE_NONE;
}

static bool is_signed(const struct route *r)
{
	return r->flags & ROUTE_SIGNED;
}

static bool is_asked_who(const struct route *r)
{
	return needs_key(r) || is_signed(r) || (r->flags & ROUTE_TRIES);
}

/* The flag of the server with which the call needs no key; NULL: it needs one always, or never. */
static const char *keyless_with(const struct route *r)
{
	return r->flags & ROUTE_PUBLIC ? "--public-directory"
	       : r->flags & ROUTE_OPEN ? "--open-registration"
				       : NULL;
}

static bool has_etag(const struct route *r)
{
	return r->method == METHOD_GET && r->cache != ROUTE_NO_STORE;
}

static bool answers_json(const struct route *r)
{
	return r->out->field_count > 0 && r->runs != RUNS_STREAM && !(r->flags & ROUTE_TEXT);
}

/* Not ready is told in the same words as ready, only with 503. */
static bool answers_health(const struct route *r)
{
	return r->out == &type_health;
}

static bool can_answer(const struct route *r, int status)
{
	switch (status) {
	case 401:
	case 403:
		return is_asked_who(r);
	case 404:
		return is_asked_who(r); /* also a tenant there is not */
	case 409:
		/* COMPUTE reads files of the server's, which may be broken. */
		return !route_in_query(r) || r->method == METHOD_DELETE || r->runs == RUNS_COMPUTE;
	case 412:
		return r->flags & ROUTE_MATCHES;
	case 410:
		return r->tag == TAG_DIRECTORY && needs_key(r) && takes_text(r);
	case 413:
		return body_fields(r) != 0 || is_signed(r);
	case 415:
		return body_fields(r) != 0;
	case 422:
		return takes_text(r);
	case 429:
		return is_asked_who(r);
	case 503:
		return !answers_health(r);
	default:
		return true;
	}
}

/* ---- operations ---- */

static void parameter(struct buf *b, const struct json_field *f, bool in_path)
{
	open(b, NULL);
	text(b, "name", f->name);
	text(b, "in", in_path ? "path" : "query");
	if (in_path || f->need == JSON_REQUIRED)
		raw(b, "required", "true");
	text(b, "description", f->doc);
	name(b, "schema");
	json_schema_field(f, b);
	buf_c(b, '}');
}

static void parameters(struct buf *b, const struct route *r)
{
	uint64_t in_url = route_in_query(r) ? all_fields(r->in) : r->path_fields;

	open_list(b, "parameters");
	for (uint32_t i = 0; i < r->in->field_count; i++)
		if (in_url >> i & 1)
			parameter(b, &r->in->fields[i], r->path_fields >> i & 1);
	reference_element(b, "parameters", "RequestId");
	if (needs_key(r))
		reference_element(b, "parameters", "Tenant");
	if (r->flags & ROUTE_CREATES)
		reference_element(b, "parameters", "IdempotencyKey");
	if (r->runs == RUNS_STREAM)
		reference_element(b, "parameters", "LastEventId");
	if (r->flags & ROUTE_MATCHES)
		reference_element(b, "parameters", "IfMatch");
	if (has_etag(r))
		reference_element(b, "parameters", "IfNoneMatch");
	buf_c(b, ']');
}

static void content(struct buf *b, const char *type)
{
	open(b, "content");
	open(b, type);
	open(b, "schema");
}

static void content_end(struct buf *b)
{
	buf_z(b, "}}}");
}

static bool any_required(const struct json_type *t, uint64_t fields)
{
	for (uint32_t i = 0; i < t->field_count; i++)
		if ((fields >> i & 1) && t->fields[i].need == JSON_REQUIRED)
			return true;
	return false;
}

static void any_body(struct buf *b)
{
	open(b, "requestBody");
	text(b, "description", "Whatever is signed.");
	raw(b, "required", "true");
	content(b, "application/json");
	content_end(b);
	buf_c(b, '}');
}

static void request_body(struct buf *b, const struct route *r)
{
	uint64_t fields = body_fields(r);

	if (is_signed(r))
		any_body(b);
	if (!fields)
		return;
	open(b, "requestBody");
	text(b, "description", r->in->doc);
	raw(b, "required", any_required(r->in, fields) ? "true" : "false");
	content(b, "application/json");
	reference(b, "schemas", r->in->name);
	content_end(b);
	buf_c(b, '}');
}

static void answer_content(struct buf *b, const struct route *r)
{
	if (r->status == 204)
		return;
	if (answers_json(r)) {
		content(b, "application/json");
		reference(b, "schemas", r->out->name);
	} else if (r->runs == RUNS_STREAM) {
		content(b, "text/event-stream");
		text(b, "type", "string");
	} else if (r->flags & ROUTE_JSON) {
		content(b, "application/json");
		text(b, "type", "object");
	} else {
		content(b, "text/plain");
		text(b, "type", "string");
	}
	content_end(b);
}

static void open_status(struct buf *b, int status)
{
	comma(b);
	buf_fmt(b, "\"%d\":{", status);
}

static void answer_header(struct buf *b, const char *header, const char *component)
{
	open(b, header);
	reference(b, "headers", component);
	buf_c(b, '}');
}

static void success(struct buf *b, const struct route *r, int status, const char *doc)
{
	open_status(b, status);
	text(b, "description", doc);
	open(b, "headers");
	answer_header(b, "X-Request-Id", "RequestId");
	if (r->flags & ROUTE_CREATES)
		answer_header(b, "Idempotency-Replayed", "IdempotencyReplayed");
	if (is_asked_who(r)) {
		answer_header(b, "RateLimit-Policy", "RateLimitPolicy");
		answer_header(b, "RateLimit", "RateLimit");
	}
	if (has_etag(r))
		answer_header(b, "ETag", "ETag");
	buf_c(b, '}');
	if (status != 304)
		answer_content(b, r);
	buf_c(b, '}');
}

static void responses(struct buf *b, const struct route *r)
{
	open(b, "responses");
	if (((r->flags & ROUTE_CREATES) && r->status == 201) || is_signed(r))
		success(b, r, 200, "It was there already.");
	success(b, r, r->status, r->status == 201 ? "Created." : r->status == 204 ? "Done." : r->out->doc);
	if (has_etag(r))
		success(b, r, 304, "It is as If-None-Match has it.");
	if (answers_health(r))
		success(b, r, 503, "Not ready; the body says why.");
	for (unsigned i = 0; i < FAULT_COUNT; i++) {
		if (!can_answer(r, faults[i].status))
			continue;
		open_status(b, faults[i].status);
		reference(b, "responses", faults[i].name);
		buf_c(b, '}');
	}
	buf_c(b, '}');
}

static void description(struct buf *b, const struct route *r)
{
	struct buf doc = BUF_INIT(0);

	buf_z(&doc, r->doc);
	if (needs_key(r))
		buf_fmt(&doc, " Needs a key with scope %s or more.", enum_scope.values[r->scope].text);
	if (r->flags & ROUTE_MANAGES)
		buf_z(&doc, " An owner or admin of the tenant may make it too.");
	if (r->flags & ROUTE_TICKETS)
		buf_z(&doc, " A ticket does instead.");
	if (is_signed(r))
		buf_z(&doc, " Needs no key: the body, of any media type, is signed.");
	if (keyless_with(r))
		buf_fmt(&doc, " None when the server runs with %s.", keyless_with(r));
	if (r->max_body)
		buf_fmt(&doc, " The body may have %u KiB.", r->max_body >> 10);
	text(b, "description", buf_cstr(&doc));
	buf_free(&doc);
}

/* The scope stands where OpenAPI has the roles that a call asks for. */
static void security(struct buf *b, const struct route *r)
{
	open_list(b, "security");
	if (needs_key(r))
		buf_fmt(b, "{\"bearer\":[\"%s\"]}", enum_scope.values[r->scope].text);
	if (keyless_with(r))
		buf_z(b, ",{}");
	buf_c(b, ']');
}

static void operation(struct buf *b, const struct route *r)
{
	static const char *const methods[METHOD_COUNT] = {"get", "post", "put", "patch", "delete"};

	open(b, methods[r->method]);
	text(b, "operationId", r->name);
	open_list(b, "tags");
	buf_json_text(b, str_of(enum_tag.values[r->tag].text));
	buf_c(b, ']');
	text(b, "summary", r->doc);
	description(b, r);
	security(b, r);
	parameters(b, r);
	request_body(b, r);
	responses(b, r);
	buf_c(b, '}');
}

/* A path is written at the first route that has it, with all the routes that do. */
static void paths(struct buf *b)
{
	open(b, "paths");
	for (unsigned i = 0; i < ROUTE_COUNT; i++) {
		unsigned first = 0;

		while (strcmp(spec_routes[first].path, spec_routes[i].path) != 0)
			first++;
		if (first < i)
			continue;
		open(b, spec_routes[i].path);
		for (unsigned k = i; k < ROUTE_COUNT; k++)
			if (strcmp(spec_routes[k].path, spec_routes[i].path) == 0)
				operation(b, &spec_routes[k]);
		buf_c(b, '}');
	}
	buf_c(b, '}');
}

/* ---- components ---- */

static unsigned type_index(const struct json_type *t)
{
	unsigned i = 0;

	while (spec_types[i] != t)
		i++;
	return i;
}

static void reach(const struct json_type *t, bool *reached)
{
	if (reached[type_index(t)])
		return;
	reached[type_index(t)] = true;
	for (uint32_t i = 0; i < t->field_count; i++)
		if (t->fields[i].kind == JSON_OBJECT || t->fields[i].kind == JSON_OBJECTS)
			reach(t->fields[i].of, reached);
}

/* What the body of `t` lacks where it is one: its members that stand in the path. */
static uint64_t in_path(const struct json_type *t)
{
	for (unsigned i = 0; i < ROUTE_COUNT; i++)
		if (spec_routes[i].in == t)
			return spec_routes[i].path_fields;
	return 0;
}

static void schemas(struct buf *b)
{
	struct buf reached = BUF_INIT(0);
	bool *yes = (bool *)buf_room(&reached, spec_type_count);

	memset(yes, 0, spec_type_count);
	reach(&type_problem_body, yes);
	for (unsigned i = 0; i < ROUTE_COUNT; i++) {
		if (body_fields(&spec_routes[i]))
			reach(spec_routes[i].in, yes);
		if (answers_json(&spec_routes[i]))
			reach(spec_routes[i].out, yes);
	}
	open(b, "schemas");
	for (unsigned i = 0; i < spec_type_count; i++) {
		if (!yes[i])
			continue;
		name(b, spec_types[i]->name);
		json_schema(spec_types[i], in_path(spec_types[i]), b);
	}
	buf_c(b, '}');
	buf_free(&reached);
}

static void shared_responses(struct buf *b)
{
	open(b, "responses");
	for (unsigned i = 0; i < FAULT_COUNT; i++) {
		open(b, faults[i].name);
		text(b, "description", faults[i].doc);
		if (faults[i].status == 429 || faults[i].status == 503)
			raw(b, "headers", "{\"Retry-After\":{\"$ref\":\"#/components/headers/RetryAfter\"}}");
		content(b, "application/problem+json");
		reference(b, "schemas", type_problem_body.name);
		content_end(b);
		buf_c(b, '}');
	}
	buf_c(b, '}');
}

static void header_parameter(struct buf *b, const char *member, const char *header, const char *doc, unsigned max)
{
	open(b, member);
	text(b, "name", header);
	text(b, "in", "header");
	text(b, "description", doc);
	name(b, "schema");
	buf_fmt(b, "{\"type\":\"string\",\"minLength\":1,\"maxLength\":%u}}", max);
}

static void shared_parameters(struct buf *b)
{
	open(b, "parameters");
	header_parameter(b, "RequestId", "X-Request-Id", "A name for this request, answered and logged.", 128);
	header_parameter(b, "Tenant", "X-Tenant", "With an admin key: the tenant to act in, by name or id.", 64);
	header_parameter(b, "IdempotencyKey", "Idempotency-Key",
			 "Sent again with the same body within 24 hours, the first answer is given again.", 255);
	header_parameter(b, "LastEventId", "Last-Event-ID",
			 "The id of the last event seen: the stream goes on after it.", 64);
	header_parameter(b, "IfMatch", "If-Match",
			 "The ETag of what is to be changed: refused when it was changed meanwhile.", 1024);
	header_parameter(b, "IfNoneMatch", "If-None-Match",
			 "The ETag of an answer that was kept: when it is still the same, it is not sent again.",
			 1024);
	buf_c(b, '}');
}

static void header(struct buf *b, const char *member, const char *doc, const char *schema)
{
	open(b, member);
	text(b, "description", doc);
	raw(b, "schema", schema);
	buf_c(b, '}');
}

static void shared_headers(struct buf *b)
{
	open(b, "headers");
	header(b, "RequestId", "The name of this request: the one given, else one made.", "{\"type\":\"string\"}");
	header(b, "RetryAfter", "Seconds to wait before the same request may succeed.",
	       "{\"type\":\"integer\",\"minimum\":1}");
	header(b, "RateLimitPolicy",
	       "Whose calls are counted, how many may come at once (q) and in how many seconds so many are allowed "
	       "again "
	       "(w); absent without a limit.",
	       "{\"type\":\"string\"}");
	header(b, "RateLimit", "How many calls are left (r), and in how many seconds all are allowed again (t).",
	       "{\"type\":\"string\"}");
	header(b, "ETag", "Names this state of the thing, for If-None-Match and If-Match.",
	       "{\"type\":\"string\"}");
	header(b, "IdempotencyReplayed", "\"true\" when this is the answer of the first request with that key.",
	       "{\"type\":\"string\",\"enum\":[\"true\"]}");
	buf_c(b, '}');
}

static void components(struct buf *b)
{
	open(b, "components");
	raw(b, "securitySchemes",
	    "{\"bearer\":{\"type\":\"http\",\"scheme\":\"bearer\",\"description\":\"A key: tf_ and 52 "
	    "characters.\"}}");
	schemas(b);
	shared_parameters(b);
	shared_headers(b);
	shared_responses(b);
	buf_c(b, '}');
}

/* ---- the document ---- */

static void info(struct buf *b, const char *version)
{
	open(b, "info");
	text(b, "title", "tenfold");
	text(b, "version", version);
	text(b, "summary", "A fleet of AI agents on a durable work queue.");
	text(b, "description",
	     "Errors are application/problem+json (RFC 9457) with a stable `code`. Lists are pages with a "
	     "`next_cursor`. "
	     "A field the call does not know is an error that names it.");
	raw(b, "contact", "{\"name\":\"The maintainers of tenfold\"}");
	raw(b, "license", "{\"name\":\"MIT\",\"identifier\":\"MIT\"}");
	buf_c(b, '}');
}

static void tag_list(struct buf *b)
{
	open_list(b, "tags");
	for (int i = 0; i < enum_tag.count; i++) {
		open(b, NULL);
		text(b, "name", enum_tag.values[i].text);
		text(b, "description", enum_tag.values[i].doc);
		buf_c(b, '}');
	}
	buf_c(b, ']');
}

void spec_openapi(struct buf *b, const char *version)
{
	open(b, NULL);
	text(b, "openapi", "3.1.0");
	info(b, version);
	raw(b, "servers", "[{\"url\":\"/\",\"description\":\"This server.\"}]");
	raw(b, "security", "[{\"bearer\":[]}]");
	tag_list(b);
	paths(b);
	components(b);
	buf_c(b, '}');
}
