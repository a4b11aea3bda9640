/*
 * Who waits for whom.
 *
 * A blocked item's `depends` blob is the truth: what it still waits for, by id. The index turned round, from a
 * dependency to the ordered set of those that wait for it, is made from the blobs. An item that finishes is put on
 * the batch's list of finished ones; depends_tell() works through that list, dependents in order of their ids, and
 * those that fail because of it join the list. So a cascade of any depth is a loop, and takes the same course
 * whatever way the index came about.
 *
 * An item that a dependency fells keeps its `depends`, so that it can be revived to wait as before.
 *
 * Blob: one varint per dependency, id * 2 + on_failure, ids ascending.
 */
#include "work/work_priv.h"

#include <stdio.h>
#include <string.h>

void work_depends_add(struct buf *blob, int64_t id, int on_failure)
{
	buf_varint(blob, (uint64_t)id << 1 | (unsigned)on_failure);
}

bool work_depends_next(struct str *blob, struct work_depends_entry *out)
{
	uint64_t v;

	if (!take_varint(blob, &v))
		return false;
	*out = (struct work_depends_entry){.id = (int64_t)(v >> 1), .on_failure = (int)(v & 1)};
	return true;
}

/* ---- the index ---- */

static void add_dependent(struct work *w, int64_t dependency, int64_t dependent)
{
	struct idmap *set = map_get(&w->dependents, (uint64_t)dependency);

	if (!set) {
		set = NEW(struct idmap);
		map_put(&w->dependents, (uint64_t)dependency, set);
	}
	CHECK(idmap_add(set, dependent, NULL));
}

static void remove_dependent(struct work *w, int64_t dependency, int64_t dependent)
{
	struct idmap *set = map_get(&w->dependents, (uint64_t)dependency);

	CHECK(set && idmap_remove(set, dependent));
	if (set->count > 0)
		return;
	map_take(&w->dependents, (uint64_t)dependency);
	idmap_free(set);
	free(set);
}

void depends_link(struct work *w, struct item *item)
{
	struct str blob = work_blob_str(item->depends);
	struct work_depends_entry e;

	while (work_depends_next(&blob, &e))
		add_dependent(w, e.id, item->id);
}

void depends_unlink(struct work *w, struct item *item)
{
	struct str blob = work_blob_str(item->depends);
	struct work_depends_entry e;

	while (work_depends_next(&blob, &e))
		remove_dependent(w, e.id, item->id);
}

void depends_free(struct work *w)
{
	struct idmap *set;

	for (size_t i = 0; (set = map_next(&w->dependents, &i));) {
		idmap_free(set);
		free(set);
	}
	map_free(&w->dependents);
}

size_t depends_bytes(const struct work *w)
{
	size_t bytes = map_bytes(&w->dependents);
	struct idmap *set;

	for (size_t i = 0; (set = map_next(&w->dependents, &i));)
		bytes += sizeof(*set) + idmap_bytes(set);
	return bytes;
}

/* ---- beginning to wait ---- */

/* How it stands now: an item this batch has in hand is known better here than to the caller. */
static int standing(const struct work *w, const struct work_spec_dependency *d)
{
	const struct item *item = idmap_get(&w->by_id, d->id);

	if (!item)
		return d->standing;
	if (is_live_state(item->state))
		return DEPENDENCY_LIVE;
	return item->state == WORK_COMPLETED ? DEPENDENCY_MET : DEPENDENCY_BROKEN;
}

static bool is_known(const struct work *w, int64_t tenant, const struct work_spec_dependency *d)
{
	const struct item *item = idmap_get(&w->by_id, d->id);

	return item ? item->queue->tenant == tenant : d->id > 0 && d->standing != DEPENDENCY_LIVE;
}

enum err depends_check(const struct work *w, int64_t tenant, const struct work_spec_dependency *depends,
		       size_t count, struct problem *p)
{
	char field[40], id[ID_TEXT];

	for (size_t i = 0; i < count; i++) {
		if (is_known(w, tenant, &depends[i]))
			continue;
		snprintf(field, sizeof(field), "depends_on[%zu]", i);
		id_format(id, "w_", depends[i].id > 0 ? depends[i].id : 0);
		return problem_field(p, ERR_INVALID, field, "there is no item %s", id);
	}
	return OK;
}

enum err depends_check_unbroken(const struct work *w, const struct work_spec_dependency *depends, size_t count,
				struct problem *p)
{
	char id[ID_TEXT];

	for (size_t i = 0; i < count; i++) {
		if (depends[i].on_failure == ON_FAILURE_IGNORE || standing(w, &depends[i]) != DEPENDENCY_BROKEN)
			continue;
		id_format(id, "w_", depends[i].id);
		return problem_set(p, ERR_CONFLICT, "it depends on %s, which failed: retry that one first", id);
	}
	return OK;
}

