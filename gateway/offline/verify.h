/*
 * verify - the offline verifications as a command line: what `enlace verify` and `enlace-verify`
 * share.
 *
 *     log DIR | consistency OLD NEW | receipt FILE | exchange A B | bundle DIR | oficio TEXT
 *
 * Of an exchange, A and B are receipt files; or folders with audit records, where the caller can
 * read those.
 *
 * Returns the exit status: 0 verifies, 1 does not, 2 usage or an unreadable file. The answer goes
 * to standard output, text or JSON; usage errors go to standard error, or to standard output as
 * JSON
 * {"error": ...}.
 */
#ifndef OFFLINE_VERIFY_H
#define OFFLINE_VERIFY_H

#include <stdbool.h>
#include <stddef.h>

#include "tlog/vkey.h"

struct report;
struct trust;

/* What the program knows apart from the arguments. */
struct verify_caller {
    const char *program; /* "enlace-verify", "enlace verify": for texts */
    bool is_json;
    /* Keys of logs that count when neither --vkey nor --policy is given; may be NULL. */
    const struct vkey *logs;
    size_t log_count;
    /* A file that counts when --policy is not given; then its quorum is asked for. May be NULL. */
    const char *policy;
    /* Compares two exports with records; exchange is the text of an id, or NULL. May be NULL. */
    void (*exchange_folders)(const char *a, const char *b, const char *exchange,
                             const struct trust *trust, struct report *report);
    /* Compares what a folder of evidence says its records say with the records. May be NULL. */
    void (*bundle_facts)(const char *folder, struct report *report);
};

/* One line an option: for help. */
extern const char *const verify_help;

/* argv[0] is the kind: "log", "receipt" ... */
int verify_run(const struct verify_caller *caller, int argc, char **argv);

#endif
