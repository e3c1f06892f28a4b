#include "relay/lineage.h"

#include "base/log.h"
#include "relay/chain.h"
#include "relay/node.h"
#include "rpc/codec_service.h"
#include "rpc/stream.h"
#include "store/auditlog.h"
#include "store/db.h"

/* The line may grow between question and answer, and then the next question is nearer to it. */
#define QUESTIONS_MAX 16

void lineage_init(struct lineage *lineage, struct seen *seen)
{
    pthread_mutex_init(&lineage->lock, NULL);
    lineage->seen = seen;
    lineage->first = NULL;
    lineage->last = NULL;
    lineage->rc = RC_OK;
    lineage->is_closed = false;
}

void lineage_release(struct lineage *lineage)
{
    pthread_mutex_destroy(&lineage->lock);
}

/* Takes the steps from the front that are over, with the lock held. */
static struct lineage_step *take_over(struct lineage *lineage)
{
    struct lineage_step *taken = lineage->first;
    struct lineage_step **end = &taken;

    while (*end != NULL && (*end)->state == LINEAGE_OVER) {
        struct lineage_step *step = *end;

        lineage->rc = lineage->rc == RC_OK ? step->rc : lineage->rc;
        step->rc = lineage->rc;
        end = &step->next;
    }
    lineage->first = *end;
    lineage->last = *end != NULL ? lineage->last : NULL;
    *end = NULL;
    return taken;
}

/* The last of them may take the stream along, and the lineage with it. */
static void pass_each(struct lineage_step *step)
{
    while (step != NULL) {
        struct lineage_step *next = step->next;

        step->on_passed(step);
        step = next;
    }
}

/* Only the seen thread ends a step with RC_OK, so what passes stays in order. */
static void end(struct lineage_step *step, enum rc rc)
{
    struct lineage *lineage = step->lineage;
    struct lineage_step *over;

    pthread_mutex_lock(&lineage->lock);
    step->state = LINEAGE_OVER;
    step->rc = rc;
    over = take_over(lineage);
    pthread_mutex_unlock(&lineage->lock);
    pass_each(over);
}

static void on_seen(struct seen_write *seen)
{
    struct lineage_step *step = (struct lineage_step *)seen;

    if (seen->rc != RC_ABORTED) {
        end(step, seen->rc);
        return;
    }
    pthread_mutex_lock(&step->lineage->lock);
    step->state = LINEAGE_DOUBTED;
    pthread_mutex_unlock(&step->lineage->lock);
    step->on_doubt(step);
}

static void look(struct lineage_step *step)
{
    enum rc rc = seen_submit(step->lineage->seen, &step->seen);

    if (rc != RC_OK) {
        end(step, rc);
    }
}

void lineage_enter(struct lineage *lineage, struct lineage_step *step,
                   const struct checkpoint *proven, struct bytes note)
{
    step->lineage = lineage;
    step->next = NULL;
    step->state = LINEAGE_LOOKING;
    step->seen.checkpoint = &step->checkpoint;
    step->seen.note = note;
    step->seen.proven = seen_point_of(proven);
    step->seen.done = on_seen;
    pthread_mutex_lock(&lineage->lock);
    if (lineage->last != NULL) {
        lineage->last->next = step;
    } else {
        lineage->first = step;
    }
    lineage->last = step;
    pthread_mutex_unlock(&lineage->lock);
    look(step);
}

bool lineage_is_doubted(const struct lineage_step *step)
{
    return step->state == LINEAGE_DOUBTED;
}

static struct line question_of(const struct lineage_step *step)
{
    uint64_t ours = step->seen.last.size;
    uint64_t theirs = step->checkpoint.size;

    return (struct line){.old_size = ours < theirs ? ours : theirs,
                         .new_size = ours < theirs ? theirs : ours};
}

