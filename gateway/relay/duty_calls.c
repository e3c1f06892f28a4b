#include "relay/duty_calls.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "crypto/actsig.h"
#include "crypto/cert.h"
#include "policy/member.h"
#include "relay/clock_doubt.h"
#include "relay/duty_step.h"
#include "relay/entry.h"
#include "relay/inforce.h"
#include "relay/node.h"
#include "relay/waker.h"
#include "relay/who.h"
#include "rpc/call.h"
#include "rpc/codec_duty.h"
#include "store/db.h"
#include "store/dutycall.h"
#include "store/urgencybook.h"
#include "store/writer.h"
#include "tlog/commit.h"

#define ANSWER_AGE_MAX_MS ((int64_t)24 * 3600 * 1000)
#define ANSWER_AHEAD_MAX_MS ((int64_t)5 * 60 * 1000)

static void show(const struct node *node, const struct dutycall *call, struct duty_shown *shown)
{
    shown->call = *call;
    dutycall_name(DUTYCALL_REFERENCE, node->self->origin, call, &shown->reference);
}

static enum rc unavailable(struct fault *fault)
{
    return refuse(fault, RC_UNAVAILABLE, "node.unavailable", "",
                  "El nodo no pudo leer o guardar; reintente.");
}

/* ---- lists ---- */

