/*
 * See index.h. Readers of the index are lent to whoever asks, one each; there are as many as ever asked at once. To
 * read everything anew the index is closed, those who are asking are waited for, and an empty one takes its place.
 */
#include "directory/index.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/magic.h"
#include "base/vec.h"
#include "directory/agent.h"
#include "directory/index_doc.h"
#include "telemetry/metrics.h"

#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum {
	INDEX_MAGIC = 0x41474958,
	PAGE = 1000,
	ROW_BYTES_MAX = 16 << 20,
	LOT_BYTES_MAX = 1 << 20,
	FACET_VALUES_MAX = 100,
	HIT_WORDS_MAX = 64,
	SHOWN_PARTS = 10000
};

struct agent_index {
	unsigned magic;
	struct changes *feed;
	struct metrics *metrics;

	/* The writing thread's. */
	struct arena *row_arena, *lot_arena;
	int64_t last; /* id of the page's last row */

	pthread_mutex_t lock; /* over what follows */
	pthread_cond_t idle;
	struct search *search; /* replaced under the lock, by the writing thread */
	VEC(struct search_reader *) resting;
	size_t asking;
	bool complete;

	_Atomic int64_t agents, total;
};

/* ---- life ---- */

struct agent_index *agent_index_new(struct changes *feed, struct metrics *metrics)
{
	struct agent_index *index = NEW(struct agent_index);
	index->magic = INDEX_MAGIC;
	index->feed = feed;
	index->metrics = metrics;
	index->row_arena = arena_new(ROW_BYTES_MAX);
	index->lot_arena = arena_new(LOT_BYTES_MAX);
	index->search = search_new(&agent_search_config);
	pthread_mutex_init(&index->lock, NULL);
	pthread_cond_init(&index->idle, NULL);
	return index;
}

static void drop_search(struct agent_index *index)
{
	for (size_t i = 0; i < index->resting.n; i++)
		search_reader_destroy(&index->resting.v[i]);
	index->resting.n = 0;
	search_destroy(&index->search);
}

void agent_index_destroy(struct agent_index **ref)
{
	struct agent_index *index = *ref;
	if (!index)
		return;
	CHECK_OBJ(index, INDEX_MAGIC);
	CHECK(index->asking == 0);
	drop_search(index);
	VEC_FREE(&index->resting);
	arena_destroy(&index->row_arena);
	arena_destroy(&index->lot_arena);
	pthread_cond_destroy(&index->idle);
	pthread_mutex_destroy(&index->lock);
	index->magic = 0;
	free(index);
	*ref = NULL;
}

/* ---- writing ---- */

void agent_index_put(struct agent_index *index, int64_t tenant, const struct agent *agent)
{
	struct search_doc doc;
	enum err err = agent_doc(tenant, agent, index->row_arena, &doc);
	if (!err)
		err = search_put(index->search, &doc);
	if (err)
		LOG_E("index.left_out", "agent=%" PRId64 " error=%s", agent->id, err_info(err)->code);
}

static void put_row(struct agent_index *index, const struct agent_full_row *row)
{
	struct agent shown;
	arena_reset(index->row_arena);
	if (directory_agent_show(row, index->row_arena, &shown) == OK)
		agent_index_put(index, row->tenant, &shown);
	else
		LOG_E("index.unreadable", "agent=%" PRId64, row->id);
}

static void tell_metrics(struct agent_index *index)
{
	struct search_stats stats;
	search_stats_get(index->search, &stats);
	metrics_set(index->metrics, METRIC_agent_index_agents, (double)stats.documents);
	metrics_set(index->metrics, METRIC_agent_index_bytes, (double)stats.bytes);
	if (index->complete) { /* written by this thread alone */
		atomic_store(&index->agents, (int64_t)stats.documents);
		atomic_store(&index->total, (int64_t)stats.documents);
	}
}

/* ---- everything ---- */

