/*
 * succession - the statement by which a log's next epoch begins where its last one ended.
 *
 * After a lost disk, a stolen key, or a year. Text that people can read out, signed as a C2SP note
 * by k of the network's authorities (authorities.h):
 *
 *     enlace-succession v1
 *     node cdmx/ssc
 *     epoch 2                       of the new log; the first one is 1
 *     cause lost-disk               or stolen-key, or year
 *     begun 2026-11-24T03:10:00Z
 *     old-key <vkey>                its name is the old log's origin
 *     new-key <vkey>                likewise; another name, of the same institution
 *     leaves 1240                   that the old log is known to have had, by number
 *     last-checkpoint
 *     > <the old log's last witnessed checkpoint, a note, each line after "> ">
 *     >                             its empty line
 *
 * The size of that checkpoint is the old log's last good size: after it, nothing of the old log
 * counts, whoever signed it, when the cause is a stolen key; and no peer takes anything new of the
 * old log from any cause. What lies between that size and `leaves` is known by number only.
 *
 * One form for one content: what is not exactly as it would be written is refused. Pure.
 */
#ifndef TLOG_SUCCESSION_H
#define TLOG_SUCCESSION_H

#include "tlog/authorities.h"
#include "tlog/checkpoint.h"

/* The signed statement: it fits into an audit record. */
#define SUCCESSION_SIZE_MAX ((size_t)14 << 10)
#define SUCCESSION_NODE_MAX 63
/* The old checkpoint with its cosignatures. */
#define SUCCESSION_NOTE_MAX ((size_t)8 << 10)
#define SUCCESSION_EPOCH_MAX 100000

enum succession_cause {
    SUCCESSION_LOST_DISK,
    SUCCESSION_STOLEN_KEY,
    SUCCESSION_YEAR,
    SUCCESSION_CAUSES
};

/* About 9 KiB. */
struct succession {
    char node[SUCCESSION_NODE_MAX + 1];
    uint32_t epoch;
    enum succession_cause cause;
    int64_t begun_ms; /* whole seconds */
    struct vkey old_key;
    struct vkey new_key;
    uint64_t leaves;
    struct checkpoint last;
    uint8_t last_note[SUCCESSION_NOTE_MAX];
    size_t last_note_size;
};

const char *succession_cause_name(enum succession_cause cause);
/* SUCCESSION_CAUSES: no such word. */
enum succession_cause succession_cause_of(const char *name);

/*
 * Verifies the note under old_key, and sets last. RC_INVALID_ARGUMENT: too long, not that log's, or
 * of an empty log; RC_UNAUTHENTICATED.
 */
MUST_CHECK enum rc succession_set_last(struct succession *succession, struct bytes note);
/* RC_INVALID_ARGUMENT: what succession_parse would refuse. Appends. */
MUST_CHECK enum rc succession_write(const struct succession *succession, struct buffer *text);
/*
 * The text alone. RC_INVALID_ARGUMENT; RC_UNAUTHENTICATED: the old key did not sign the checkpoint.
 */
MUST_CHECK enum rc succession_parse(struct bytes text, struct succession *succession);
/*
 * The signed statement: parses, then codes of authorities_check. signed_by may be NULL; what was
 * parsed is set also when the quorum is missing, for showing it.
 */
MUST_CHECK enum rc succession_open(struct bytes note, const struct authorities *authorities,
                                   struct succession *succession, unsigned *signed_by);

/* Is this of the old log, and does the statement let it stand? */
bool succession_covers(const struct succession *succession, const struct checkpoint *checkpoint);

#endif
