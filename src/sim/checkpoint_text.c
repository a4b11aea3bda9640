/*
 * A checkpoint as bytes. The checksum is of the file without its own sixteen digits, which stand where the first
 * "checksum" is: hand-made changes show, whatever they are.
 */
#include "base/magic.h"
#include "sim/checkpoint_priv.h"
#include "sim/checkpoint_types.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { DIGITS = 16 };

static void to_hex(uint64_t v, char out[DIGITS + 1])
{
	snprintf(out, DIGITS + 1, "%016" PRIx64, v);
}

static bool from_hex(struct str s, uint64_t *out)
{
	static const char digits[] = "0123456789abcdef";

	*out = 0;
	for (size_t i = 0; i < s.n; i++) {
		const char *digit = s.p[i] ? strchr(digits, s.p[i]) : NULL;

		if (!digit)
			return false;
		*out = *out << 4 | (uint64_t)(digit - digits);
	}
	return s.n == DIGITS;
}

/* ---- the checksum ---- */

/* Where its digits are; 0: nowhere. */
static size_t checksum_place(struct str json)
{
	static const char before[] = "\"checksum\":\"";
	const char *found = memmem(json.p, json.n, before, sizeof(before) - 1);
	size_t at = found ? (size_t)(found - json.p) + sizeof(before) - 1 : 0;

	return at + DIGITS <= json.n ? at : 0;
}

static uint64_t checksum_of(struct str json, size_t at)
{
	struct str head = {json.p, at}, rest = {json.p + at + DIGITS, json.n - at - DIGITS};

	return str_hash_seed(rest, str_hash(head));
}

bool checkpoint_seal(char *json, size_t n)
{
	struct str text = {json, n};
	size_t at = checksum_place(text);
	char digits[DIGITS + 1];

	if (!at)
		return false;
	to_hex(checksum_of(text, at), digits);
	memcpy(json + at, digits, DIGITS);
	return true;
}

static bool is_sealed(struct str json)
{
	size_t at = checksum_place(json);
	uint64_t said;

	return at && from_hex((struct str){json.p + at, DIGITS}, &said) && said == checksum_of(json, at);
}

/* ---- what agents remember ---- */

static void put_u32(uint32_t v, struct buf *b)
{
	const char bytes[] = {(char)v, (char)(v >> 8), (char)(v >> 16), (char)(v >> 24)};

	buf_add(b, bytes, sizeof(bytes));
}

static uint32_t get_u32(const char *p)
{
	const unsigned char *u = (const unsigned char *)p;

	return (uint32_t)u[0] | (uint32_t)u[1] << 8 | (uint32_t)u[2] << 16 | (uint32_t)u[3] << 24;
}

void checkpoint_write_memory(const struct checkpoint *c, struct buf *b)
{
	for (uint32_t i = 0; i < c->agents; i++) {
		put_u32(c->memory[i].last_session, b);
		put_u32(c->memory[i].last_completed, b);
		put_u32(c->memory[i].sessions | (uint32_t)c->memory[i].lacks_offers << 31, b);
	}
}

enum err checkpoint_read_memory(struct str bytes, const struct checkpoint_file *file, struct arena *a,
				struct checkpoint *out, struct problem *p)
{
	struct memory_of_agent *memory = ARENA_ARRAY(a, struct memory_of_agent, out->agents);
	uint64_t said;

	if (!from_hex(file->memory_checksum, &said) || said != str_hash(bytes) ||
	    bytes.n != (size_t)out->agents * CHECKPOINT_MEMORY_EACH)
		return problem_set(p, ERR_MALFORMED,
				   "what its agents remember, in the file beside it, is torn or changed");
	if (!memory)
		return problem_set(p, ERR_TOO_LARGE, "it does not fit into memory");
	for (uint32_t i = 0; i < out->agents; i++) {
		const char *at = bytes.p + (size_t)i * CHECKPOINT_MEMORY_EACH;

		memory[i] = (struct memory_of_agent){
			.last_session = get_u32(at),
			.last_completed = get_u32(at + 4),
			.sessions = get_u32(at + 8) & INT32_MAX,
			.lacks_offers = get_u32(at + 8) >> 31 & 1,
		};
	}
	out->memory = memory;
	return OK;
}

/* ---- to JSON ---- */

/* A file with all its lists and texts, while it is made. */
struct writing {
	struct checkpoint_file file;
	struct checkpoint_outcome outcomes[STATS_OUTCOMES_MAX];
	struct checkpoint_kept kept[RECORD_KEPT_MAX];
	char scenario_hash[DIGITS + 1], seed[DIGITS + 1], memory[DIGITS + 1];
};