static void start_anew(struct agent_index *index)
{
	pthread_mutex_lock(&index->lock);
	index->complete = false;
	while (index->asking > 0)
		pthread_cond_wait(&index->idle, &index->lock);
	drop_search(index);
	index->search = search_new(&agent_search_config);
	pthread_mutex_unlock(&index->lock);
	atomic_store(&index->agents, 0);
}

void agent_index_complete(struct agent_index *index)
{
	pthread_mutex_lock(&index->lock);
	index->complete = true;
	pthread_mutex_unlock(&index->lock);
}

static enum err take_page_row(void *ctx, const void *row)
{
	struct agent_index *index = ctx;
	put_row(index, row);
	index->last = ((const struct agent_full_row *)row)->id;
	atomic_fetch_add(&index->agents, 1);
	return OK;
}

/* A page that adds nothing is the last. ERR_STORE_UNAVAILABLE when the process ends meanwhile: nobody asks again. */
static enum err read_pages(struct agent_index *index, struct db *db)
{
	int64_t before = -1;
	enum err err = OK;
	for (index->last = 0; !err && index->last != before;) {
		before = index->last;
		err = q_agent_index_page(db, &(struct agent_index_page_in){before, PAGE}, take_page_row, index);
		if (!err && changes_stopping(index->feed))
			err = ERR_STORE_UNAVAILABLE;
	}
	return err;
}

static enum err read_all(struct agent_index *index, struct db *db)
{
	int64_t from_ns = clock_mono_ns();
	struct agent_total_out total;
	start_anew(index);
	enum err err = q_agent_total(db, index->lot_arena, &total);
	if (!err) {
		atomic_store(&index->total, total.count);
		err = read_pages(index, db);
	}
	if (err)
		return err;
	agent_index_complete(index);
	LOG_I("index.ready", "agents=%" PRId64 " ms=%" PRId64, atomic_load(&index->agents),
	      (clock_mono_ns() - from_ns) / 1000000);
	search_compact(index->search); /* lists grew in steps; those who ask do not wait for it */
	return OK;
}

/* ---- what changed ---- */

/* Ids of the rows of a lot that are of one kind, each once. */
struct changed {
	struct agent_index *index;
	struct id_row *ids;
	size_t n;
};

static int by_id(const void *a, const void *b)
{
	const struct id_row *x = a, *y = b;
	return (x->id > y->id) - (x->id < y->id);
}

static bool changed_of(struct agent_index *index, const struct change_row *rows, size_t count,
		       enum change_entity entity, struct changed *out)
{
	size_t n = 0;
	*out = (struct changed){.index = index, .ids = ARENA_ARRAY(index->lot_arena, struct id_row, count)};
	for (size_t i = 0; out->ids && i < count; i++)
		if (rows[i].entity == (int64_t)entity)
			out->ids[n++].id = rows[i].ref;
	if (n > 1)
		qsort(out->ids, n, sizeof out->ids[0], by_id);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || out->ids[i].id != out->ids[i - 1].id)
			out->ids[out->n++] = out->ids[i];
	return out->ids != NULL;
}

static enum err take_agent(void *ctx, size_t i, const void *row)
{
	struct changed *c = ctx;
	const struct agent_full_row *agent = row;
	if (agent && !agent->deleted_ms)
		put_row(c->index, agent);
	else
		search_remove(c->index->search, c->ids[i].id);
	return OK;
}

static enum err take_status(void *ctx, size_t i, const void *row)
{
	struct changed *c = ctx;
	const struct agent_status_get_out *liveness = row;
	if (!liveness)
		return OK;
	struct str status = str_of(enum_agent_status.values[liveness->status].text);
	search_set_values(c->index->search, c->ids[i].id, AGENT_DIMENSION_STATUS, &status, 1);
	return OK; /* an agent that is not there was deleted */
}

static enum err read_changed(struct agent_index *index, struct db *db, const struct change_row *rows, size_t count)
{
	struct changed agents, statuses;
	if (!changed_of(index, rows, count, ENTITY_AGENT, &agents) ||
	    !changed_of(index, rows, count, ENTITY_LIVENESS, &statuses))
		return ERR_INTERNAL;
	enum err err = agents.n ? q_agent_get_each(db, agents.ids, agents.n, take_agent, &agents) : OK;
	if (!err && statuses.n)
		err = q_agent_status_get_each(db, statuses.ids, statuses.n, take_status, &statuses);
	return err;
}

