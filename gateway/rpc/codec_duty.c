#include "rpc/codec_duty.h"

#include <stdio.h>

#include "base/arena.h"
#include "rpc/codec_pb.h"

_Static_assert((int)DUTYCALL_RELAYED == (int)ENLACE__V1__DUTY_KIND__DUTY_KIND_RELAYED, "kinds");
_Static_assert((int)DUTYCALL_ENDED == (int)ENLACE__V1__DUTY_STATE__DUTY_STATE_ENDED, "states");
_Static_assert((int)DUTY_MISUSE == (int)ENLACE__V1__DUTY_OUTCOME__DUTY_OUTCOME_MISUSE, "outcomes");

/* ---- calls ---- */

static void call_fill(Enlace__V1__DutyCall *to, const struct duty_shown *from)
{
    const struct dutycall *call = &from->call;

    enlace__v1__duty_call__init(to);
    to->number = call->number;
    to->reference = pb_id_data(&from->reference);
    to->kind = (Enlace__V1__DutyKind)call->key.kind;
    to->state = (Enlace__V1__DutyState)call->state;
    to->exchange_id = pb_id_data(&call->key.exchange);
    to->item = call->key.item;
    to->clock = pb_text(call->key.clock);
    to->percent = call->key.percent;
    to->urgency = (Enlace__V1__Urgency)call->urgency;
    to->due_at_ms = call->due_ms;
    to->made_at_ms = call->made_at_ms;
    to->told = call->told;
    to->told_at_ms = call->told_at_ms;
    to->actor = pb_text(call->actor);
    to->moved_to = pb_text(call->moved_to);
    to->over_at_ms = call->over_at_ms;
    to->is_misuse = call->is_misuse;
    to->because = pb_text(call->because);
}

/* Texts are no longer than their places: the bounds say so. */
static void call_read(const Enlace__V1__DutyCall *from, struct duty_shown *to)
{
    struct dutycall *call = &to->call;

    *to = (struct duty_shown){.reference = pb_id(from->reference)};
    call->number = from->number;
    call->key.kind = (enum dutycall_kind)from->kind;
    call->key.exchange = pb_id(from->exchange_id);
    call->key.item = from->item;
    call->key.percent = (uint8_t)from->percent;
    snprintf(call->key.clock, sizeof call->key.clock, "%s", from->clock);
    call->state = (enum dutycall_state)from->state;
    call->urgency = (enum urgency)from->urgency;
    call->due_ms = from->due_at_ms;
    call->made_at_ms = from->made_at_ms;
    call->told = from->told;
    call->told_at_ms = from->told_at_ms;
    snprintf(call->actor, sizeof call->actor, "%s", from->actor);
    snprintf(call->moved_to, sizeof call->moved_to, "%s", from->moved_to);
    call->over_at_ms = from->over_at_ms;
    call->is_misuse = from->is_misuse;
    snprintf(call->because, sizeof call->because, "%s", from->because);
}

/* ---- lists ---- */

enum rc codec_duty_list_request_read(struct bytes from, struct arena *arena,
                                     struct duty_list_request *request, struct fault *fault)
{
    ProtobufCMessage *read = NULL;
    const Enlace__V1__ListDutyRequest *wire;

    TRY(pb_read(SHAPE_LIST_DUTY_REQUEST, from, "", arena, &read, fault));
    wire = (const Enlace__V1__ListDutyRequest *)read;
    *request =
        (struct duty_list_request){.is_over = wire->over, .after_number = wire->after_number};
    return RC_OK;
}

void codec_duty_list_request_write(const struct duty_list_request *request, struct buffer *out)
{
    Enlace__V1__ListDutyRequest wire;

    enlace__v1__list_duty_request__init(&wire);
    wire.over = request->is_over;
    wire.after_number = request->after_number;
    pb_write(&wire.base, out);
}

