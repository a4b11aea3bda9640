/*
 * A town's files as they are held: one slot for each, looked at at most once between two town_refresh().
 */
#ifndef TENFOLD_ROLES_TOWN_PRIV_H
#define TENFOLD_ROLES_TOWN_PRIV_H

#include "base/map.h"
#include "roles/settings_priv.h"

enum file_kind { FILE_TOWN_SETTINGS, FILE_RIG_SETTINGS, FILE_REGISTRY, FILE_ACCOUNTS, FILE_QUOTA, FILE_RIG_NAMES };

/* What a file said. Its memory is the arena's, but for the list of faults; arena NULL: nothing was read, everything
 * is empty. */
struct content {
	struct arena *arena;
	struct fault *faults;
	size_t fault_count;
	bool refused;
	union {
		struct settings settings;
		struct agents agents;
		struct accounts accounts;
		struct quota quota;
		struct texts names;
	};
};

struct slot {
	enum file_kind kind;
	char *path;         /* to open */
	const char *shown;  /* part of path */
	struct stamp stamp; /* of what was read last, good or not */
	uint64_t seen;      /* the generation in which it was looked at */
	uint64_t version;   /* counts contents */
	enum file_state state;
	struct content *content; /* what it says, or said last; never NULL once it was looked at */
	struct fault trouble;    /* of KEPT and LOST */
	char *trouble_text;
};

/* Where to look and what to lie over. */
struct look {
	struct files *files;
	struct arena *scratch;
	uint64_t generation;
	uint64_t *changes;          /* counted up when anything about a slot changed */
	const struct agents *under; /* of a registry */
	bool again;                 /* read it even if it did not change: what is below did */
};

void slot_init(struct slot *s, enum file_kind kind, struct str folder, const char *name, size_t shown_from);
void slot_free(struct slot *s);
const struct content *slot_look(struct slot *s, const struct look *l);
struct source slot_source(const struct slot *s);

/* ---- the town ---- */

struct rig_entry {
	struct rig rig;
	struct settings merged;
	struct slot settings, registry;
	struct slot registry_alone; /* its agents.json over the built-in presets; path NULL: nobody asked */
	struct rig_entry *same_hash;
	uint64_t under_version;
	uint64_t seen; /* when its folder was looked for */
	bool exists;
};

struct found_command {
	struct found_command *same_hash;
	char *path;      /* NULL: not there */
	uint64_t looked; /* the generation in which that was so */
	size_t name_length;
	char name[];
};

struct town {
	unsigned magic;
	struct files *files;
	struct str dir;
	struct arena *scratch;
	uint64_t generation, changes;
	struct slot settings, registry, accounts, quota, rig_names;
	uint64_t quota_version, accounts_version; /* as they were put together last */
	struct account *accounts_with_quota;
	struct accounts accounts_shown;
	struct map rigs; /* by hash of the name */
	struct rig_entry *here;
	struct map commands; /* by hash of the name */
	char *search_path;
	VEC(const struct fault *) faults;
	uint64_t faults_of; /* changes when they were collected */
};

enum { TOWN_MAGIC = 0x70776e21 };

struct look town_look(struct town *t); /* over the built-in presets */
void rig_entry_free(struct rig_entry **r);
void commands_forget(struct town *t);

#endif
