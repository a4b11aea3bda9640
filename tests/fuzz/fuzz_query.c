/*
 * Query strings and paths: what is refused says why; what is taken, written anew with every byte escaped, is taken
 * again and means the same; and the router survives any path.
 *
 * The first byte chooses the route, the rest is its query and, as it stands, a path.
 */
#include "base/magic.h"
#include "http/params.h"
#include "http/router.h"

enum { STRUCT_MAX = 2048, ARENA_MAX = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A parameter with all bytes of its value escaped. */
static void write_escaped(struct buf *b, const char *name, struct str value)
{
	buf_fmt(b, "%s=", name);
	for (size_t i = 0; i < value.n; i++)
		buf_fmt(b, i % 2 ? "%%%02x" : "%%%02X", (unsigned char)value.p[i]);
	buf_c(b, '&');
}

static void there_and_back(const struct work_list_in *in, struct arena *a)
{
	struct work_list_in again = {0};
	struct buf query = BUF_INIT(0), value = BUF_INIT(0), one = BUF_INIT(0), two = BUF_INIT(0);

	for (uint32_t i = 0; i < type_work_list_in.field_count; i++)
		for (size_t k = 0; k < json_plain_count(&type_work_list_in, i, in); k++) {
			buf_reset(&value);
			json_plain(&type_work_list_in, i, k, in, &value);
			write_escaped(&query, type_work_list_in.fields[i].name, buf_str(&value));
		}
	CHECK(params_decode(&type_work_list_in, buf_str(&query), 0, a, &again, NULL) == OK);
	json_encode(&type_work_list_in, in, 0, &one);
	json_encode(&type_work_list_in, &again, 0, &two);
	CHECK(str_eq(buf_str(&one), buf_str(&two)));
	buf_free(&query);
	buf_free(&value);
	buf_free(&one);
	buf_free(&two);
}

static void check_problem(enum err e, const struct problem *p)
{
	CHECK(p->err == e && p->detail[0] && str_is_utf8(str_of(p->detail)));
	for (unsigned i = 0; i < p->field_count; i++)
		CHECK(str_is_utf8(str_of(p->fields[i].field)) && str_is_utf8(str_of(p->fields[i].detail)));
}

static void decode_query(const struct route *r, struct str query, struct arena *a)
{
	_Alignas(16) char in[STRUCT_MAX] = {0};
	struct problem p = {0};
	enum err e;

	CHECK(r->in->size <= sizeof(in));
	e = params_decode(r->in, query, r->path_fields, a, in, &p);
	if (e)
		check_problem(e, &p);
	else if (r->in == &type_work_list_in)
		there_and_back((const struct work_list_in *)(const void *)in, a);
}

static void find_path(struct str text, struct arena *a)
{
	struct router *r = router_new(spec_routes, ROUTE_COUNT);
	struct router_match m;
	struct str path;

	if (url_decode_path(text, a, &path) == OK && router_find(r, METHOD_GET, path, &m) == OK)
		CHECK(m.route && m.id.n <= path.n && (m.id.n > 0) == (m.route->path_fields != 0));
	router_destroy(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct route *route = &spec_routes[size ? data[0] % ROUTE_COUNT : ROUTE_work_list];
	struct str text = {(const char *)data + (size != 0), size - (size != 0)};
	struct arena *a = arena_new(ARENA_MAX);

	decode_query(route, text, a);
	decode_query(&spec_routes[ROUTE_work_list], text, a);
	find_path(text, a);
	arena_destroy(&a);
	return 0;
}