enum rc codec_duty_list_read(struct bytes from, struct arena *arena, struct duty_list *list,
                             struct fault *fault)
{
    ProtobufCMessage *read = NULL;
    const Enlace__V1__ListDutyResponse *wire;
    void *calls = NULL;

    TRY(pb_read(SHAPE_LIST_DUTY_RESPONSE, from, "", arena, &read, fault));
    wire = (const Enlace__V1__ListDutyResponse *)read;
    TRY(pb_alloc(arena, (wire->n_calls + 1) * sizeof *list->calls, &calls, fault));
    list->calls = calls;
    list->call_count = wire->n_calls;
    for (size_t i = 0; i < wire->n_calls; i++) {
        call_read(wire->calls[i], &list->calls[i]);
    }
    list->day_count = wire->n_urgency;
    for (size_t i = 0; i < wire->n_urgency; i++) {
        const Enlace__V1__UrgencyDay *day = wire->urgency[i];

        list->days[i] = (struct urgency_day){.day = (int32_t)day->day,
                                             .messages = day->messages,
                                             .bytes = day->bytes,
                                             .refused = day->refused,
                                             .waived = day->waived,
                                             .misused = day->misused};
    }
    return RC_OK;
}

void codec_duty_list_write(const struct duty_list *list, struct buffer *out)
{
    Enlace__V1__DutyCall calls[DUTY_PAGE_MAX];
    Enlace__V1__DutyCall *call_at[DUTY_PAGE_MAX];
    Enlace__V1__UrgencyDay days[DUTY_DAYS_MAX];
    Enlace__V1__UrgencyDay *day_at[DUTY_DAYS_MAX];
    Enlace__V1__ListDutyResponse wire;

    if (list->call_count > DUTY_PAGE_MAX || list->day_count > DUTY_DAYS_MAX) {
        out->is_failed = true;
        return;
    }
    enlace__v1__list_duty_response__init(&wire);
    for (size_t i = 0; i < list->call_count; i++) {
        call_fill(&calls[i], &list->calls[i]);
        call_at[i] = &calls[i];
    }
    for (size_t i = 0; i < list->day_count; i++) {
        const struct urgency_day *day = &list->days[i];

        enlace__v1__urgency_day__init(&days[i]);
        days[i].day = (uint32_t)day->day;
        days[i].messages = day->messages;
        days[i].bytes = day->bytes;
        days[i].refused = day->refused;
        days[i].waived = day->waived;
        days[i].misused = day->misused;
        day_at[i] = &days[i];
    }
    wire.n_calls = list->call_count;
    wire.calls = call_at;
    wire.n_urgency = list->day_count;
    wire.urgency = day_at;
    pb_write(&wire.base, out);
}

/* ---- answers ---- */

void codec_duty_answer_write(const struct duty_answer *answer, struct buffer *out)
{
    Enlace__V1__DutyAnswer wire;

    enlace__v1__duty_answer__init(&wire);
    wire.member = pb_text(answer->member);
    wire.number = answer->number;
    wire.reference = pb_id_data(&answer->reference);
    wire.outcome = (Enlace__V1__DutyOutcome)answer->outcome;
    wire.created_at_ms = answer->created_at_ms;
    pb_write(&wire.base, out);
}

enum rc codec_duty_signed_read(struct bytes from, struct arena *arena,
                               struct duty_answer_signed *answer, struct fault *fault)
{
    ProtobufCMessage *read = NULL;
    const Enlace__V1__AnswerDutyRequest *outer;
    const Enlace__V1__DutyAnswer *wire;

