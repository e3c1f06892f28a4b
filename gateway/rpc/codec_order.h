/*
 * codec_order - requests and responses of service Order, as plain structs.
 *
 * The same rules as rpc/codec.h: reading is strict and borrows, writing appends.
 */
#ifndef RPC_CODEC_ORDER_H
#define RPC_CODEC_ORDER_H

#include "model/order.h"
#include "rpc/codec.h"

/* An Order, serialised once: what its maker does, and nobody after him. */
void codec_order_write(const struct order *order, struct buffer *out);
/* A GiveOrderRequest; the order in it is read, too. */
MUST_CHECK enum rc codec_order_signed_read(struct bytes from, struct arena *arena,
                                           struct order_signed *order, struct fault *fault);
void codec_order_signed_write(const struct order_signed *order, struct buffer *out);

/* GetOrderResponse; GiveOrderResponse is one without signatures. */
struct order_answer {
    struct order_status status;
    struct signature signatures[MESSAGE_SIGNATURES_MAX];
    size_t signature_count;
};

MUST_CHECK enum rc codec_order_answer_read(struct bytes from, struct arena *arena,
                                           struct order_answer *answer, struct fault *fault);
void codec_order_answer_write(const struct order_answer *answer, struct buffer *out);

struct blocked_request {
    struct id message_id;
    const char *member;
    const char *purpose;
};

MUST_CHECK enum rc codec_blocked_request_read(struct bytes from, struct arena *arena,
                                              struct blocked_request *request, struct fault *fault);
void codec_blocked_request_write(const struct blocked_request *request, struct buffer *out);
MUST_CHECK enum rc codec_blocked_read(struct bytes from, struct arena *arena,
                                      struct message *message, struct fault *fault);
void codec_blocked_write(const struct message *message, struct buffer *out);

#endif
