/*
 * Whom a question of a squad's member goes to, level by level.
 *
 * Rules for the question's kind are looked at first, then those for the kind default; of each the squad's before the
 * tenant's, those of a higher priority before others, newer ones before older ones. The first that matches counts;
 * when none does, a built-in one. Of what it names nobody is asked who is not an active member, who asked, or who
 * comes a second time. A rule in which a question would come back is refused when it is made.
 *
 * These run inside a handler, on its connection; memory is of the call's arena. Errors, with their sentences:
 * ERR_NOT_FOUND (no such rule or squad in the tenant), ERR_INVALID naming the field, ERR_CONFLICT (the squad is
 * archived, or there are too many rules), ERR_PRECONDITION (If-Match).
 */
#ifndef TENFOLD_SQUADS_ROUTING_H
#define TENFOLD_SQUADS_ROUTING_H

#include "http/call.h"
#include "store/queries.h"

#define ROUTING_DEFAULT "default" /* the kind of questions for which there are no rules of their own */

enum { ROUTING_RULES_MAX = 200 }; /* of a squad, and of the tenant besides */

enum err routing_rule_add(struct call *c, int64_t id, const struct routing_rule_new *in, struct routing_rule *out);
enum err routing_rule_show(struct call *c, int64_t id, struct routing_rule *out);
enum err routing_rule_change(struct call *c, const struct routing_rule_patch *in, struct routing_rule *out);
enum err routing_rule_remove(struct call *c, int64_t id);
enum err routing_rule_list(struct call *c, const struct routing_rule_list_in *in,
			   struct routing_rule_list_out *out);

struct routing_asked {
	int64_t squad;
	struct str kind, text;
	int64_t asker; /* member; 0: none */
	int from_role; /* of one who is no member; -1: none */
};

/* The squad is the tenant's. out->levels is empty when nobody can be asked. */
enum err routing_decide(struct call *c, const struct routing_asked *asked, struct squad_route *out);

/* ---- pure, for the two above and for tests ---- */

/* Does the word stand in the text, as a whole and in whatever case (of ASCII letters)? */
bool routing_has_word(struct str text, struct str word);
/* Does the rule match, but for its kind? *why: a sentence. */
bool routing_matches(const struct routing_rule_row *rule, struct str text, int from_role, const char **why);

#endif
