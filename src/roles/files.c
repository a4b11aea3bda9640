/*
 * The files of the machine.
 */
#include "roles/files.h"

bool stamp_eq(const struct stamp *a, const struct stamp *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       a->changed_ns == b->changed_ns && a->status_ns == b->status_ns;
}

bool stamp_holds(const struct stamp *was, const struct stamp *now)
{
	return !was->recent && stamp_eq(was, now);
}
