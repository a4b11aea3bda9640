/*
 * One request on its way: what a handler is given and may do.
 *
 * A handler is `enum err api_NAME(struct call *, const struct IN *, struct OUT *)`: it reads `in`, fills `out`, and
 * returns OK or an error of the table (call_fail() adds the sentence). It does not know on which thread it runs,
 * does not wait, and frees nothing: what it needs lives in the call's arena, which goes when the answer is sent.
 * Handlers that change something may be run again from the start when the store asks for it, so whatever is visible
 * outside the transaction goes through call_after_commit().
 */
#ifndef TENFOLD_HTTP_CALL_H
#define TENFOLD_HTTP_CALL_H

#include "base/task.h"
#include "spec/routes.h"

struct db;
struct stream_ops;

/* Who calls. Filled by the authenticate hook; copied, so a later change of the key does not touch it. */
struct caller {
	int64_t tenant; /* the call acts in it */
	int64_t key;    /* 0: no key */
	int64_t agent;  /* whose key it is; 0: no agent's */
	int64_t user;   /* the person whose access token it is, of the session sign_in; 0: no person's */
	int64_t sign_in;
	enum user_role role; /* of that person in the tenant */
	enum scope scope;
	enum limit_tier tier;
	int64_t proved_ms; /* an agent without a key: when it proved the one that it signs with */
	bool unproven;     /* who it is will be asked of the store: nothing is counted yet */
	int64_t expires_ms;
	uint64_t revision;                /* of the keyring, at which the key was last found in force */
	struct str key_name, tenant_name; /* in the call's arena */
};

/* May the caller look after the people and keys of the tenant? */
static inline bool caller_manages(const struct caller *caller)
{
	return caller->scope >= SCOPE_ADMIN || (caller->user && caller->role >= USER_ADMIN);
}

/* An answer another process gave, sent as it is. */
struct relayed {
	int status;
	struct str content_type, body; /* in the call's arena; the type ends with a NUL */
	int retry_after_s;             /* 0: none */
};

/* Bytes that are an answer already, shared with others and changed by nobody. release(owner) gives them back, on
 * the loop, when they are sent or not needed any more. */
struct call_blob {
	struct str body;
	void (*release)(void *owner);
	void *owner;
};

enum call_wait {
	CALL_RUNNING, /* not answered yet */
	CALL_PARKED,  /* waits inside the queue (a long poll); somebody finishes it later */
	CALL_DONE,    /* outcome is final */
};

struct call {
	unsigned magic; /* CALL_MAGIC */
	struct task task;
	const struct route *route;
	struct arena *arena;
	void *app; /* the application, for handlers */
	struct caller caller;
	struct str path;            /* as called */
	struct str address;         /* of the client, as text: IPv4 or IPv6 */
	struct str request_id;      /* given or made */
	struct str idempotency_key; /* empty: none */
	struct str last_event_id;   /* of a STREAM */
	struct str if_match;        /* of a route that MATCHES: for call_if_match() */
	struct str has_seen;        /* what its session has seen of the store: Tenfold-Seen, or the cookie */
	struct str body;            /* as received; in points into it */
	const void *in;
	void *out;
	enum err outcome;
	enum call_wait wait;
	int status;          /* 0: the route's */
	bool replayed;       /* Idempotency-Replayed: true */
	struct str now_seen; /* what its session has seen now, for header and cookie; empty: nothing new */
	struct problem problem;
	struct str text;               /* ROUTE_TEXT: the answer's body … */
	const char *content_type;      /* … and its type */
	struct str ready_json;         /* not empty: the answer's JSON is already there */
	struct call_blob ready_blob;   /* likewise, not copied: for CACHED and READ */
	struct str etag;               /* of the answer, without quotes; empty: made of its bytes where the route's
					* answers may be kept. A client that has this one is not sent it again */
	bool is_public;                /* everybody may see the answer: for routes whose cache is SHARED */
	const struct relayed *relayed; /* not NULL: the answer, with outcome OK */
	const struct stream_ops *stream; /* STREAM: set by call_stream() */
	void *stream_state;
	void *found;              /* what a first half, or an earlier part, left for the next */
	enum err verdict;         /* WRITE: what was written stands, and the answer is this error; OK: none */
	enum err refused;         /* the handler is run to say of its items that this became of them */
	struct db *db;            /* SLOT, READ, WRITE: the connection of the thread it runs on */
	int64_t now_ms;           /* of the batch */
	void *parked;             /* CALL_PARKED: the queue's own handle */
	uint64_t number;          /* given by dispatch, never used twice: a call is found by it after a hang-up */
	bool gone;                /* the client hung up (set on the loop, read with call_is_gone) */
	struct call_hook *hooks;  /* call_after_commit */
	struct call_private *own; /* http/ only */
};

enum { CALL_MAGIC = 0x63616c6c };

/* Sets the sentence of an error and returns it: return call_fail(c, ERR_CONFLICT, "…"). */
enum err call_fail(struct call *c, enum err e, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* May the call change a thing that is at this version? Tags of If-Match are compared up to a '-'. OK also without
 * the header; else ERR_PRECONDITION, or ERR_INVALID when it cannot be read. */
enum err call_if_match(struct call *c, int64_t version);

/* Runs fn(arg) on the handler's thread after its effects are durable; never when they are undone. */
void call_after_commit(struct call *c, void (*fn)(void *arg), void *arg);
/* The same, but not when fn(arg) is already to be run. */
void call_after_commit_once(struct call *c, void (*fn)(void *arg), void *arg);
void call_run_hooks(struct call *c);    /* for executors: committed */
void call_forget_hooks(struct call *c); /* for executors: undone, before a rerun */

/* Has the client hung up? Any thread. */
bool call_is_gone(struct call *c);

/*
 * A stream of server-sent events. The handler of a STREAM route runs on the loop and hands out its state.
 * The loop pulls whenever the socket can take more; `next` appends whole events and never blocks.
 */
enum stream_next {
	STREAM_DATA, /* something was appended: send it, then ask again */
	STREAM_WAIT, /* nothing now: ask again after http_wake_streams(), or http_wake_topic() of its topic, or at the
		      * latest after 15 s (a comment line is sent then, so that a dead peer shows) */
	STREAM_END,  /* what was appended is the last */
	STREAM_FETCH /* ask again after fetch() ran on a connection that reads */
};

struct stream_ops {
	enum stream_next (*next)(void *state, struct buf *out);
	/* Runs on a READ thread while the stream rests; returns what the store said. db is NULL when there is no
	 * connection; why says why. The member is NULL if next never says STREAM_FETCH. */
	enum err (*fetch)(void *state, struct db *db, enum err why);
	void (*close)(void *state); /* exactly once, on the loop; also when the client hangs up */
	/* What it waits for, a number of http_topic(); NULL: whatever wakes those without. Streams with a topic cost
	 * nothing while others have news. */
	unsigned (*topic)(void *state);
};

void call_stream(struct call *c, const struct stream_ops *ops, void *state);

#endif
