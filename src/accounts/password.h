/*
 * Passwords: which ones are taken, and what is kept of them.
 *
 * Length counts and nothing else does: no rules of composition, no expiry (NIST SP 800-63B-4, 3.1.1.2; OWASP ASVS
 * 5.0, 6.2). Without a second factor 15 characters are asked for. Refused are the few that everybody tries first:
 * common words and runs of keys, alone, repeated, or with digits and signs around them, and what names the
 * account.
 *
 * Kept is argon2id as libsodium writes it, with its own salt and costs: 64 MiB and 2 passes, more than OWASP's
 * least. One takes some 50 to 100 ms of a processor and that memory, so password_hash() and password_fits() are
 * called on threads of their own, of which there are few.
 */
#ifndef TENFOLD_ACCOUNTS_PASSWORD_H
#define TENFOLD_ACCOUNTS_PASSWORD_H

#include "base/arena.h"
#include "base/problem.h"

/* Limits of length are those of the types. ERR_INVALID naming `field`. The address is folded. */
enum err password_check(struct str password, struct str email, const char *field, struct problem *p);

/* ERR_OVERLOADED when there is no memory for it now. */
enum err password_hash(struct str password, struct arena *a, struct str *out, struct problem *p);

/* Without a hash, p == NULL, it is false, and takes as long as with one. */
bool password_fits(struct str hash, struct str password);

/* Was it made at another cost than password_hash() has now? */
bool password_is_dated(struct str hash);

#endif