/* By id; where one is named twice, the stricter first. */
static int in_order(const void *a, const void *b)
{
	const struct work_spec_dependency *one = a, *other = b;

	if (one->id != other->id)
		return one->id < other->id ? -1 : 1;
	return one->on_failure - other->on_failure;
}

static bool still_counts(const struct work *w, const struct work_spec_dependency *d)
{
	int now = standing(w, d);

	return now == DEPENDENCY_LIVE || (now == DEPENDENCY_BROKEN && d->on_failure == ON_FAILURE_FAIL);
}

int64_t depends_begin(struct work *w, struct item *item, const struct work_spec_dependency *depends, size_t count)
{
	struct work_spec_dependency *sorted;
	int64_t broken = 0;

	if (count == 0)
		return 0;
	sorted = ARENA_ARRAY(w->batch.arena, struct work_spec_dependency, count);
	CHECK(sorted != NULL);
	memcpy(sorted, depends, count * sizeof(*sorted));
	qsort(sorted, count, sizeof(*sorted), in_order);
	buf_reset(&w->scratch);
	for (size_t i = 0; i < count; i++) {
		if ((i > 0 && sorted[i].id == sorted[i - 1].id) || !still_counts(w, &sorted[i]))
			continue;
		if (!broken && standing(w, &sorted[i]) == DEPENDENCY_BROKEN)
			broken = sorted[i].id;
		work_depends_add(&w->scratch, sorted[i].id, sorted[i].on_failure);
	}
	item_set_depends(w, item, buf_str(&w->scratch));
	return broken;
}

/* ---- ending to wait ---- */

static void note_felled(struct work *w, struct touch *t, int64_t id)
{
	if (t->felled_count == t->felled_room) {
		size_t room = t->felled_room ? 2 * t->felled_room : 4;
		int64_t *grown = ARENA_ARRAY(w->batch.arena, int64_t, room);

		CHECK(grown != NULL);
		if (t->felled_count > 0)
			memcpy(grown, t->felled, t->felled_count * sizeof(*grown));
		t->felled = grown;
		t->felled_room = room;
	}
	t->felled[t->felled_count++] = id;
}

void depends_fell(struct work *w, struct item *item, int64_t cause)
{
	const struct item *dependency = idmap_get(&w->by_id, cause);
	bool cancelled = dependency && dependency->state == WORK_CANCELLED;
	struct ending e = {.state = WORK_FAILED, .cause = cause};
	char id[ID_TEXT];

	id_format(id, "w_", cause);
	e.error = e.note =
		arena_fmt(w->batch.arena, "dependency %s %s", id, cancelled ? "was cancelled" : "failed");
	if (dependency)
		note_felled(w, touch_of(w, dependency), item->id);
	item_finishes(w, item, &e);
}

static int on_failure_of(const struct item *item, int64_t dependency)
{
	struct str blob = work_blob_str(item->depends);
	struct work_depends_entry e;

	while (work_depends_next(&blob, &e))
		if (e.id == dependency)
			return e.on_failure;
	UNREACHABLE();
}

static void drop_dependency(struct work *w, struct item *item, int64_t dependency)
{
	struct str blob = work_blob_str(item->depends);
	struct work_depends_entry e;

	buf_reset(&w->scratch);
	while (work_depends_next(&blob, &e))
		if (e.id != dependency)
			work_depends_add(&w->scratch, e.id, e.on_failure);
	batch_touch(w, item);
	remove_dependent(w, dependency, item->id);
	item_set_depends(w, item, buf_str(&w->scratch));
}

static void unblock(struct work *w, struct item *item)
{
	if (item->run_at_ms <= w->batch.now_ms) {
		item_becomes_ready(w, item, EVENT_READY, NULL, (struct str){0});
	} else { /* nobody needs to hear of it: it still waits */
		item_leaves(w, item, WORK_SCHEDULED);
		index_add(w, item);
	}
}

static void tell(struct work *w, const struct item *done, struct item *dependent)
{
	if (done->state != WORK_COMPLETED && on_failure_of(dependent, done->id) == ON_FAILURE_FAIL) {
		depends_fell(w, dependent, done->id);
		return;
	}
	drop_dependency(w, dependent, done->id);
	if (!dependent->depends)
		unblock(w, dependent);
}

void depends_tell(struct work *w)
{
	while (w->batch.told < w->batch.finished.n) {
		const struct item *done = w->batch.finished.v[w->batch.told++];
		const struct idmap *waiting;

		while ((waiting = map_get(&w->dependents, (uint64_t)done->id)))
			tell(w, done, work_find(w, idmap_first(waiting)));
	}
}
