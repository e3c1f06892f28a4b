/*
 * suspension - one text that takes somebody out of force at once.
 *
 *     enlace-suspension v1
 *     network cdmx
 *     issuer cdmx.ssc/roster             the name of the key that signs it
 *     at 2026-11-23T22:40:00Z
 *     suspend official cdmx/ssc/enlace-01
 *     reason El equipo se extravió
 *
 * Exactly these lines, each ended by LF, as the body of a C2SP signed note. What is suspended:
 * member, node NETWORK/CODE; system, official, auditor NETWORK/CODE/NAME; certificate SHA-256.
 * Any one authority of the network signs for all of it; a member, by a key of its roster, for
 * itself, its people, its certificates and the node of its own code. It acts from its arrival on,
 * until k authorities list its digest as lifted (directory_file.h): a copy of it changes nothing.
 * Pure; any thread.
 */
#ifndef POLICY_SUSPENSION_H
#define POLICY_SUSPENSION_H

#include "base/bytes.h"
#include "model/directory.h"
#include "tlog/note.h"

#define SUSPENSION_TEXT_MAX 2048

enum suspended_kind {
    SUSPENDED_MEMBER,
    SUSPENDED_NODE,
    SUSPENDED_SYSTEM,
    SUSPENDED_OFFICIAL,
    SUSPENDED_AUDITOR,
    SUSPENDED_CERTIFICATE,
    SUSPENDED_KINDS
};

struct suspension {
    char network[CODE_SIZE];
    char issuer[VKEY_NAME_MAX + 1];
    char owner[CODE_SIZE]; /* the member whose key signed; empty: an authority */
    int64_t at_ms;
    enum suspended_kind kind;
    char id[96];
    uint8_t fingerprint[HASH_SIZE]; /* of a certificate */
    uint8_t sha256[HASH_SIZE];      /* of the text */
};

/* "official"; NULL beyond the last. */
const char *suspended_kind_name(enum suspended_kind kind);

/* The text's grammar. RC_INVALID_ARGUMENT with the line and what is expected. */
MUST_CHECK enum rc suspension_parse(struct bytes text, struct suspension *suspension,
                                    struct fault *fault);
/*
 * Signed by whom it says, who may say it; sets the owner. RC_PERMISSION_DENIED
 * "suspension.issuer" (no such key in force), "suspension.not_yours"; RC_UNAUTHENTICATED
 * "note.signature".
 */
MUST_CHECK enum rc suspension_check(const struct directory *directory, const struct note *note,
                                    struct suspension *suspension, struct fault *fault);
/* Marks the rows that it takes out of force. RC_RESOURCE_EXHAUSTED. */
MUST_CHECK enum rc suspension_apply(const struct suspension *suspension,
                                    struct directory *directory);
/* The network's own text ended it. */
bool suspension_is_lifted(const struct suspension *suspension, const struct directory *directory);

#endif
