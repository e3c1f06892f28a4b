/*
 * pgj - a prosecutor's office over HTTPS with XML of our own schema (pgj.xsd). Internal to the
 * adapter.
 *
 *     POST <url>/requests            Request -> Acknowledgement (200, 201; 409 when it has it
 * already) GET  <url>/statuses?since=N    StatusList: what the office did, and whom it refers
 *
 *     pgj_out.c   a message as a Request; the office's Acknowledgement is custody
 *     pgj_in.c    a StatusList applied; its position is kept when all of it is durable
 *
 * Write-mostly: nothing can be asked for by person, and of a file only its number comes back, as
 * opaque text of at most 64 characters, in the compartment "legal" of the answer.
 */
#ifndef PGJ_PGJ_H
#define PGJ_PGJ_H

#include "sdk/book.h"
#include "sdk/poller.h"
#include "sdk/program.h"
#include "sdk/xml.h"

#define PGJ_NAMESPACE "urn:enlace:procuracion:1"
#define PGJ_CONTENT_TYPE "application/xml"

struct pgj_settings {
    struct program_settings common; /* first */
    char schema[CONF_TEXT_SIZE];
    int64_t poll_ms;
    int64_t poll_max_ms;
};

struct pgj {
    struct adapter_user user;      /* first */
    struct handover_user handover; /* pgj_of_handover */
    struct poller_user poll;       /* pgj_of_poll */
    struct pgj_settings settings;
    const struct program_context *context;
    /* A schema and a connection for each thread: two lanes and the poller. */
    struct xml_schema *schemas[3];
    struct https *lines[3];
    struct book *position; /* "next" -> a number */
    struct poller *poller;
};

enum pgj_lane { PGJ_URGENT, PGJ_ORDINARY, PGJ_POLL };

extern const char *const pgj_settings_words[];
extern const char *const pgj_tables[];

/* pgj_out.c; on a lane's thread. */
MUST_CHECK enum rc pgj_hand(struct handover_user *user, const struct message *message,
                            struct arena *arena, struct handover_answer *answer);
/* pgj_in.c; on the poller's thread. */
MUST_CHECK enum rc pgj_poll(struct poller_user *user);
/* A StatusList of the office, said on the adapter's thread; `refused` rows are logged, and the list
 * set aside for a person. */
MUST_CHECK enum rc pgj_apply(struct pgj *pgj, struct adapter *adapter, const struct xml *list,
                             struct bytes text, size_t *refused);

#endif