enum err agent_index_follow(void *ctx, struct db *db, const struct change_row *rows, size_t count)
{
	struct agent_index *index = ctx;
	CHECK_OBJ(index, INDEX_MAGIC);
	arena_reset(index->lot_arena);
	enum err err = count == 0 ? read_all(index, db) : read_changed(index, db, rows, count);
	tell_metrics(index);
	return err;
}

/* ---- asking ---- */

void agent_index_progress(struct agent_index *index, struct agent_index_progress *out)
{
	pthread_mutex_lock(&index->lock);
	out->complete = index->complete;
	pthread_mutex_unlock(&index->lock);
	out->agents = atomic_load(&index->agents);
	out->total = atomic_load(&index->total);
}

static struct search_reader *borrow_reader(struct agent_index *index)
{
	struct search_reader *r = NULL;
	pthread_mutex_lock(&index->lock);
	if (index->complete) {
		r = index->resting.n ? index->resting.v[--index->resting.n] : search_reader_new(index->search);
		index->asking++;
	}
	pthread_mutex_unlock(&index->lock);
	return r;
}

static void return_reader(struct agent_index *index, struct search_reader *r)
{
	pthread_mutex_lock(&index->lock);
	*VEC_PUSH(&index->resting) = r;
	if (--index->asking == 0)
		pthread_cond_signal(&index->idle);
	pthread_mutex_unlock(&index->lock);
}

/* ---- the question ---- */

struct filters {
	struct search_value v[SEARCH_FILTERS_MAX];
	size_t n;
};

static void filter(struct filters *f, enum agent_dimension dimension, struct str text)
{
	CHECK(f->n < SEARCH_FILTERS_MAX);
	f->v[f->n++] = (struct search_value){.dimension = dimension, .text = text};
}

static void filter_enums(struct filters *f, enum agent_dimension dimension, const struct json_enum *e,
			 const int *values, size_t count)
{
	for (size_t i = 0; i < count; i++)
		filter(f, dimension, str_of(e->values[values[i]].text));
}

static void filter_texts(struct filters *f, enum agent_dimension dimension, const struct str *texts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		filter(f, dimension, texts[i]);
}

static void filters_of(const struct agent_question *q, struct arena *a, struct filters *f)
{
	const struct agent_search_in *in = q->in;
	filter(f, AGENT_DIMENSION_REACH, agent_reach_public());
	if (q->tenant)
		filter(f, AGENT_DIMENSION_REACH, agent_reach_tenant(a, q->tenant));
	filter_enums(f, AGENT_DIMENSION_TYPE, &enum_agent_type, in->type, in->type_count);
	filter_enums(f, AGENT_DIMENSION_STATUS, &enum_agent_status, in->status, in->status_count);
	filter_enums(f, AGENT_DIMENSION_PROTOCOL, &enum_agent_protocol, in->protocol, in->protocol_count);
	filter_enums(f, AGENT_DIMENSION_VERIFICATION, &enum_verification, in->verification, in->verification_count);
	filter_texts(f, AGENT_DIMENSION_CAPABILITY, in->capability, in->capability_count);
	filter_texts(f, AGENT_DIMENSION_TAG, in->tag, in->tag_count);
}

static uint32_t facets_of(const struct agent_search_in *in)
{
	uint32_t bits = 0;
	for (size_t i = 0; i < in->facets_count; i++)
		bits |= UINT32_C(1) << (AGENT_DIMENSION_TYPE + in->facets[i]);
	return bits;
}