/* The member's, by number: rows stand by kind, so they are put in order here. */
static enum rc list_calls(const struct node *node, struct txn *txn, const char *member,
                          const struct duty_list_request *request, struct duty_list *list)
{
    struct dutycall call;
    enum rc rc = dutycall_next(txn, request->is_over, NULL, &call);

    while (rc == RC_OK) {
        struct dutycall_key after = call.key;
        size_t at = list->call_count;

        if (strcmp(call.key.member, member) == 0 && call.number > request->after_number) {
            while (at > 0 && list->calls[at - 1].call.number > call.number) {
                at--;
            }
            if (at < DUTY_PAGE_MAX) {
                size_t last =
                    list->call_count < DUTY_PAGE_MAX ? list->call_count++ : DUTY_PAGE_MAX - 1;

                memmove(&list->calls[at + 1], &list->calls[at],
                        (last - at) * sizeof list->calls[0]);
                show(node, &call, &list->calls[at]);
            }
        }
        rc = dutycall_next(txn, request->is_over, &after, &call);
    }
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

static enum rc list_days(struct txn *txn, const char *member, int32_t today, struct duty_list *list)
{
    int32_t from = today - DUTY_DAYS_MAX + 1;

    while (list->day_count < DUTY_DAYS_MAX) {
        enum rc rc = urgencybook_from(txn, member, from, &list->days[list->day_count]);

        if (rc != RC_OK) {
            return rc == RC_NOT_FOUND ? RC_OK : rc;
        }
        from = list->days[list->day_count++].day + 1;
    }
    return RC_OK;
}

static enum rc list(const struct node *node, struct call *call, struct buffer *response,
                    struct fault *fault)
{
    struct duty_list *found = arena_alloc(call_arena(call), sizeof *found);
    struct duty_list_request request;
    struct identity caller;
    OWN_READ(txn) = NULL;

    TRY(who_is_member(node, call_peer(call), &caller, fault));
    TRY(codec_duty_list_request_read(call_request(call), call_arena(call), &request, fault));
    if (found == NULL || (found->calls = arena_alloc(
                              call_arena(call), DUTY_PAGE_MAX * sizeof *found->calls)) == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(txn_read(node->db, &txn));
    TRY(list_calls(node, txn, caller.member, &request, found));
    TRY(list_days(txn, caller.member, clock_day(clock_doubt_now_ms(node)), found));
    codec_duty_list_write(found, response);
    return response->is_failed ? RC_RESOURCE_EXHAUSTED : RC_OK;
}

void duty_calls_on_list(struct rpc_service *service, struct call *call)
{
    OWN(buffer) response = {0};
    struct fault fault = {0};

    if (list((struct node *)service, call, &response, &fault) == RC_OK) {
        call_reply(call, buffer_bytes(&response));
        return;
    }
    if (fault.rc == RC_OK) {
        (void)unavailable(&fault);
    }
    call_refuse(call, &fault);
}

/* ---- answers ---- */

struct answer_job {
    struct write write; /* first: the writer's */
    struct node *node;
    struct call *call;
    struct identity caller;
    char official[DUTYCALL_URI_SIZE];
    struct duty_answer_signed answer;
    uint8_t digest[DIGEST_SIZE];
    struct dutycall duty; /* as it stands */
    struct fault fault;
};

/* By the certificate in the roster of the member; it need not be the one who was told. */
static enum rc check_signature(struct answer_job *job)
{
    OWN_EDITION(edition) = inforce_take(job->node->inforce);
    const struct signature *signature = &job->answer.signature;
    const struct identity *official = NULL;
    OWN_PTR(cert) cert = NULL;
    int64_t now_ms = clock_now_ms();

    if (cert_from_der(signature->certificate, &cert, NULL) != RC_OK ||
        identity_authenticate(edition->directory, cert_uri(cert), cert_fingerprint(cert),
                              clock_local_day(now_ms), &official, NULL) != RC_OK ||
        !official->has_fingerprint || official->kind != IDENTITY_OFFICIAL ||
        strcmp(official->member, job->caller.member) != 0) {
        return refuse(&job->fault, RC_PERMISSION_DENIED, "signature.not_official",
                      "signature.certificate",
                      "Contesta, con su propia firma, una persona servidora pública vigente de la "
                      "institución.");
    }
    commit_duty(job->answer.bytes, job->digest);
    if (cert_verify_chain(cert, job->node->ca, now_ms, NULL) != RC_OK ||
        actsig_verify(cert, job->digest, signature->signature) != RC_OK) {
        return refuse(&job->fault, RC_PERMISSION_DENIED, "signature.invalid", "signature",
                      "La firma no es de esta respuesta, o su certificado no está vigente.");
    }
    snprintf(job->official, sizeof job->official, "%s", official->uri);
    return RC_OK;
}

static enum rc prepare(struct answer_job *job)
{
    const struct duty_answer *answer = &job->answer.answer;
    int64_t now_ms = clock_doubt_now_ms(job->node);

    TRY(who_is_member(job->node, call_peer(job->call), &job->caller, &job->fault));
    TRY(codec_duty_signed_read(call_request(job->call), call_arena(job->call), &job->answer,
                               &job->fault));
    if (strcmp(answer->member, job->caller.member) != 0) {
        return refuse(&job->fault, RC_NOT_FOUND, "duty.unknown", "answer.member",
                      "No hay un aviso suyo con ese número; vea «enlace duty list».");
    }
    if (answer->created_at_ms < now_ms - ANSWER_AGE_MAX_MS ||
        answer->created_at_ms > now_ms + ANSWER_AHEAD_MAX_MS) {
        return refuse(&job->fault, RC_FAILED_PRECONDITION, "duty.age", "answer.created_at_ms",
                      "La respuesta tiene más de un día, o su fecha está adelantada: firme otra.");
    }
    return check_signature(job);
}

static enum rc check_outcome(struct answer_job *job)
{
    bool is_review = job->duty.key.kind == DUTYCALL_REVIEW;
    bool is_attended = job->answer.answer.outcome == DUTY_ATTENDED;

    return is_review != is_attended
               ? RC_OK
               : refuse(&job->fault, RC_FAILED_PRECONDITION, "duty.outcome", "answer.outcome",
                        "Una revisión se cierra con «enlace duty review» (justificado o indebido); "
                        "lo demás, con «enlace duty ack».");
}

static enum rc find(struct answer_job *job, struct txn *txn)
{
    struct duty_shown shown;
    enum rc rc = dutycall_find(txn, job->answer.answer.number, &job->duty);

    if (rc == RC_NOT_FOUND ||
        (rc == RC_OK && strcmp(job->duty.key.member, job->caller.member) != 0)) {
        return refuse(&job->fault, RC_NOT_FOUND, "duty.unknown", "answer.number",
                      "No hay un aviso suyo con ese número; vea «enlace duty list».");
    }
    TRY(rc);
    show(job->node, &job->duty, &shown);
    if (!id_equal(&shown.reference, &job->answer.answer.reference)) {
        return refuse(&job->fault, RC_FAILED_PRECONDITION, "duty.reference", "answer.reference",
                      "El número es de otro aviso que el que se firmó; vea «enlace duty list».");
    }
    return RC_OK;
}

static enum rc put_leaf(const struct answer_job *job, struct txn *txn)
{
    static const char *const reasons[DUTY_OUTCOMES] = {"", "duty.answered", "duty.justified",
                                                       "duty.misuse"};
    uint8_t sha256[HASH_SIZE];
    struct record record;
    uint64_t index;

    inforce_digest(job->node->inforce, sha256);
    duty_step_record(job->node, &job->duty, reasons[job->answer.answer.outcome], &record);
    record.actor = job->caller.uri;
    record.official = job->official;
    record.message_commitment = BYTES_OF(job->digest);
    record.directory_sha256 = BYTES_OF(sha256);
    return entry_put_record(job->node, txn, &record, &index);
}

static enum rc count_misuse(const struct answer_job *job, struct txn *txn)
{
    struct urgency_day day;

    TRY(urgencybook_get(txn, job->duty.key.member, clock_day(job->duty.made_at_ms), &day));
    day.misused++;
    return urgencybook_put(txn, job->duty.key.member, &day);
}

static enum rc apply_answer(struct write *write, struct txn *txn)
{
    struct answer_job *job = (struct answer_job *)write;

    TRY(find(job, txn));
    if (job->duty.state == DUTYCALL_ANSWERED && strcmp(job->duty.actor, job->official) == 0) {
        return RC_OK; /* the same again */
    }
    if (dutycall_is_over(job->duty.state)) {
        return refuse(&job->fault, RC_FAILED_PRECONDITION, "duty.over", "answer.number",
                      "Ese aviso ya no está abierto: alguien respondió antes o su causa "
                      "desapareció.");
    }
    TRY(check_outcome(job));
    job->duty.state = DUTYCALL_ANSWERED;
    job->duty.over_at_ms = clock_doubt_now_ms(job->node);
    job->duty.is_misuse = job->answer.answer.outcome == DUTY_MISUSE;
    memcpy(job->duty.actor, job->official, sizeof job->official);
    TRY(dutycall_update(txn, &job->duty));
    TRY(urgencybook_keep_answer(txn, &job->answer));
    if (job->duty.is_misuse) {
        TRY(count_misuse(job, txn));
    }
    return put_leaf(job, txn);
}

static void forget_answer(struct write *write)
{
    ((struct answer_job *)write)->fault = (struct fault){0};
}

static void reply(struct call *call)
{
    struct answer_job *job = (struct answer_job *)call_state(call);
    OWN(buffer) response = {0};
    struct duty_shown shown;

    commit_point_release(job->write.point);
    if (job->write.rc != RC_OK) {
        (void)unavailable(&job->fault);
        call_refuse(call, &job->fault);
        return;
    }
    log_info("duty.answered", "duty=%llu official=%s", (unsigned long long)job->duty.number,
             job->official);
    waker_poke(job->node->waker);
    show(job->node, &job->duty, &shown);
    codec_duty_shown_write(&shown, &response);
    call_reply(call, buffer_bytes(&response));
}

static void answer_done(struct write *write)
{
    call_resume(((struct answer_job *)write)->call, reply);
}

static const struct write_ops answer_ops = {
    .name = "duty", .apply = apply_answer, .again = forget_answer, .done = answer_done};

void duty_calls_on_answer(struct rpc_service *service, struct call *call)
{
    struct answer_job *job = arena_alloc(call_arena(call), sizeof *job);
    struct fault fault = {0};

    if (job == NULL) {
        (void)unavailable(&fault);
        call_refuse(call, &fault);
        return;
    }
    job->node = (struct node *)service;
    job->call = call;
    job->write = (struct write){.ops = &answer_ops, .leaves = 1, .bytes = 8192, .is_urgent = true};
    call_set_state(call, (struct call_state *)job);
    if (prepare(job) == RC_OK && writer_submit(job->node->writer, &job->write) == RC_OK) {
        return;
    }
    if (job->fault.rc == RC_OK) {
        (void)unavailable(&job->fault);
    }
    log_info("duty.refused_answer", "reason=%s", job->fault.reason);
    call_refuse(call, &job->fault);
}
