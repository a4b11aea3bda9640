/*
 * Files of others as work items. Pure: text in, items and remarks out; who reads the file and who sends the items
 * is the caller's affair.
 *
 * Every importer ends with import_order(): items stand after those of the same file they depend on, and where a
 * file has cycles, edges are cut until it has none. What is wrong with one entry is reported by its line and never
 * keeps the rest out. The same text gives the same result, to the byte.
 *
 * Everything is allocated from the given arena; items also point into the text. ERR_TOO_LARGE when the arena is
 * full.
 */
#ifndef TENFOLD_IMPORT_IMPORT_H
#define TENFOLD_IMPORT_IMPORT_H

#include "spec/types.h"

enum { IMPORT_LINE_MAX = 2 << 20 };

#define IMPORT_OUTSIDE UINT32_MAX

struct import_item {
	struct work_new work;
	size_t line; /* where it begins in the file, from 1 */
	/* For each of work.depends_on: which of the items it is (one before this), or IMPORT_OUTSIDE. */
	uint32_t *waits_for;
};

struct import_fault {
	size_t line;
	struct str text;
	bool refused; /* the entry was left out; else it is in, and this is a remark */
};

/* Items that wait for each other, directly or through others: a strongly connected component. */
struct import_cycle {
	struct str members; /* their keys */
	size_t member_count;
	struct str cuts; /* "a no longer waits for b, …" */
	size_t cut_count;
};

struct import_result {
	struct import_item *items;
	size_t item_count, item_capacity;
	struct import_fault *faults;
	size_t fault_count, fault_capacity;
	struct import_cycle *cycles;
	size_t cycle_count, cycle_capacity;
};

struct import_options {
	struct str type; /* of items that do not say one themselves; empty: the format's own, if it has one */
	struct str team;
};

/* /var/lib/dpkg/status: an item for each installed package, waiting for the installed packages it depends on. */
enum err import_dpkg(struct str text, const struct import_options *o, struct arena *a, struct import_result *out);

/* A JSON object of type work_new on each line; blank lines are skipped. */
enum err import_jsonl(struct str text, const struct import_options *o, struct arena *a, struct import_result *out);

#endif