void lineage_ask(struct lineage_step *step, struct stream *stream, bool is_request)
{
    struct lineage *lineage = step->lineage;
    struct line question = question_of(step);
    OWN(buffer) bytes = {0};
    enum rc rc = RC_ABORTED;

    codec_question_write(&question, is_request, &bytes);
    if (stream != NULL && !lineage->is_closed && step->asked++ < QUESTIONS_MAX) {
        pthread_mutex_lock(&lineage->lock);
        step->state = LINEAGE_ASKED;
        pthread_mutex_unlock(&lineage->lock);
        log_debug("lineage.asked", "origin=%s old=%llu new=%llu", step->checkpoint.origin,
                  (unsigned long long)question.old_size, (unsigned long long)question.new_size);
        rc = stream_send(stream, buffer_bytes(&bytes));
    }
    if (rc != RC_OK) {
        end(step, rc);
    }
}

static bool is_answer(const struct lineage_step *step, const struct line *proof)
{
    struct line question = question_of(step);

    return question.old_size == proof->old_size && question.new_size == proof->new_size;
}

static struct lineage_step *find_asked(struct lineage *lineage, const struct line *proof)
{
    struct lineage_step *step;

    pthread_mutex_lock(&lineage->lock);
    for (step = lineage->first; step != NULL; step = step->next) {
        if (step->state == LINEAGE_ASKED && is_answer(step, proof)) {
            break;
        }
    }
    pthread_mutex_unlock(&lineage->lock);
    return step;
}

static enum rc check_proof(const struct lineage_step *step, const struct line *line)
{
    const struct seen_point *last = &step->seen.last;
    const struct checkpoint *now = &step->checkpoint;
    struct proof proof;

    if (chain_proof(&line->consistency, &proof) != RC_OK) {
        return RC_DATA_LOSS;
    }
    return last->size < now->size
               ? proof_check_consistency(last->size, last->root, now->size, now->root, &proof)
               : proof_check_consistency(now->size, now->root, last->size, last->root, &proof);
}

enum rc lineage_answer(struct lineage *lineage, const struct line *proof)
{
    struct lineage_step *step = find_asked(lineage, proof);

    if (step == NULL) {
        return RC_INVALID_ARGUMENT;
    }
    if (check_proof(step, proof) != RC_OK) {
        seen_report_fork(&step->seen);
        end(step, RC_DATA_LOSS);
        return RC_OK;
    }
    step->seen.proven = step->seen.last;
    pthread_mutex_lock(&lineage->lock);
    step->state = LINEAGE_LOOKING;
    pthread_mutex_unlock(&lineage->lock);
    look(step);
    return RC_OK;
}

bool lineage_is_asking(struct lineage *lineage)
{
    bool is_asking = false;

    pthread_mutex_lock(&lineage->lock);
    for (struct lineage_step *step = lineage->first; step != NULL; step = step->next) {
        is_asking = is_asking || step->state == LINEAGE_ASKED;
    }
    pthread_mutex_unlock(&lineage->lock);
    return is_asking;
}

void lineage_close(struct lineage *lineage)
{
    struct lineage_step *over;

    pthread_mutex_lock(&lineage->lock);
    lineage->is_closed = true;
    for (struct lineage_step *step = lineage->first; step != NULL; step = step->next) {
        if (step->state == LINEAGE_ASKED) {
            step->state = LINEAGE_OVER;
            step->rc = RC_CANCELLED;
        }
    }
    over = take_over(lineage);
    pthread_mutex_unlock(&lineage->lock);
    pass_each(over);
}

/* ---- the other side ---- */

static enum rc prove(const struct node *node, struct line *line, struct proof *proof)
{
    OWN_PTR(auditlog_reader) reader = auditlog_reader_new();
    OWN_READ(txn) = NULL;

    if (reader == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(txn_read(node->db, &txn));
    TRY(auditlog_consistency(reader, txn, line->old_size, line->new_size, proof));
    line->consistency.count = proof->count;
    for (size_t i = 0; i < proof->count; i++) {
        line->consistency.hashes[i] = BYTES(proof->hashes[i], DIGEST_SIZE);
    }
    return RC_OK;
}

enum rc lineage_prove(const struct node *node, const struct line *question, struct stream *stream,
                      bool is_request)
{
    struct line line = {.old_size = question->old_size, .new_size = question->new_size};
    OWN(buffer) bytes = {0};
    struct proof proof;

    TRY(prove(node, &line, &proof));
    codec_proof_write(&line, is_request, &bytes);
    return bytes.is_failed ? RC_RESOURCE_EXHAUSTED : stream_send(stream, buffer_bytes(&bytes));
}
