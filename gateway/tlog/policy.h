/*
 * policy - who must have cosigned a checkpoint before it counts (C2SP tlog-policy).
 *
 *     log <vkey> [<url>]
 *     witness <name> <vkey> [<url>]
 *     group <name> all|any|<k> <name> ...      at least k of the names
 *     quorum <name>|none                       exactly once
 *
 * Words are parted by spaces and tabs; empty lines and lines that begin with # say nothing; each
 * line ends with LF. Strict: names are defined above the line that uses them, each name is a member
 * of one group at most (so that a witness counts once), and no public key stands twice, under
 * whatever name, nor as a log's and a witness's (they sign different things with different keys).
 *
 * A witness of the log's own institution never counts, whatever the file says: who judges names the
 * own ones. Among n foreign witnesses of whom some may lie, a split view is safe from
 * k >= policy_least(n) on. Pure; any thread.
 */
#ifndef TLOG_POLICY_H
#define TLOG_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "tlog/note.h"
#include "tlog/vkey.h"

#define POLICY_LOGS_MAX 64
#define POLICY_WITNESSES_MAX 64
#define POLICY_GROUPS_MAX 64
#define POLICY_NAME_MAX 255
#define POLICY_URL_MAX 255
#define POLICY_SIZE_MAX ((size_t)128 << 10)

#define POLICY_NONE UINT16_MAX

struct policy_log {
    struct vkey vkey; /* of type VKEY_ED25519; its name is the origin */
    char url[POLICY_URL_MAX + 1];
};

struct policy_witness {
    char name[POLICY_NAME_MAX + 1]; /* of this file only */
    struct vkey vkey;               /* of type VKEY_COSIGNATURE */
    char url[POLICY_URL_MAX + 1];
    uint16_t group; /* whose member it is, or POLICY_NONE */
};

struct policy_group {
    char name[POLICY_NAME_MAX + 1];
    uint16_t least; /* k */
    uint16_t count; /* n */
    uint16_t group; /* whose member it is: a later one, or POLICY_NONE */
};

/* About 90 KiB: not for the stack. */
struct policy {
    size_t log_count;
    size_t witness_count;
    size_t group_count;
    struct policy_log logs[POLICY_LOGS_MAX];
    struct policy_witness witnesses[POLICY_WITNESSES_MAX];
    struct policy_group groups[POLICY_GROUPS_MAX];
    /* At most one of both is not POLICY_NONE; both are for "quorum none". */
    uint16_t quorum_witness;
    uint16_t quorum_group;
};

/* Why a text is refused, in plain Spanish, and where. */
struct policy_flaw {
    size_t line; /* from 1; 0: the file as a whole */
    const char *reason;
};

/* RC_INVALID_ARGUMENT; the flaw may be NULL. */
MUST_CHECK enum rc policy_parse(struct bytes text, struct policy *policy, struct policy_flaw *flaw);
/* Appends a text that parses into the same policy: logs, witnesses, groups, quorum. */
void policy_write(const struct policy *policy, struct buffer *buffer);

/* The key that the policy has for this origin; NULL: none. */
const struct vkey *policy_log_of(const struct policy *policy, struct bytes origin);

/* 1 + floor(2n/3): 3 of 3, 3 of 4, 4 of 5, 5 of 7. 0 for n = 0. */
size_t policy_least(size_t n);

/*
 * Is the quorum safe against witnesses who lie, for this log? For a quorum that is one witness or a
 * group of witnesses: k >= policy_least(n), the own house's witnesses left out. Groups within
 * groups, and "none", are not judged: true.
 */
bool policy_is_safe(const struct policy *policy, const char *origin);

/*
 * Are both of one institution? True when what stands before the first '/' is the same:
 * "gw.ssc/witness" and "gw.ssc/audit/2026".
 */
bool policy_is_same_house(const char *a, const char *b);

struct policy_rules {
    /* Names (of the key or of this file) of witnesses that never count. */
    const char *const *own;
    size_t own_count;
    /* POSIX seconds; 0: age and time are not judged. */
    uint64_t now_s;
    /* Older cosignatures do not count; 0: none is too old. */
    uint64_t age_max_s;
    /* A cosignature from further ahead than this does not count. */
    uint64_t ahead_max_s;
};

enum policy_state {
    POLICY_ABSENT,  /* no line of this witness */
    POLICY_COUNTED, /* valid, in time, of another institution */
    POLICY_OWN,     /* of the log's own institution: whether valid or not */
    POLICY_STALE,
    POLICY_AHEAD,
    POLICY_BAD, /* does not verify: spoils the note */
};

struct policy_verdict {
    bool is_met;
    bool is_required; /* false for "quorum none" */
    bool is_spoiled;  /* some witness's line does not verify */
    size_t counted;   /* witnesses that cosigned and count */
    size_t foreign;   /* witnesses that could count */
    enum policy_state states[POLICY_WITNESSES_MAX];
    uint64_t times_s[POLICY_WITNESSES_MAX]; /* 0: absent, or does not verify */
};

/*
 * Who cosigned this note (a checkpoint whose log signature the caller has verified), and is the
 * quorum met. A witness of the same house as the note's origin never counts. A spoiled note meets
 * nothing.
 */
void policy_judge(const struct policy *policy, const struct note *note,
                  const struct policy_rules *rules, struct policy_verdict *verdict);

#endif
