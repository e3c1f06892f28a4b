/*
 * add_checkpoint - what a log asks of a witness, and what it is answered (C2SP tlog-witness 1.0.0).
 *
 *     old <size, decimal> LF
 *     <base64 hash> LF ...           0..63 lines: the old tree is the beginning of the new one
 *     LF
 *     <checkpoint, a signed note>
 *
 *     200  one or more signature lines, cosignature/v1
 *     400  malformed, or the old size is larger than the checkpoint's
 *     403  no signature by a key that we have for this origin
 *     404  an origin that we do not witness
 *     409  the old size is not that of the last checkpoint: "<size>" LF, text/x.tlog.size
 *     422  no proof: a wrong path, another root for one size, the empty tree with another root
 *
 * Over HTTP: POST <prefix>/add-checkpoint, and GET <prefix>/<hex sha256(origin)>/checkpoint for the
 * last checkpoint of a log. Between nodes the same bytes travel over gRPC. Strict and bounded. Who
 * compares and persists is store/seen. Pure; any thread.
 */
#ifndef TLOG_ADD_CHECKPOINT_H
#define TLOG_ADD_CHECKPOINT_H

#include <stdint.h>

#include "base/bytes.h"
#include "tlog/checkpoint.h"
#include "tlog/proof.h"

#define ADD_CHECKPOINT_HASHES_MAX 63
/* Of the note; a body has 63 lines of 45 bytes and one of at most 24 more. */
#define ADD_CHECKPOINT_NOTE_MAX ((size_t)16 << 10)
#define ADD_CHECKPOINT_SIZE_MAX (ADD_CHECKPOINT_NOTE_MAX + (4 << 10))
#define ADD_CHECKPOINT_ANSWER_MAX ((size_t)16 << 10)

/* The numbers are HTTP's. */
enum witness_status {
    WITNESS_COSIGNED = 200,
    WITNESS_MALFORMED = 400,
    WITNESS_UNSIGNED = 403,
    WITNESS_UNKNOWN_LOG = 404,
    WITNESS_CONFLICT = 409,
    WITNESS_UNPROVEN = 422,
    WITNESS_BUSY = 503, /* of ours: the disk or a queue is full */
};

struct add_checkpoint {
    uint64_t old_size;
    struct proof proof;
    struct bytes note; /* borrowed; not yet parsed */
};

/* RC_INVALID_ARGUMENT: 400. The note is only cut off, not looked at. */
MUST_CHECK enum rc add_checkpoint_parse(struct bytes body, struct add_checkpoint *request);
void add_checkpoint_write(uint64_t old_size, const struct proof *proof, struct bytes note,
                          struct buffer *body);

/*
 * Is the note a checkpoint of a log whose key is among these, signed by one of them, and not
 * smaller than the old size? WITNESS_COSIGNED means: so far. The note borrows from the request.
 */
enum witness_status add_checkpoint_open(const struct add_checkpoint *request,
                                        const struct vkey *logs, size_t log_count,
                                        struct note *note, struct checkpoint *offered);
/*
 * Against the last checkpoint of this log (size 0 and the empty root: never seen one). The answer
 * is good only if compare and persist are one step afterwards.
 */
enum witness_status add_checkpoint_judge(const struct add_checkpoint *request,
                                         const struct checkpoint *offered, uint64_t last_size,
                                         const uint8_t last_root[DIGEST_SIZE]);

/* The body of 409. */
void add_checkpoint_put_size(uint64_t size, struct buffer *answer);
MUST_CHECK enum rc add_checkpoint_take_size(struct bytes answer, uint64_t *size);
/*
 * The body of 200: appends the one line of this witness over these three lines of text, with its
 * time. Lines of other keys are ignored. RC_INVALID_ARGUMENT: malformed; RC_NOT_FOUND: none of this
 * witness; RC_UNAUTHENTICATED: one that does not verify (another log's, another checkpoint's).
 */
MUST_CHECK enum rc add_checkpoint_take_line(struct bytes answer, struct bytes text,
                                            const struct vkey *witness, struct buffer *line,
                                            uint64_t *time_s);

enum witness_resource {
    WITNESS_NOTHING,
    WITNESS_ADD,
    WITNESS_MONITOR,
};

/* What the path of a request names; the digest is set for WITNESS_MONITOR. The prefix is empty. */
enum witness_resource add_checkpoint_path(struct bytes path, uint8_t origin_sha256[DIGEST_SIZE]);

#define WITNESS_HOST_SIZE 64
#define WITNESS_PREFIX_SIZE 192

/* "http://127.0.0.1:8080/prefix": plain HTTP, and so never beyond this machine. */
struct witness_url {
    char host[WITNESS_HOST_SIZE]; /* "127.0.0.1", "::1" */
    uint16_t port;
    char prefix[WITNESS_PREFIX_SIZE]; /* "" or "/prefix", without a slash at the end */
};

/* RC_INVALID_ARGUMENT: not of that form; RC_PERMISSION_DENIED: it is, but not of the loopback. */
MUST_CHECK enum rc witness_url_parse(struct bytes text, struct witness_url *url);
/* An IPv4 address in 127.0.0.0/8, written in four decimals, or "::1". */
bool witness_host_is_loopback(const char *host);

#endif