    TRY(pb_read(SHAPE_ANSWER_DUTY_REQUEST, from, "", arena, &read, fault));
    outer = (const Enlace__V1__AnswerDutyRequest *)read;
    answer->bytes = pb_bytes(outer->answer);
    answer->signature = (struct signature){.certificate = pb_bytes(outer->signature->certificate),
                                           .signature = pb_bytes(outer->signature->signature)};
    TRY(pb_read(SHAPE_DUTY_ANSWER, answer->bytes, "answer", arena, &read, fault));
    wire = (const Enlace__V1__DutyAnswer *)read;
    answer->answer = (struct duty_answer){.member = wire->member,
                                          .number = wire->number,
                                          .reference = pb_id(wire->reference),
                                          .outcome = (enum duty_outcome)wire->outcome,
                                          .created_at_ms = wire->created_at_ms};
    return RC_OK;
}

void codec_duty_signed_write(const struct duty_answer_signed *answer, struct buffer *out)
{
    Enlace__V1__AnswerDutyRequest wire;
    Enlace__V1__Signature signature;

    enlace__v1__signature__init(&signature);
    signature.certificate = pb_data(answer->signature.certificate);
    signature.signature = pb_data(answer->signature.signature);
    enlace__v1__answer_duty_request__init(&wire);
    wire.answer = pb_data(answer->bytes);
    wire.signature = &signature;
    pb_write(&wire.base, out);
}

enum rc codec_duty_shown_read(struct bytes from, struct arena *arena, struct duty_shown *shown,
                              struct fault *fault)
{
    ProtobufCMessage *read = NULL;

    TRY(pb_read(SHAPE_ANSWER_DUTY_RESPONSE, from, "", arena, &read, fault));
    call_read(((const Enlace__V1__AnswerDutyResponse *)read)->call, shown);
    return RC_OK;
}

void codec_duty_shown_write(const struct duty_shown *shown, struct buffer *out)
{
    Enlace__V1__AnswerDutyResponse wire;
    Enlace__V1__DutyCall call;

    call_fill(&call, shown);
    enlace__v1__answer_duty_response__init(&wire);
    wire.call = &call;
    pb_write(&wire.base, out);
}

/* ---- between nodes ---- */

enum rc codec_wake_request_read(struct bytes from, struct arena *arena,
                                struct wake_request *request, struct fault *fault)
{
    ProtobufCMessage *read = NULL;
    const Enlace__V1__WakeDutyRequest *wire;

    TRY(pb_read(SHAPE_WAKE_DUTY_REQUEST, from, "", arena, &read, fault));
    wire = (const Enlace__V1__WakeDutyRequest *)read;
    *request = (struct wake_request){.from = wire->from,
                                     .to = wire->to,
                                     .token = pb_id(wire->token),
                                     .urgency = (enum urgency)wire->urgency,
                                     .due_at_ms = wire->due_at_ms};
    return RC_OK;
}

void codec_wake_request_write(const struct wake_request *request, struct buffer *out)
{
    Enlace__V1__WakeDutyRequest wire;

    enlace__v1__wake_duty_request__init(&wire);
    wire.from = pb_text(request->from);
    wire.to = pb_text(request->to);
    wire.token = pb_id_data(&request->token);
    wire.urgency = (Enlace__V1__Urgency)request->urgency;
    wire.due_at_ms = request->due_at_ms;
    pb_write(&wire.base, out);
}

enum rc codec_wake_answer_read(struct bytes from, struct arena *arena, struct wake_answer *answer,
                               struct fault *fault)
{
    ProtobufCMessage *read = NULL;
    const Enlace__V1__WakeDutyResponse *wire;

    TRY(pb_read(SHAPE_WAKE_DUTY_RESPONSE, from, "", arena, &read, fault));
    wire = (const Enlace__V1__WakeDutyResponse *)read;
    *answer = (struct wake_answer){.actor = wire->actor, .answered_at_ms = wire->answered_at_ms};
    return RC_OK;
}

void codec_wake_answer_write(const struct wake_answer *answer, struct buffer *out)
{
    Enlace__V1__WakeDutyResponse wire;

    enlace__v1__wake_duty_response__init(&wire);
    wire.actor = pb_text(answer->actor);
    wire.answered_at_ms = answer->answered_at_ms;
    pb_write(&wire.base, out);
}
