#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "client/author.h"
#include "client/profile.h"
#include "client/session.h"
#include "crypto/actsig.h"
#include "crypto/cert.h"
#include "crypto/spiffe.h"
#include "model/lifecycle.h"
#include "sdk/adapter_parts.h"
#include "sdk/disputes.h"

/* How far the ids of a burst may run ahead of the clock; nodes allow five minutes. */
#define AHEAD_MAX_MS (4 * 60 * 1000)

enum rc adapter_load_official(struct adapter *adapter, struct fault *fault)
{
    const struct profile *profile = adapter->config.profile;
    struct spiffe spiffe;

    if (profile->official_key[0] == '\0') {
        return RC_OK;
    }
    TRY(cert_load(profile->official_certificate, &adapter->official_cert, fault));
    TRY(actkey_load(profile->official_key, &adapter->official_key, fault));
    if (spiffe_parse(bytes_text(cert_uri(adapter->official_cert)), &spiffe) != RC_OK ||
        spiffe.kind != SPIFFE_OFFICIAL) {
        return refuse(fault, RC_FAILED_PRECONDITION, "adapter.official",
                      profile->official_certificate,
                      "Ese certificado no es de un funcionario; corrija official_certificate.");
    }
    memcpy(adapter->official, spiffe.name, sizeof spiffe.name);
    return RC_OK;
}

/* ---- drafts ---- */

void adapter_drafts_cut(struct adapter_drafts *drafts, size_t count)
{
    bool is_cut = drafts->count > count;

    while (drafts->count > count) {
        struct buffer *request = &drafts->items[--drafts->count].request;

        if (request->data != NULL) {
            explicit_bzero(request->data, request->size);
        }
        buffer_release(request);
    }
    if (is_cut) {
        idset_release(&drafts->ids);
        for (size_t i = 0; i < drafts->count; i++) {
            if (idset_add(&drafts->ids, &drafts->items[i].id) != RC_OK) {
                return; /* a repetition in this batch goes unseen: the same id is stored twice */
            }
        }
    }
}

void adapter_drafts_release(struct adapter_drafts *drafts)
{
    adapter_drafts_cut(drafts, 0);
    idset_release(&drafts->ids);
    free(drafts->items);
    drafts->items = NULL;
    drafts->room = 0;
}

static struct adapter_draft *draft_add(struct adapter_drafts *drafts)
{
    if (drafts->count == drafts->room) {
        size_t room = drafts->room == 0 ? 64 : drafts->room * 2;
        struct adapter_draft *items = realloc(drafts->items, room * sizeof *items);

        if (items == NULL) {
            return NULL;
        }
        drafts->items = items;
        drafts->room = room;
    }
    memset(&drafts->items[drafts->count], 0, sizeof drafts->items[0]);
    return &drafts->items[drafts->count];
}

/* ---- ids ---- */

/* What may be done again and again is told apart by when; what a dispute reopened, by the dispute.
 */
static struct bytes pause_of(const struct header *header)
{
    bool is_pause = header->event == EVENT_HOLD || header->event == EVENT_RESUME;

    return is_pause ? bytes_text(header->occurred_at) : (struct bytes){0};
}

static struct id round_of(const struct adapter *adapter, const struct header *header)
{
    int64_t occurred_ms = clock_now_ms();

    if (header->type != MESSAGE_ACT || header->event == EVENT_CUSTODY) {
        return (struct id){0};
    }
    if (header->occurred_at[0] != '\0' &&
        clock_parse(bytes_text(header->occurred_at), &occurred_ms) != RC_OK) {
        return (struct id){0}; /* refused when it is composed */
    }
    return disputes_round(adapter->disputes, &header->exchange_id, header->item, occurred_ms);
}

