/*
 * Filling: from what a file says about an agent to what can be started. And lists of pairs.
 */
#ifndef TENFOLD_ROLES_FILL_PRIV_H
#define TENFOLD_ROLES_FILL_PRIV_H

#include "roles/model.h"

extern const struct runtime runtime_unsaid; /* nothing is said: what reading a file begins with */

/*
 * What an entry of `agents` or `runtime` leaves out comes from the preset of its provider, else of its command,
 * else from claude. Nested objects are filled as a whole, env by its keys.
 *
 * With compat resuming and working alone are not known of such agents.
 */
struct runtime fill_custom(const struct runtime *said, const struct agents *registry, bool compat, struct arena *a);

/*
 * Gas Town's second filling, once more arguments are added: a command or arguments that are still missing are those
 * of the provider, which is claude when none is said.
 */
void fill_again(struct runtime *r, const struct agents *registry);

/*
 * A preset. One that is only in an agents.json and runs a known command is filled from the built-in preset of that
 * command, provider included; with compat it is a provider of its own and has only what its entry says.
 */
struct runtime fill_preset(const struct town_agent *preset, bool compat);

/* Claude, as far as the ladder and --settings are concerned: by provider, else by command. With compat a provider
 * that is said counts alone. */
bool runtime_is_claude(const struct runtime *r, bool compat);

/* ---- pairs ---- */

const struct pair *pairs_find(const struct pairs *p, struct str key);
void pairs_make_room(struct pairs *p, size_t more, struct arena *a); /* the list moves; what was shared stays */
void pairs_put(struct pairs *p, struct pair one);                    /* there is room; replaces the same key */
void pairs_set(struct pairs *p, struct str key, struct str value, struct arena *a);

#endif
