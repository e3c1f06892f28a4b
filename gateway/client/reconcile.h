/*
 * reconcile - does what a system keeps agree with what its node's log holds of it?
 *
 * Kept: receipts, outbox, inbox and rejected of the profile's spool, its adapter's and its people's
 * (spool, spool/adapter, spool/enlace), and the adapter's handled.log. The log: every record of the
 * system's own member, read through service Audit under the purpose "conciliacion" and proven where
 * it is read (client/audit_find); a record that was given up is asked for by its receipts instead.
 *
 *     missing here   the log says that this system sent it, or that it was delivered to it, and the
 *                    spool knows nothing of it
 *     missing there  the spool has its receipt, or dealt with it, and the log does not hold it
 *     differs        the receipt kept is damaged, or is another message's than the log's
 *
 * What is on its way is no difference. It changes nothing: who holds the spool heals
 * (sdk/reconciler). Reads files that their owner may write meanwhile. Blocking; any thread.
 */
#ifndef CLIENT_RECONCILE_H
#define CLIENT_RECONCILE_H

#include "model/message.h"

struct session;

enum reconcile_kind { RECONCILE_MISSING_HERE, RECONCILE_MISSING_THERE, RECONCILE_DIFFERS };

struct reconcile_difference {
    enum reconcile_kind kind;
    bool is_sent; /* else received */
    struct id id;
    enum message_type type;    /* MESSAGE_NONE: the log does not hold it */
    uint64_t leaf;             /* UINT64_MAX: likewise */
    const uint8_t *commitment; /* M, the log's; NULL: likewise */
    const char *why;           /* "receipt.signature", "message.commitment"; "" otherwise */
};

/* Place first in the object that is told. */
struct reconcile_user {
    void (*differs)(struct reconcile_user *user, const struct reconcile_difference *difference);
};

struct reconcile_figures {
    char origin[256];
    uint64_t size; /* leaves that were looked at */
    uint64_t sent; /* by this system, in the log */
    uint64_t received;
    uint64_t kept;      /* receipts and messages dealt with, in the spool */
    uint64_t waiting;   /* on their way */
    uint64_t elsewhere; /* for any of the member's systems, and not here: another one may have it */
    uint64_t missing_here;
    uint64_t missing_there;
    uint64_t differing;
};

/*
 * RC_FAILED_PRECONDITION "profile.*": the profile has no spool, no system or no log key;
 * RC_DATA_LOSS "audit.*": the node shows what it cannot prove.
 */
MUST_CHECK enum rc reconcile_run(struct session *session, struct reconcile_user *user,
                                 struct reconcile_figures *figures, struct fault *fault);
/* "falta aquí", "falta allá", "distinto" */
const char *reconcile_text(enum reconcile_kind kind);

#endif
