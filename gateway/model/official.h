/*
 * official - what a named official does at the own member's node (enlace.v1.OfficialAct).
 *
 * The values of the enumerations are the wire's. Texts are borrowed and never NULL.
 */
#ifndef MODEL_OFFICIAL_H
#define MODEL_OFFICIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "model/directory.h"
#include "model/id.h"
#include "model/message.h"

#define OFFICIAL_ACT_MAX ((size_t)1024)
#define OFFICIAL_AWAITING_MAX 256

enum official_kind {
    OFFICIAL_NONE,
    OFFICIAL_APPROVE,
    OFFICIAL_REJECT,
    OFFICIAL_CLOSE_REVIEW,
    OFFICIAL_RATIFY,
    OFFICIAL_WITHDRAW,
    OFFICIAL_EXCLUDE,
    OFFICIAL_INCLUDE,
    OFFICIAL_GIVE_STANDING,
    OFFICIAL_KINDS
};

struct official_act {
    struct id id;
    const char *member;
    enum official_kind kind;
    struct id message_id;
    const char *reason;
    int64_t created_at_ms;
    struct id subject;  /* the person, by the member's own id; of what follows */
    const char *target; /* who is excluded, who gets standing; a consent's reference */
};

struct official_signed {
    struct bytes bytes; /* the serialised act */
    struct official_act act;
    struct signature signature;
    bool has_approval;
    struct signature approval; /* over the message's M */
};

enum awaiting_kind { AWAITING_NONE, AWAITING_APPROVAL, AWAITING_REVIEW, AWAITING_RATIFICATION };

/* What waits for an official: a message for its approval, a broken glass for its review. */
struct awaiting {
    enum awaiting_kind kind;
    struct id message_id;
    struct id exchange_id;
    char to[CODE_SIZE];
    char official[CODE_SIZE];
    enum urgency urgency;
    int64_t since_ms;
    int64_t until_ms;
};

/* Is it about a person? */
bool official_act_is_personal(enum official_kind kind);
/* What its leaf says: "approval.given"; NULL: no such kind. */
const char *official_act_name(enum official_kind kind);

#endif