/* What is said has one seed, whoever asks and however often. */
static void seed_of(const struct adapter *adapter, const struct header *header,
                    uint8_t seed[SPOOL_SEED_SIZE])
{
    static const char label[] = "enlace/sdk/said/v1";
    uint8_t numbers[16];
    struct id round = round_of(adapter, header);
    struct bytes parts[] = {
        BYTES_OF(label),
        BYTES_OF(header->exchange_id.bytes),
        BYTES_OF(header->regards.bytes),
        BYTES_OF(numbers),
        BYTES_OF(round.bytes),
        pause_of(header),
    };

    put_u32(numbers, (uint32_t)header->type);
    put_u32(numbers + 4, header->item);
    put_u32(numbers + 8, (uint32_t)header->event);
    put_u32(numbers + 12, header->occurrence);
    spool_seed(adapter->spool, parts, sizeof parts / sizeof parts[0], seed);
}

/* Ascending, so that the outbox's order is the order in which things were said. */
static enum rc next_id_ms(struct adapter *adapter, int64_t *at_ms)
{
    int64_t now_ms = clock_now_ms();

    if (adapter->last_id_ms >= now_ms + AHEAD_MAX_MS) {
        return RC_RESOURCE_EXHAUSTED;
    }
    adapter->last_id_ms = adapter->last_id_ms >= now_ms ? adapter->last_id_ms + 1 : now_ms;
    *at_ms = adapter->last_id_ms;
    return RC_OK;
}

/* ---- composing ---- */

/* Answers go to the other side, by the route that the question named. */
static void address(const struct adapter *adapter, const struct header *to, struct header *header)
{
    const struct profile *profile = adapter->config.profile;

    author_answer(profile, to, header);
    header->from = profile->member;
    header->from_system = profile->system;
}

static enum rc sign_if_needed(const struct adapter *adapter, struct draft *draft,
                              struct fault *fault)
{
    if (draft->header.type != MESSAGE_ACT || !event_is_signed(draft->header.event)) {
        return RC_OK;
    }
    if (adapter->official_key == NULL) {
        return refuse(fault, RC_FAILED_PRECONDITION, "adapter.no_official", "header.act.event",
                      "Ese acto lo firma un funcionario; ponga official_certificate y official_key "
                      "en el perfil.");
    }
    draft->header.on_behalf_of = adapter->official;
    draft->signers[0] = (struct draft_signer){adapter->official_cert, adapter->official_key};
    draft->signer_count = 1;
    return RC_OK;
}

static enum rc compose_draft(struct adapter *adapter, struct draft *draft,
                             const uint8_t seed[SPOOL_SEED_SIZE], struct fault *fault)
{
    struct adapter_draft *room = draft_add(&adapter->drafts);
    struct composed composed = {0};

    if (room == NULL) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "adapter.memory", "", "Falta memoria.");
    }
    TRY(sign_if_needed(adapter, draft, fault));
    TRY(compose(draft, seed, &composed, fault));
    room->id = composed.message_id;
    room->exchange_id = composed.exchange_id;
    room->urgency = draft->header.urgency;
    room->request = composed.request; /* moved */
    adapter->drafts.count++;
    return idset_add(&adapter->drafts.ids, &room->id);
}

enum rc adapter_say(struct adapter *adapter, struct draft *draft,
                    const uint8_t seed[SPOOL_SEED_SIZE], struct id *said, struct fault *fault)
{
    struct id timeless = compose_id(seed, 0);
    const struct id *known = idset_find(&adapter->said, &timeless);
    enum rc rc;

    if (known == NULL) {
        known = idset_find(&adapter->drafts.ids, &timeless);
    }
    if (known != NULL) {
        *said = *known;
        return RC_OK;
    }
    rc = next_id_ms(adapter, &draft->header.created_at_ms);
    if (rc == RC_OK) {
        rc = compose_draft(adapter, draft, seed, fault);
    }
    if (rc != RC_OK) {
        return refuse(fault, rc, "adapter.too_fast", "",
                      "Se dijo demasiado en poco tiempo; se intentará de nuevo.");
    }
    *said = adapter->drafts.items[adapter->drafts.count - 1].id;
    return RC_OK;
}

static enum rc say(struct adapter *adapter, struct draft *draft, struct fault *fault)
{
    uint8_t seed[SPOOL_SEED_SIZE];
    struct id said;
    enum rc rc;

