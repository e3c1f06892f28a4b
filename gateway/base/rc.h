/*
 * rc - return codes: gRPC's canonical status codes, from disk to wire with no translation table.
 *
 * Three kinds, three tools. A refusal (the peer asked for what it may not have) fills a struct
 * fault, which travels to the peer and to the log. A failure (disk, network, memory) is logged
 * where it is detected. A bug is an assert, kept in release builds.
 */
#ifndef BASE_RC_H
#define BASE_RC_H

#include <stddef.h>

/* https://grpc.github.io/grpc/core/md_doc_statuscodes.html */
enum rc {
    RC_OK = 0,
    RC_CANCELLED = 1,
    RC_UNKNOWN = 2,
    RC_INVALID_ARGUMENT = 3,
    RC_DEADLINE_EXCEEDED = 4,
    RC_NOT_FOUND = 5,
    RC_ALREADY_EXISTS = 6,
    RC_PERMISSION_DENIED = 7,
    RC_RESOURCE_EXHAUSTED = 8,
    RC_FAILED_PRECONDITION = 9,
    RC_ABORTED = 10,
    RC_OUT_OF_RANGE = 11,
    RC_UNIMPLEMENTED = 12,
    RC_INTERNAL = 13,
    RC_UNAVAILABLE = 14,
    RC_DATA_LOSS = 15,
    RC_UNAUTHENTICATED = 16,
};

#define MUST_CHECK __attribute__((warn_unused_result))

/* The only macro that hides a return. */
#define TRY(call)                                                                                  \
    do {                                                                                           \
        enum rc try_rc = (call);                                                                   \
        if (try_rc != RC_OK) {                                                                     \
            return try_rc;                                                                         \
        }                                                                                          \
    } while (0)

/*
 * What a refused peer is told: a stable reason code ("route.none"), the path of the field that
 * failed ("header.legal_basis.id", may be empty) and the remedy in plain Spanish. Never holds a
 * value of any field, a key or a name.
 */
struct fault {
    enum rc rc;
    char reason[48];
    char path[96];
    char remedy[224];
};

/* Fills the fault and returns rc; fault may be NULL. The first refusal stays. */
__attribute__((format(printf, 5, 6))) enum rc refuse(struct fault *fault, enum rc rc,
                                                     const char *reason, const char *path,
                                                     const char *remedy, ...);

/* Logs a failure of our own at level error ("event key=value ...") and returns rc. */
__attribute__((format(printf, 3, 4))) enum rc failed(enum rc rc, const char *event,
                                                     const char *format, ...);

/* "PERMISSION_DENIED"; never NULL. */
const char *rc_name(enum rc rc);

#endif
