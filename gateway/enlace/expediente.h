/*
 * expediente - the evidence of one exchange as a folder for a court (offline/evidence_folder.h says
 * what is in it), made from a node's answers, each of which was verified first.
 */
#ifndef ENLACE_EXPEDIENTE_H
#define ENLACE_EXPEDIENTE_H

#include "client/petition.h"
#include "model/record.h"
#include "tlog/checkpoint.h"
#include "tlog/leaf.h"

struct arena;
struct cli;
struct report;

/* A record of the exchange; what it points to lives in the arena of who read it. */
struct expediente_row {
    struct leaf leaf;
    struct record record;
};

struct expediente_options {
    struct petition petition;
    const char *folder; /* made; must not exist */
    const char *law;    /* signed texts of the directory to include; NULL: none */
};

/* Reads, verifies, writes, signs with the profile's key. Where the profile has a policy, waits up
 * to 20 s for a checkpoint with a quorum that covers all. */
int expediente_make(struct cli *cli, const struct expediente_options *options);
/* Adds the answer of an RFC 3161 authority, once it verifies. */
int expediente_stamp(const struct cli *cli, const char *folder, const char *answer,
                     const char *tsa);

/* hechos.json of these rows. NULL when out of memory. */
char *expediente_facts(const struct expediente_row *rows, size_t count);
/* verify_caller.bundle_facts: "evidence.facts" when hechos.json does not say what the records say.
 */
void expediente_check_facts(const char *folder, struct report *report);

/* expediente_pdf.c: for people. */
MUST_CHECK enum rc expediente_pdf(const struct expediente_row *rows, size_t count,
                                  const struct checkpoint *seal, struct buffer *pdf,
                                  struct fault *fault);

#endif