    seed_of(adapter, &draft->header, seed);
    rc = adapter_say(adapter, draft, seed, &said, fault);
    explicit_bzero(seed, sizeof seed);
    return rc;
}

/* Compartments speak of the request's subjects, by the pseudonyms that both sides know, and on the
 * consent that the request named. */
static enum rc enclose(struct draft *draft, const struct header *to,
                       const struct draft_compartment *compartments, size_t count,
                       struct fault *fault)
{
    if (count > MESSAGE_COMPARTMENTS_MAX) {
        return refuse(fault, RC_INVALID_ARGUMENT, "draft.compartment", "compartments",
                      "Son a lo más 16 compartimentos.");
    }
    if (count > 0) {
        memcpy(draft->compartments, compartments, count * sizeof compartments[0]);
        memcpy(draft->header.subjects, to->subjects, sizeof to->subjects);
        draft->header.subject_count = to->subject_count;
        draft->header.consent = to->consent;
        draft->header.consent_reference = to->consent_reference;
    }
    draft->compartment_count = count;
    return RC_OK;
}

static const char *or_empty(const char *text)
{
    return text != NULL ? text : "";
}

enum rc adapter_act(struct adapter *adapter, const struct adapter_act *act, struct fault *fault)
{
    struct draft draft;
    struct header *header = &draft.header;

    draft_init(&draft);
    address(adapter, act->to, header);
    header->type = MESSAGE_ACT;
    header->regards = act->to->message_id;
    header->item = act->item;
    header->event = act->event;
    header->reason = or_empty(act->reason);
    header->competent = or_empty(act->competent);
    header->occurred_at = or_empty(act->occurred_at);
    header->evidence_sha256 = act->evidence_sha256;
    TRY(enclose(&draft, act->to, act->compartments, act->compartment_count, fault));
    return say(adapter, &draft, fault);
}

enum rc adapter_report(struct adapter *adapter, const struct adapter_report *report,
                       struct fault *fault)
{
    struct draft draft;
    struct header *header = &draft.header;

    draft_init(&draft);
    address(adapter, report->to, header);
    header->type = MESSAGE_STATUS_REPORT;
    header->item = report->item;
    header->occurrence = report->occurrence;
    header->action_code = or_empty(report->action_code);
    if (header->action_code[0] != '\0') {
        header->catalogue_code = header->action_code; /* audit records count units by this code */
    }
    header->occurred_at = or_empty(report->occurred_at);
    header->evidence_sha256 = report->evidence_sha256;
    TRY(enclose(&draft, report->to, report->compartments, report->compartment_count, fault));
    return say(adapter, &draft, fault);
}

/*
 * Delivered again although its receipt is here: composed again at the same instant, and so with the
 * same bytes, because custody is neither signed nor sealed.
 */
static enum rc say_custody_again(struct adapter *adapter, struct draft *draft,
                                 const uint8_t seed[SPOOL_SEED_SIZE], const struct id *known)
{
    struct adapter_stream *stream = adapter_stream_for(adapter, draft->header.urgency);
    struct fault fault = {0};

    if (debts_has(&stream->debts, known)) {
        return RC_OK; /* on its way */
    }
    draft->header.created_at_ms = id_instant_ms(known);
    return compose_draft(adapter, draft, seed, &fault);
}

enum rc adapter_say_custody(struct adapter *adapter, const struct message *message)
{
    uint8_t seed[SPOOL_SEED_SIZE];
    const struct id *known;
    struct fault fault = {0};
    struct id timeless;
    struct draft draft;

    draft_init(&draft);
    address(adapter, &message->header, &draft.header);
    draft.header.type = MESSAGE_ACT;
    draft.header.regards = message->header.message_id;
    draft.header.event = EVENT_CUSTODY;
    seed_of(adapter, &draft.header, seed);
    timeless = compose_id(seed, 0);
    known = idset_find(&adapter->said, &timeless);
    if (known != NULL) {
        return say_custody_again(adapter, &draft, seed, known);
    }
    return say(adapter, &draft, &fault);
}
