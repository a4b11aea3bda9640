/*
 * The job `accounts`: clears away refresh tokens, tickets and password resets that have expired, access tokens
 * that did so an hour ago, sessions that ended and invitations that expired 30 days ago. A bounded number at
 * once.
 */
#ifndef TENFOLD_ACCOUNTS_UPKEEP_H
#define TENFOLD_ACCOUNTS_UPKEEP_H

#include "directory/changes.h"
#include "jobs/jobs.h"

/* Adds the job, which must not have started. The feed must live as long as it. */
void accounts_upkeep(struct jobs *jobs, struct changes *feed);

#endif
