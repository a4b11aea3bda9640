/*
 * An item as text for an agent. Pure.
 *
 *	Work item w_…: its title
 *	Type: feature
 *	Team: blue
 *	Labels: area=core, urgent
 *
 *	Its description.
 *
 *	Payload (JSON):
 *	{"branch":"main"}
 */
#ifndef TENFOLD_CLI_WORKER_PROMPT_H
#define TENFOLD_CLI_WORKER_PROMPT_H

#include "roles/model.h"
#include "spec/types.h"

/* A step of a squad: what a model is told, behind words of ours as well. A large brief goes to standard input. */
struct str prompt_of_step(const struct step_brief *brief, struct str brief_json, struct arena *a);
bool prompt_has_brief(struct str brief_json);

struct str prompt_of_item(const struct work_claimed *item, const struct texts *labels, struct arena *a);
/* A large payload goes to standard input instead, and the prompt says so. */
bool prompt_has_payload(const struct work_claimed *item);
/* "name=value", or "name" where the value is empty. */
struct texts labels_of_item(const struct work_claimed *item, struct arena *a);

#endif