static void fill_totals(const struct checkpoint *c, struct writing *w)
{
#define COUNT(name, doc) w->file.totals.name = (int64_t)c->totals.name;
	COUNTS(COUNT)
#undef COUNT
	for (unsigned i = 0; i < c->outcome_count; i++)
		w->outcomes[i] = (struct checkpoint_outcome){.name = c->outcomes[i],
							     .sessions = (int64_t)c->totals.by_outcome[i]};
	for (unsigned i = 0; i < c->kept_count; i++)
		w->kept[i] = (struct checkpoint_kept){.name = c->kept[i],
						      .sessions = (int64_t)c->totals.kept_count[i],
						      .sum = c->totals.kept_sum[i]};
	w->file.outcomes = w->outcomes;
	w->file.outcomes_count = c->outcome_count;
	w->file.kept = w->kept;
	w->file.kept_count = c->kept_count;
}

/* The three texts of an endpoint, one after the other in b; `n` their lengths. */
static void write_latencies(const struct latencies *l, struct buf *b, size_t n[3])
{
	const struct latency *each[] = {&l->service, &l->response, &l->throttle};

	for (int i = 0; i < 3; i++) {
		size_t before = b->n;

		latency_write(each[i], b);
		n[i] = b->n - before;
	}
}

static struct str take(struct str *rest, size_t n)
{
	struct str taken = {rest->p, n};

	*rest = (struct str){rest->p + n, rest->n - n};
	return taken;
}

static struct checkpoint_endpoint *write_endpoints(const struct checkpoint *c, struct buf *texts)
{
	struct checkpoint_endpoint *made = must_alloc((c->endpoint_count + 1) * sizeof(*made));
	size_t(*n)[3] = must_alloc((c->endpoint_count + 1) * sizeof(*n));
	struct str rest;

	for (unsigned i = 0; i < c->endpoint_count; i++)
		write_latencies(&c->endpoints[i], texts, n[i]);
	rest = buf_ok(texts) ? buf_str(texts) : (struct str){0};
	for (unsigned i = 0; i < c->endpoint_count && buf_ok(texts); i++) {
		made[i].name = c->endpoint_names[i];
		made[i].service = take(&rest, n[i][0]);
		made[i].response = take(&rest, n[i][1]);
		made[i].throttle = take(&rest, n[i][2]);
	}
	free(n);
	return made;
}

static void fill_file(const struct checkpoint *c, struct str memory, struct writing *w)
{
	to_hex(c->scenario_hash, w->scenario_hash);
	to_hex(c->seed, w->seed);
	to_hex(str_hash(memory), w->memory);
	w->file = (struct checkpoint_file){
		.tenfold_checkpoint = CHECKPOINT_VERSION,
		.checksum = STR("0000000000000000"),
		.run = c->run_id,
		.scenario = c->scenario_name,
		.scenario_hash = str_of(w->scenario_hash),
		.seed = c->seed_text,
		.seed_number = str_of(w->seed),
		.agents = c->agents,
		.cycle = c->cycle,
		.attempt = c->attempt,
		.start = c->start_ms,
		.simulated = c->simulated_ms,
		.saved = c->saved_ms,
		.real_elapsed_ms = c->real_elapsed_ms,
		.memory_bytes = (int64_t)memory.n,
		.memory_checksum = str_of(w->memory),
	};
	fill_totals(c, w);
}

bool checkpoint_write_json(const struct checkpoint *c, struct str memory, struct buf *b)
{
	struct writing w = {0};
	struct buf texts = BUF_INIT(CHECKPOINT_JSON_MAX);
	struct checkpoint_endpoint *endpoints = write_endpoints(c, &texts);
	bool good;

	CHECK(c->outcome_count <= STATS_OUTCOMES_MAX && c->kept_count <= RECORD_KEPT_MAX);
	fill_file(c, memory, &w);
	w.file.endpoints = endpoints;
	w.file.endpoints_count = c->endpoint_count;
	json_encode(&type_checkpoint_file, &w.file, 0, b);
	buf_c(b, '\n');
	good = buf_ok(&texts) && buf_ok(b);
	if (good)
		CHECK(checkpoint_seal(b->p, b->n));
	free(endpoints);
	buf_free(&texts);
	return good;
}

/* ---- from JSON ---- */

static enum err torn(struct problem *p)
{
	return problem_set(p, ERR_MALFORMED, "it is torn: no whole checkpoint stands in it");
}

static enum err check_version(struct str json, struct arena *a, struct problem *p)
{
	struct checkpoint_head head;
	enum err e = json_decode_answer(&type_checkpoint_head, json, a, &head, NULL);

