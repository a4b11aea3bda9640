/*
 * Why a pinned reader is safe: it stores its pin and then sees the epoch unchanged, so the store stands before the
 * writer's next step of the epoch in the one order of sequentially consistent operations. The writer steps the
 * epoch between unpublishing and looking at the pins, so it either sees the pin or the reader sees what was
 * published.
 */
#include "search/memory_priv.h"

#include <malloc.h>

enum { COLLECT_AT = 64 }; /* things retired: looking at the pins for each one would cost more than keeping them */

void memory_init(struct memory *m)
{
	*m = (struct memory){.epoch = 1};
	CHECK(pthread_mutex_init(&m->mutex, NULL) == 0);
}

static size_t counted(void *p)
{
	return p ? malloc_usable_size(p) + sizeof(size_t) : 0;
}

void *mem_new(struct memory *m, size_t bytes)
{
	void *p = must_alloc(bytes);

	atomic_fetch_add_explicit(&m->bytes, counted(p), memory_order_relaxed);
	return p;
}

void mem_free(struct memory *m, void *p)
{
	atomic_fetch_sub_explicit(&m->bytes, counted(p), memory_order_relaxed);
	free(p);
}

void mem_retire(struct memory *m, void *p)
{
	if (p)
		*VEC_PUSH(&m->retired) = (struct retired){p, atomic_load(&m->epoch)};
}

static uint64_t oldest_pin(struct memory *m)
{
	uint64_t oldest = UINT64_MAX;

	pthread_mutex_lock(&m->mutex);
	for (struct pin *pin = m->pins; pin; pin = pin->next) {
		uint64_t epoch = atomic_load(&pin->epoch);

		if (epoch && epoch < oldest)
			oldest = epoch;
	}
	pthread_mutex_unlock(&m->mutex);
	return oldest;
}

static void free_before(struct memory *m, uint64_t epoch)
{
	size_t n = 0;

	while (n < m->retired.n && m->retired.v[n].epoch < epoch)
		mem_free(m, m->retired.v[n++].p);
	m->retired.n -= n;
	for (size_t i = 0; n && i < m->retired.n; i++)
		m->retired.v[i] = m->retired.v[i + n];
}

void mem_collect(struct memory *m)
{
	if (m->retired.n < COLLECT_AT)
		return;
	atomic_fetch_add(&m->epoch, 1);
	free_before(m, oldest_pin(m));
}

void memory_free_all(struct memory *m)
{
	CHECK(!m->pins);
	free_before(m, UINT64_MAX);
	VEC_FREE(&m->retired);
	pthread_mutex_destroy(&m->mutex);
}

void mem_join(struct memory *m, struct pin *pin)
{
	pthread_mutex_lock(&m->mutex);
	pin->next = m->pins;
	m->pins = pin;
	pthread_mutex_unlock(&m->mutex);
}

void mem_leave(struct memory *m, struct pin *pin)
{
	pthread_mutex_lock(&m->mutex);
	for (struct pin **p = &m->pins; *p; p = &(*p)->next)
		if (*p == pin) {
			*p = pin->next;
			break;
		}
	pthread_mutex_unlock(&m->mutex);
}

void mem_pin(struct memory *m, struct pin *pin)
{
	uint64_t epoch = atomic_load(&m->epoch);

	for (;;) {
		uint64_t now;

		atomic_store(&pin->epoch, epoch);
		now = atomic_load(&m->epoch);
		if (now == epoch)
			return;
		epoch = now;
	}
}

void mem_unpin(struct pin *pin)
{
	atomic_store_explicit(&pin->epoch, 0, memory_order_release);
}
