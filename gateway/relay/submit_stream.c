#include "relay/submit_stream.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/arena.h"
#include "model/directory.h"
#include "relay/budget.h"
#include "relay/node.h"
#include "relay/submit.h"
#include "relay/who.h"
#include "rpc/codec.h"
#include "rpc/stream.h"

/* Results of one response: about 400 KiB at most. */
#define RESULTS_MAX 256
/* What a result takes beside its receipt; a refusal is rare, and grows the buffer. */
#define RESULT_ROOM ((size_t)64)
#define JOB_ARENA_MAX ((size_t)16 << 20)

struct lane {
    struct stream_user user; /* first */
    struct node *node;
    struct budget_hold hold;
    unsigned under_way;
    bool is_ended;
    bool wants_read;
    struct buffer scratch;
};

static struct lane *lane_of(struct stream_user *user)
{
    return (struct lane *)user;
}

static void read_on(struct lane *lane)
{
    if (lane->under_way < SUBMIT_STREAM_WINDOW && stream_room(lane->user.stream) > 0 &&
        budget_has_room(&lane->hold)) {
        stream_read(lane->user.stream);
        lane->wants_read = false;
    } else {
        lane->wants_read = true;
    }
}

/* Once the client has ended and everything is answered. */
static void finish_if_done(struct lane *lane)
{
    if (lane->is_ended && lane->under_way == 0 && !stream_is_over(lane->user.stream)) {
        stream_finish(lane->user.stream, NULL);
    }
}

static void send_results(struct lane *lane, const struct submit_result *results, size_t count)
{
    OWN(buffer) response = {0};

    buffer_reserve(&response, lane->scratch.size + count * RESULT_ROOM);
    codec_results_write(results, count, &response);
    if (response.is_failed || stream_send_buffer(lane->user.stream, &response) != RC_OK) {
        stream_cancel(lane->user.stream); /* the client asks again, by the same ids */
    }
}

static void drop(struct lane *lane, struct submit_job *job)
{
    struct arena *arena = job->arena;

    budget_drop_bytes(&lane->hold, job->weight);
    submit_release(job);
    arena_free(arena);
    lane->under_way--;
}

static struct submit_job *job_of(struct stream_item *item)
{
    return (struct submit_job *)((char *)item - offsetof(struct submit_job, item));
}

/* Builds the results of at most RESULTS_MAX jobs; their receipts borrow from the scratch buffer. */
static struct stream_item *answer_some(struct lane *lane, struct stream_item *items)
{
    struct submit_result results[RESULTS_MAX];
    struct receipt_span spans[RESULTS_MAX];
    struct stream_item *item = items;
    size_t count = 0;

    buffer_clear(&lane->scratch);
    for (; item != NULL && count < RESULTS_MAX; item = item->next, count++) {
        submit_result(job_of(item), &lane->scratch, &results[count], &spans[count]);
    }
    for (size_t i = 0; i < count; i++) {
        submit_result_bind(&lane->scratch, &spans[i], &results[i]);
    }
    if (!stream_is_over(lane->user.stream)) {
        send_results(lane, results, count);
    }
    for (size_t i = 0; i < count; i++) {
        struct stream_item *next = items->next;

        drop(lane, job_of(items));
        items = next;
    }
    return items;
}

static void on_items(struct stream_user *user, struct stream_item *items)
{
    struct lane *lane = lane_of(user);

    while (items != NULL) {
        items = answer_some(lane, items);
    }
    if (lane->wants_read && !lane->is_ended) {
        read_on(lane);
    }
    finish_if_done(lane);
}

static void settled(struct submit_job *job)
{
    struct stream *stream = job->stream;

    stream_resume(stream, &job->item);
    stream_release(stream);
}

static void refuse_now(struct lane *lane, struct submit_job *job)
{
    struct submit_result result = {.fault = job->fault};

    result.message_id = job->submission->message.header.message_id;
    send_results(lane, &result, 1);
    drop(lane, job);
}

static struct submit_job *job_new(struct lane *lane, const struct identity *sender,
                                  struct bytes message, struct bytes *request)
{
    struct arena *arena = arena_new(JOB_ARENA_MAX);
    struct submit_job *job = NULL;

    if (arena == NULL) {
        return NULL;
    }
    *request = arena_copy(arena, message);
    if (request->data != NULL) {
        job = submit_new(lane->node, arena, sender);
    }
    if (job == NULL) {
        arena_free(arena);
    }
    return job;
}

static void on_message(struct stream_user *user, struct bytes message)
{
    struct lane *lane = lane_of(user);
    struct identity sender;
    struct fault fault = {0};
    struct bytes request;
    struct submit_job *job;

    if (who_is_member(lane->node, stream_peer(user->stream), &sender, &fault) != RC_OK) {
        stream_finish(user->stream, &fault);
        return;
    }
    job = job_new(lane, &sender, message, &request);
    if (job == NULL) {
        refuse(&fault, RC_RESOURCE_EXHAUSTED, "node.busy", "", "El nodo está ocupado; reintente.");
        stream_finish(user->stream, &fault);
        return;
    }
    job->stream = user->stream;
    job->on_settled = settled;
    job->weight = budget_weight(message.size);
    budget_add_bytes(&lane->hold, job->weight);
    lane->under_way++;
    stream_hold(user->stream);
    if (submit_begin(job, request) != RC_OK) {
        stream_release(user->stream);
        refuse_now(lane, job);
    }
    read_on(lane);
}

static void on_end(struct stream_user *user)
{
    struct lane *lane = lane_of(user);

    lane->is_ended = true;
    finish_if_done(lane);
}

static void on_drained(struct stream_user *user)
{
    struct lane *lane = lane_of(user);

    if (lane->wants_read && !lane->is_ended) {
        read_on(lane);
    }
}

static void on_closed(struct stream_user *user, const struct fault *fault)
{
    (void)user;
    (void)fault;
}

static void on_free(struct stream_user *user)
{
    struct lane *lane = lane_of(user);

    buffer_release(&lane->scratch);
    budget_leave(&lane->hold);
    free(lane);
}

static const struct stream_events lane_events = {
    .on_message = on_message,
    .on_end = on_end,
    .on_drained = on_drained,
    .on_items = on_items,
    .on_closed = on_closed,
    .on_free = on_free,
};

void submit_stream_on_stream(struct rpc_service *service, struct stream *stream)
{
    struct node *node = (struct node *)service;
    struct identity sender;
    struct fault fault = {0};
    struct lane *lane;

    if (who_is_member(node, stream_peer(stream), &sender, &fault) != RC_OK) {
        stream_refuse(stream, &fault);
        return;
    }
    lane = calloc(1, sizeof *lane);
    if (lane == NULL) {
        refuse(&fault, RC_RESOURCE_EXHAUSTED, "node.busy", "", "El nodo está ocupado; reintente.");
        stream_refuse(stream, &fault);
        return;
    }
    if (budget_enter(node->budget, sender.uri, BUDGET_SUBMIT, &lane->hold, &fault) != RC_OK) {
        free(lane);
        stream_refuse(stream, &fault);
        return;
    }
    lane->user.events = &lane_events;
    lane->node = node;
    stream_accept(stream, &lane->user);
    stream_read(stream);
}
