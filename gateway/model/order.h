/*
 * order - what officials order about what a node keeps: erasure, pruning, legal hold
 * (enlace.v1.Order).
 *
 * The values of the enumerations are the wire's and the disk's. Texts of an order are borrowed and
 * never NULL.
 */
#ifndef MODEL_ORDER_H
#define MODEL_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "model/id.h"
#include "model/message.h"

#define ORDER_IDS_MAX 16
#define ORDER_BYTES_MAX ((size_t)4096)
/* An order waits so long for its signatures, each on its official's own machine. */
#define ORDER_AGE_MAX_MS ((int64_t)30 * 24 * 3600 * 1000)

enum order_kind { ORDER_NONE, ORDER_ERASE, ORDER_HOLD, ORDER_RELEASE, ORDER_PRUNE };

enum order_phase {
    ORDER_NOWHERE,
    ORDER_BLOCKING,
    ORDER_REWRAPPING,
    ORDER_BLOCKED,
    ORDER_ERASING,
    ORDER_ERASED,
    ORDER_HOLDING,
    ORDER_LIFTED,
    ORDER_PHASES
};

/* What an order is about; ids of zeros: not by that. All empty: all of the member's (a hold). */
struct order_target {
    struct id message_id;
    uint32_t part; /* with message_id; 0: the whole message */
    struct id exchange_id;
    struct id subjects[ORDER_IDS_MAX];
    size_t subject_count;
    struct id attachments[ORDER_IDS_MAX];
    size_t attachment_count;
};

struct order {
    struct id id;
    enum order_kind kind;
    const char *member;
    struct order_target target;
    const char *basis;
    const char *reason;
    int64_t created_at_ms;
    struct id lifts;
    uint64_t before_index; /* ORDER_PRUNE: one of both */
    int64_t before_ms;
};

struct order_signed {
    struct bytes bytes; /* the serialised Order */
    struct order order; /* the same, read */
    struct signature signatures[MESSAGE_SIGNATURES_MAX];
    size_t signature_count;
};

struct order_status {
    struct id id;
    enum order_phase phase;
    struct bytes digest; /* D, HASH_SIZE */
    uint32_t entries;
    uint32_t held;
    int64_t due_at_ms;
    uint64_t before_index; /* ORDER_PRUNE */
};

/* "blocked"; NULL when there is no such phase. */
const char *order_phase_name(enum order_phase phase);
/* Two officials sign it; else an auditor. */
bool order_is_officials(enum order_kind kind);

#endif
