/*
 * sedesa - a health secretariat's hospital over HL7 FHIR R4. Internal to the adapter.
 *
 *     GET  <url>/metadata       once: it must be FHIR 4.0
 *     POST <url>                a transaction Bundle for each message; its answer is custody
 *     GET  <url>/Task?...       how what was asked goes
 *     GET  <url>/ServiceRequest?...  whom the hospital refers
 *
 *     sedesa_bundle.c  a message as a Bundle: pure, by the mapping
 *     sedesa_out.c     handing it over; what the answer means
 *     sedesa_task.c    a Task read, as steps of an item's life: pure
 *     sedesa_in.c      polling: Tasks and referrals, page by page, said and remembered
 *
 * Nothing is created twice: whatever we send carries an identifier of ours and is created only if
 * none has it (ifNoneExist), or put at it.
 */
#ifndef SEDESA_SEDESA_H
#define SEDESA_SEDESA_H

#include <stdatomic.h>

#include "model/lifecycle.h"
#include "sdk/book.h"
#include "sdk/poller.h"
#include "sdk/program.h"
#include "sdk/refer.h"
#include "sedesa/fhir.h"

#define SEDESA_KEY_SIZE 48 /* "<exchange>/<item>" */
#define SEDESA_STEPS_MAX 8
#define SEDESA_REPORTS_MAX 400

enum sedesa_line { SEDESA_URGENT, SEDESA_ORDINARY, SEDESA_POLL, SEDESA_LINES };

struct sedesa_settings {
    struct program_settings common; /* first */
    int64_t poll_ms;
    int64_t poll_max_ms;
};

struct sedesa {
    struct adapter_user user;      /* first */
    struct handover_user handover; /* sedesa_of_handover */
    struct poller_user poll;       /* sedesa_of_poll */
    struct sedesa_settings settings;
    const struct program_context *context;
    struct https *lines[SEDESA_LINES]; /* one for each thread */
    bool is_known[SEDESA_LINES];       /* its version was looked at, by this line */
    struct book *position;             /* "tasks", "referrals" -> an instant of theirs */
    struct book *tasks;                /* "<exchange>/<item>" -> "<their version> <state>" */
    struct book *referred;             /* exchange that they opened -> "ServiceRequest/77" */
    struct poller *poller;
};

extern const char *const sedesa_settings_words[];
extern const char *const sedesa_in_words[];
extern const char *const sedesa_tables[];

/* ---- sedesa_bundle.c ---- */

/*
 * The Bundle that says this message. `referred` is their ServiceRequest when they opened the
 * exchange, or "". Refuses "fhir.field_without_place": a field of the message that no row of
 * [salida] takes, so that nothing is lost in silence; "fhir.path": a row that is no path.
 */
MUST_CHECK enum rc sedesa_bundle(const struct mapping *mapping, const struct reading *reading,
                                 const char *referred, struct json_t **bundle, struct fault *fault);

/* ---- sedesa_task.c ---- */

struct sedesa_step {
    bool is_report;
    enum event event;
    uint32_t occurrence;
    const char *occurred_at; /* borrowed from the Task */
};

/* What a Task says beyond the state in which we knew its item. */
struct sedesa_steps {
    char key[SEDESA_KEY_SIZE];
    char exchange[40];
    uint32_t item;
    const char *version; /* borrowed from the Task; another one when anything changed */
    enum state state;    /* after all steps */
    struct sedesa_step steps[SEDESA_STEPS_MAX + SEDESA_REPORTS_MAX];
    size_t count;
    const char *reason; /* "" or a coded one; borrowed from the mapping */
    struct field_value values[8];
    size_t value_count; /* reply fields, from its outputs */
    uint8_t evidence[HASH_SIZE];
};

/* Its key and version alone. Refuses "task.identifier", "task.version". */
MUST_CHECK enum rc sedesa_task_name(const struct mapping *mapping, const struct json_t *task,
                                    struct sedesa_steps *steps, struct fault *fault);
/*
 * All of it; after sedesa_task_name. Refuses "task.status" (none that we know, or one that the
 * business status contradicts), "task.order" (no way from the state known), "task.outputs",
 * "task.time".
 */
MUST_CHECK enum rc sedesa_task_steps(const struct mapping *mapping, const struct json_t *task,
                                     enum state known, struct sedesa_steps *steps,
                                     struct fault *fault);

/* ---- sedesa_out.c ---- */

/* On a lane's thread. */
MUST_CHECK enum rc sedesa_hand(struct handover_user *user, const struct message *message,
                               struct arena *arena, struct handover_answer *answer);
/* Once per line, and again after anything went wrong with it. */
MUST_CHECK enum rc sedesa_know(struct sedesa *sedesa, enum sedesa_line line, struct fault *fault);
/* A search: a Bundle of type searchset. */
MUST_CHECK enum rc sedesa_get(struct sedesa *sedesa, enum sedesa_line line, const char *path,
                              const char *type, struct json_t **resource, struct fault *fault);

/* ---- sedesa_in.c; on the poller's thread ---- */

MUST_CHECK enum rc sedesa_poll(struct poller_user *user);

#endif
