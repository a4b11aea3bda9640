/*
 * Is a caller's key still in force? It was recognised from memory, which learns a moment later what other processes
 * have revoked. What is to outlive that moment, such as another key, asks the store in the transaction that writes it.
 */
#ifndef TENFOLD_ACCESS_CONFIRM_H
#define TENFOLD_ACCESS_CONFIRM_H

#include "http/call.h"

/* In a handler's transaction. OK too for who came without a key; ERR_UNAUTHENTICATED. */
enum err confirm_caller(struct call *c);

/* The same of several that share a transaction: the outcome of each, and what the store says. At least one. */
enum err confirm_callers(struct call *const *calls, enum err *outcomes, size_t count);

#endif
