/*
 * Where a person is signed in from here: CONFIG/tenfold/sign-in.json, readable by its owner alone. CONFIG is
 * XDG_CONFIG_HOME, else ~/.config. One entry per server; its tokens are shown to that server alone.
 *
 * Of several commands at once one refreshes, under a lock, and the others take what it was given: a refresh token works
 * once.
 */
#ifndef TENFOLD_CLI_SIGN_IN_H
#define TENFOLD_CLI_SIGN_IN_H

#include "cli/cli.h"
#include "cli/client.h"

/* The access token for the server at settings->url, refreshed when it is about to expire or settings->refused says that
 * it was; into key, key_note, key_until_ns and is_signed_in of *settings. False: nobody is signed in there.
 * Memory is of the arena. */
bool sign_in_find(struct arena *a, struct client *settings);

/* Keeps what the server gave; replaces what there was for it. */
enum err sign_in_keep(struct cli *cli, struct str url, const struct signed_in *in);

/* The refresh token there is for a server, for who is about to use it. ERR_NOT_FOUND: nobody is signed in there. */
enum err sign_in_token(struct cli *cli, struct str url, struct str *refresh_token);

/* Forgets the server's. */
enum err sign_in_forget(struct cli *cli, struct str url);

/* Held from before a refresh token is read until what it gave is kept; -1 when it cannot be. */
int sign_in_lock(struct arena *a);
void sign_in_unlock(int lock);

#endif
