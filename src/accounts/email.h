/* E-mail addresses as names of accounts: which ones are taken, and when two are the same. Nothing is ever sent to
 * one. */
#ifndef TENFOLD_ACCOUNTS_EMAIL_H
#define TENFOLD_ACCOUNTS_EMAIL_H

#include "base/arena.h"
#include "base/problem.h"

/* LOCAL@DOMAIN in visible ASCII, without quotes and comments (RFC 5321, 4.1.2: a Dot-string and a Domain). *out is
 * in lower case: two that differ in capitals alone are one account. ERR_INVALID naming `email`. */
enum err email_fold(struct str given, struct arena *a, struct problem *p, struct str *out);

/* What stands before the @ of one that was folded. */
struct str email_local(struct str email);

#endif
