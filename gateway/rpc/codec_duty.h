/*
 * codec_duty - requests and responses of service Duty, and WakeDuty between nodes, as plain
 * structs.
 *
 * The same rules as rpc/codec.h: reading is strict and borrows, writing appends.
 */
#ifndef RPC_CODEC_DUTY_H
#define RPC_CODEC_DUTY_H

#include "model/duty.h"
#include "rpc/codec.h"

#define DUTY_PAGE_MAX 256
#define DUTY_DAYS_MAX 31
#define DUTY_ANSWER_MAX 512

struct duty_list_request {
    bool is_over;
    uint64_t after_number;
};

MUST_CHECK enum rc codec_duty_list_request_read(struct bytes from, struct arena *arena,
                                                struct duty_list_request *request,
                                                struct fault *fault);
void codec_duty_list_request_write(const struct duty_list_request *request, struct buffer *out);

/* A call as it is shown: with its reference, without what only the node needs. */
struct duty_shown {
    struct dutycall call;
    struct id reference;
};

struct duty_list {
    struct duty_shown *calls;
    size_t call_count;
    struct urgency_day days[DUTY_DAYS_MAX];
    size_t day_count;
};

MUST_CHECK enum rc codec_duty_list_read(struct bytes from, struct arena *arena,
                                        struct duty_list *list, struct fault *fault);
void codec_duty_list_write(const struct duty_list *list, struct buffer *out);

/* A DutyAnswer, serialised once: what its maker does, and nobody after him. */
void codec_duty_answer_write(const struct duty_answer *answer, struct buffer *out);
/* AnswerDutyRequest; the answer in it is read, too. */
MUST_CHECK enum rc codec_duty_signed_read(struct bytes from, struct arena *arena,
                                          struct duty_answer_signed *answer, struct fault *fault);
void codec_duty_signed_write(const struct duty_answer_signed *answer, struct buffer *out);

/* AnswerDutyResponse. */
MUST_CHECK enum rc codec_duty_shown_read(struct bytes from, struct arena *arena,
                                         struct duty_shown *shown, struct fault *fault);
void codec_duty_shown_write(const struct duty_shown *shown, struct buffer *out);

struct wake_request {
    const char *from;
    const char *to;
    struct id token;
    enum urgency urgency;
    int64_t due_at_ms;
};

struct wake_answer {
    const char *actor; /* "": nobody yet */
    int64_t answered_at_ms;
};

MUST_CHECK enum rc codec_wake_request_read(struct bytes from, struct arena *arena,
                                           struct wake_request *request, struct fault *fault);
void codec_wake_request_write(const struct wake_request *request, struct buffer *out);
MUST_CHECK enum rc codec_wake_answer_read(struct bytes from, struct arena *arena,
                                          struct wake_answer *answer, struct fault *fault);
void codec_wake_answer_write(const struct wake_answer *answer, struct buffer *out);

#endif