static struct search_query query_of(const struct agent_question *q, const struct filters *f)
{
	return (struct search_query){.text = q->in->q,
				     .filters = f->v,
				     .filter_count = f->n,
				     .reach = UINT32_C(1) << AGENT_DIMENSION_REACH,
				     .limit = (size_t)q->in->limit,
				     .after = q->after,
				     .after_score = q->after_score,
				     .after_id = q->after_id,
				     .typos = true,
				     .prefix = true,
				     .why = true,
				     .count = q->in->count,
				     .facets = facets_of(q->in)};
}

/* ---- the answer ---- */

static int by_points(const void *a, const void *b)
{
	const struct hit_word *x = a, *y = b;
	return (x->points < y->points) - (x->points > y->points);
}

/* As people are shown numbers: more decimals say no more. */
static double shown(double points)
{
	return round(points * SHOWN_PARTS) / SHOWN_PARTS;
}

static enum err copy_why(const struct search_hit *hit, struct arena *a, struct hit_why *out)
{
	out->words = ARENA_ARRAY(a, struct hit_word, hit->why_count);
	if (!out->words)
		return ERR_INTERNAL;
	for (size_t i = 0; i < hit->why_count; i++) {
		const struct search_why *w = &hit->why[i];
		out->exact_name |= w->exact_name;
		out->words[i] = (struct hit_word){.asked = arena_str(a, w->asked),
						  .found = arena_str(a, w->found),
						  .field = str_of(agent_search_config.fields[w->field].name),
						  .points = shown(w->points)};
	}
	if (hit->why_count > 1)
		qsort(out->words, hit->why_count, sizeof *out->words, by_points);
	out->words_count = hit->why_count < HIT_WORDS_MAX ? hit->why_count : HIT_WORDS_MAX;
	return OK;
}

/* The most frequent values of each dimension: facets come in that order. */
static enum err copy_facets(const struct search_result *found, struct arena *a, struct agent_matches *out)
{
	size_t of_dimension = 0;
	out->facets = ARENA_ARRAY(a, struct hit_facet, found->facet_count);
	if (!out->facets)
		return ERR_INTERNAL;
	for (size_t i = 0; i < found->facet_count; i++) {
		const struct search_facet *f = &found->facets[i];
		of_dimension = i && f->dimension == found->facets[i - 1].dimension ? of_dimension + 1 : 0;
		if (of_dimension < FACET_VALUES_MAX)
			out->facets[out->facet_count++] =
				(struct hit_facet){.facet = (int)(f->dimension - AGENT_DIMENSION_TYPE),
						   .value = arena_str(a, f->value),
						   .count = (int64_t)f->count};
	}
	return OK;
}

static enum err copy_result(const struct search_result *found, struct arena *a, struct agent_matches *out)
{
	*out = (struct agent_matches){.v = ARENA_ARRAY(a, struct agent_match, found->hit_count),
				      .n = found->hit_count,
				      .more = found->more,
				      .count = (int64_t)found->count,
				      .words_left_out = (int64_t)found->words_left_out};
	enum err err = out->v ? copy_facets(found, a, out) : ERR_INTERNAL;
	for (size_t i = 0; !err && i < out->n; i++) {
		out->v[i] = (struct agent_match){.id = found->hits[i].id,
						 .exact_score = found->hits[i].score,
						 .score = shown(found->hits[i].score)};
		err = copy_why(&found->hits[i], a, &out->v[i].why);
	}
	return err || !arena_overflowed(a) ? err : ERR_INTERNAL;
}

enum err agent_index_ask(struct agent_index *index, const struct agent_question *question, struct arena *a,
			 struct agent_matches *out)
{
	CHECK_OBJ(index, INDEX_MAGIC);
	struct filters filters = {.n = 0};
	struct search_reader *r = borrow_reader(index);
	if (!r)
		return ERR_INDEX_STARTING;
	int64_t from_ns = clock_mono_ns();
	filters_of(question, a, &filters);
	struct search_query query = query_of(question, &filters);
	struct search_result found;
	enum err err = search_query(r, &query, &found);
	if (!err)
		err = copy_result(&found, a, out);
	metrics_observe_ns(index->metrics, METRIC_agent_search_seconds, clock_mono_ns() - from_ns);
	return_reader(index, r);
	return err;
}
