#include "reference/roles.h"

#include <string.h>

#include "base/arena.h"
#include "base/log.h"
#include "client/receipt_check.h"
#include "crypto/digest.h"
#include "reference/script.h"

#define ARENA_MAX ((size_t)1 << 20)

/* Stands for a document that a real agency would keep: the same one for the same occurrence. */
static void evidence_of(const struct header *request, uint32_t item, uint32_t occurrence,
                        uint8_t out[DIGEST_SIZE])
{
    static const char label[] = "enlace-reference/evidence/v1";
    uint8_t numbers[8];
    struct bytes parts[] = {BYTES_OF(label), BYTES_OF(request->exchange_id.bytes),
                            BYTES_OF(numbers)};

    put_u32(numbers, item);
    put_u32(numbers + 4, occurrence);
    digest_of(parts, 3, out);
}

static enum rc say(struct adapter *adapter, const struct header *to, uint32_t item,
                   enum event event, struct bytes evidence)
{
    struct adapter_act act = {.to = to, .item = item, .event = event, .evidence_sha256 = evidence};
    struct fault fault = {0};
    enum rc rc = adapter_act(adapter, &act, &fault);

    if (rc != RC_OK) {
        log_error("act.failed", "event=%s reason=%s path=%s", event_name(event), fault.reason,
                  fault.path);
    }
    return rc;
}

/* The institution's own note of it. A second one of the same says nothing new. */
static void write_down(FILE *book, const struct adapter_report *done)
{
    char exchange[ID_TEXT_SIZE];

    if (book != NULL) {
        id_format(&done->to->exchange_id, exchange);
        fprintf(book, "accion\t%s\t%u\t%u\t%.10s\t%s\n", exchange, done->item, done->occurrence,
                done->occurred_at, done->action_code);
        fflush(book);
    }
}

static enum rc report(const struct roles *roles, struct adapter *adapter,
                      const struct header *request, const struct item *item,
                      const struct script_plan *plan)
{
    for (uint32_t n = 1; n <= plan->count; n++) {
        uint8_t evidence[DIGEST_SIZE];
        char occurred_at[SCRIPT_TIME_SIZE];
        struct adapter_report said = {.to = request,
                                      .item = item->number,
                                      .occurrence = n,
                                      .action_code = item->code,
                                      .occurred_at = occurred_at,
                                      .evidence_sha256 = BYTES_OF(evidence)};
        struct fault fault = {0};

        evidence_of(request, item->number, n, evidence);
        script_occurred_at(plan, &request->exchange_id, item->number, n, occurred_at);
        write_down(roles->book, &said);
        TRY(adapter_report(adapter, &said, &fault));
    }
    return RC_OK;
}

/* In force on this evidence (NULL: the item's own), and its occurrences. */
static enum rc fulfil(const struct roles *roles, struct adapter *adapter,
                      const struct header *request, const struct item *item,
                      const struct script_plan *plan, const uint8_t *cited)
{
    uint8_t own[DIGEST_SIZE];

    evidence_of(request, item->number, 0, own);
    TRY(say(adapter, request, item->number, EVENT_IN_FORCE,
            BYTES(cited != NULL ? cited : own, DIGEST_SIZE)));
    return report(roles, adapter, request, item, plan);
}

static enum rc execute(const struct roles *roles, struct adapter *adapter,
                       const struct header *request)
{
    bool is_waiting = false;

    for (size_t i = 0; i < request->item_count; i++) {
        TRY(say(adapter, request, request->items[i].number, EVENT_ACCEPT, (struct bytes){0}));
    }
    for (size_t i = 0; i < request->item_count; i++) {
        struct script_plan plan;

        script_plan(roles->script, request, &request->items[i], &plan);
        if (plan.is_child) {
            is_waiting = true;
            continue;
        }
        TRY(fulfil(roles, adapter, request, &request->items[i], &plan, NULL));
    }
    return is_waiting ? RC_OK : say(adapter, request, 0, EVENT_END, (struct bytes){0});
}

/* A child of ours is in force: so is what it was asked for. Its parent may still be on its way. */
static enum rc raise_parent(const struct roles *roles, struct adapter *adapter,
                            const struct message *act)
{
    OWN_PTR(arena) arena = arena_new(ARENA_MAX);
    struct message *parent = arena != NULL ? arena_alloc(arena, sizeof *parent) : NULL;
    uint8_t cited[HASH_SIZE];

    if (parent == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    if (adapter_exchange(adapter, &act->header.parent_exchange_id, arena, parent) != RC_OK) {
        return RC_FAILED_PRECONDITION;
    }
    TRY(receipt_commitment(act, cited));
    for (size_t i = 0; i < parent->header.item_count; i++) {
        const struct item *item = &parent->header.items[i];
        struct script_plan plan;

        script_plan(roles->script, &parent->header, item, &plan);
        if (plan.is_child) {
            TRY(fulfil(roles, adapter, &parent->header, item, &plan, cited));
        }
    }
    return say(adapter, &parent->header, 0, EVENT_END, (struct bytes){0});
}

static enum rc take_act(const struct roles *roles, struct adapter *adapter,
                        const struct message *message)
{
    const struct header *act = &message->header;

    if (act->event == EVENT_CLOSE) {
        adapter_forget(adapter, &act->exchange_id);
    }
    if (act->event == EVENT_IN_FORCE && roles->script != NULL &&
        !id_is_zero(&act->parent_exchange_id)) {
        TRY(raise_parent(roles, adapter, message));
    }
    if (act->event == EVENT_END && roles->is_requester) {
        return say(adapter, act, act->item, EVENT_CLOSE, (struct bytes){0});
    }
    return RC_OK;
}

static enum rc on_message(struct adapter_user *user, struct adapter *adapter,
                          const struct message *message)
{
    const struct roles *roles = (const struct roles *)user;

    switch (message->header.type) {
    case MESSAGE_REFERRAL:
    case MESSAGE_MEASURE_REQUEST:
    case MESSAGE_SUPPORT_REQUEST:
        return roles->script != NULL ? execute(roles, adapter, &message->header) : RC_OK;
    case MESSAGE_ACT:
        return take_act(roles, adapter, message);
    default:
        return RC_OK; /* custody or acknowledgement is all it takes; the ledger counts it */
    }
}

void roles_init(struct roles *roles, const struct script *script, bool is_requester, FILE *book)
{
    memset(roles, 0, sizeof *roles);
    roles->user.on_message = on_message;
    roles->script = script;
    roles->is_requester = is_requester;
    roles->book = book;
}