	if (e)
		return torn(p);
	if (head.tenfold_checkpoint != CHECKPOINT_VERSION)
		return problem_set(p, ERR_MALFORMED,
				   "it is of version %" PRId64
				   ", and this program reads version %d: resume it with "
				   "the tenfold that wrote it",
				   head.tenfold_checkpoint, CHECKPOINT_VERSION);
	if (!is_sealed(json))
		return problem_set(p, ERR_MALFORMED,
				   "it was changed after it was written: its checksum does not fit");
	return OK;
}

static void take_totals(const struct checkpoint_file *f, struct checkpoint *out)
{
#define COUNT(name, doc) out->totals.name = (uint64_t)f->totals.name;
	COUNTS(COUNT)
#undef COUNT
	for (size_t i = 0; i < f->outcomes_count; i++)
		out->totals.by_outcome[i] = (uint64_t)f->outcomes[i].sessions;
	for (size_t i = 0; i < f->kept_count; i++) {
		out->totals.kept_count[i] = (uint64_t)f->kept[i].sessions;
		out->totals.kept_sum[i] = f->kept[i].sum;
	}
}

/* The names of a list's rows: their first member. */
static const struct str *take_names(const void *rows, size_t count, size_t each, struct arena *a)
{
	struct str *names = ARENA_ARRAY(a, struct str, count + 1);

	for (size_t i = 0; names && i < count; i++)
		memcpy(&names[i], (const char *)rows + i * each, sizeof(names[i]));
	return names;
}

static enum err take_endpoints(const struct checkpoint_file *f, struct checkpoint *out, struct problem *p)
{
	bool good = true;

	out->endpoint_count = (unsigned)f->endpoints_count;
	out->endpoints = must_alloc((f->endpoints_count + 1) * sizeof(out->endpoints[0]));
	for (size_t i = 0; i < f->endpoints_count && good; i++)
		good = latency_read(&out->endpoints[i].service, f->endpoints[i].service) &&
		       latency_read(&out->endpoints[i].response, f->endpoints[i].response) &&
		       latency_read(&out->endpoints[i].throttle, f->endpoints[i].throttle);
	if (good)
		return OK;
	checkpoint_release(out);
	return problem_set(p, ERR_MALFORMED, "its latencies cannot be read");
}

static enum err take_file(const struct checkpoint_file *f, struct arena *a, struct checkpoint *out,
			  struct problem *p)
{
	*out = (struct checkpoint){
		.run_id = f->run,
		.scenario_name = f->scenario,
		.seed_text = f->seed,
		.agents = (uint32_t)f->agents,
		.cycle = (uint32_t)f->cycle,
		.attempt = (uint32_t)f->attempt,
		.start_ms = f->start,
		.simulated_ms = f->simulated,
		.saved_ms = f->saved,
		.real_elapsed_ms = f->real_elapsed_ms,
		.outcomes = take_names(f->outcomes, f->outcomes_count, sizeof(f->outcomes[0]), a),
		.kept = take_names(f->kept, f->kept_count, sizeof(f->kept[0]), a),
		.endpoint_names = take_names(f->endpoints, f->endpoints_count, sizeof(f->endpoints[0]), a),
		.outcome_count = (unsigned)f->outcomes_count,
		.kept_count = (unsigned)f->kept_count,
	};
	if (!out->outcomes || !out->kept || !out->endpoint_names)
		return problem_set(p, ERR_TOO_LARGE, "it does not fit into memory");
	if (!from_hex(f->seed_number, &out->seed) || !from_hex(f->scenario_hash, &out->scenario_hash))
		return problem_set(p, ERR_MALFORMED,
				   "its seed_number and scenario_hash must be 16 hexadecimal digits");
	if (f->memory_bytes != f->agents * CHECKPOINT_MEMORY_EACH)
		return problem_set(p, ERR_MALFORMED, "its memory_bytes and its agents do not fit each other");
	take_totals(f, out);
	return take_endpoints(f, out, p);
}

enum err checkpoint_read_json(struct str json, struct arena *a, struct checkpoint *out,
			      struct checkpoint_file *file, struct problem *p)
{
	struct problem why = {0};
	enum err e = check_version(json, a, p);

	if (e)
		return e;
	e = json_decode(&type_checkpoint_file, json, 0, a, file, &why);
	if (e)
		return problem_set(p, ERR_MALFORMED, "it is no checkpoint: %s", why.detail);
	return take_file(file, a, out, p);
}

void checkpoint_release(struct checkpoint *c)
{
	if (c->endpoints)
		latencies_free(&c->endpoints, c->endpoint_count);
}
