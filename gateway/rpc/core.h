/*
 * core - what the files of rpc share of gRPC's C core. Internal to rpc: no other layer includes it.
 *
 * Messages in and out, statuses and faults, deadlines, the library's start and end.
 */
#ifndef RPC_CORE_H
#define RPC_CORE_H

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

struct cq;
struct op;

/*
 * gRPC hands objects from thread to thread behind locks that ThreadSanitizer does not see, because
 * the library is not built with it: these tell it. Without the sanitizer they are nothing.
 */
#ifdef __SANITIZE_THREAD__
void __tsan_release(void *object);
void __tsan_acquire(void *object);
#define core_hand_over(object) __tsan_release(object)
#define core_take_over(object) __tsan_acquire(object)
#else
#define core_hand_over(object) ((void)(object))
#define core_take_over(object) ((void)(object))
#endif

/* Counted: each core_begin wants its core_end. The last end waits until gRPC has let go of
 * everything. */
void core_begin(void);
void core_end(void);

grpc_completion_queue *cq_queue(const struct cq *cq);

/* Starts a batch; its end comes to op->done. A batch that gRPC does not take is a bug of ours. */
void core_start(grpc_call *call, const grpc_op *ops, size_t count, struct op *op);

/* A received message in one piece, without a copy when it came in one piece. */
struct core_message {
    grpc_byte_buffer *buffer;
    grpc_slice whole; /* only when it had to be put together */
    bool has_whole;
};

/* Takes the buffer, which may be NULL. */
void core_message_init(struct core_message *message, grpc_byte_buffer *buffer);
void core_message_release(struct core_message *message);
/* Borrowed from the message. */
struct bytes core_message_bytes(struct core_message *message);

/* A copy, to be destroyed by grpc_byte_buffer_destroy. */
grpc_byte_buffer *core_buffer(struct bytes bytes);
/* The same without a copy: takes what the buffer holds, which is wiped when it has been sent. */
grpc_byte_buffer *core_buffer_take(struct buffer *buffer);

/* -1: none. */
gpr_timespec core_deadline(int timeout_ms);
/* 0 when it is over, INT64_MAX when there is none. */
int64_t core_remaining_ms(gpr_timespec deadline);

/* A status to send; alive until the batch that sends it is done. */
struct core_status {
    grpc_status_code code;
    grpc_slice details;
    grpc_metadata metadata[4];
    size_t count;
};

/* NULL, or a fault with RC_OK from core_status_ok: fine. */
void core_status_init(struct core_status *status, const struct fault *fault);
void core_status_release(struct core_status *status);

/* Fills the op that sends it. */
void core_status_op(const struct core_status *status, grpc_op *op);

/* What the peer's status means; fault->rc is RC_OK when all went well. Replaces the fault. */
void core_fault(grpc_status_code code, grpc_slice details, const grpc_metadata_array *trailing,
                struct fault *fault);

#endif
