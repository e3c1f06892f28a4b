#include "rpc/core.h"

#include <assert.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/support/log.h>
#include <grpc/support/time.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define KEY_REASON "enlace-reason"
/* gRPC's own key (gRFC A6): clients that retry by themselves wait this long. */
#define KEY_RETRY "grpc-retry-pushback-ms"
#define RETRY_MS "1000"
#define KEY_PATH "enlace-path"
#define KEY_REMEDY "enlace-remedy-bin"

/* gRPC's own lines join the operator's log instead of standard error as it likes. */
static void log_from_grpc(gpr_log_func_args *args)
{
    enum log_level level =
        args->severity >= GPR_LOG_SEVERITY_ERROR ? LOG_LEVEL_WARN : LOG_LEVEL_DEBUG;

    log_line(level, "grpc", "line=%d cause=\"%s\"", args->line, args->message);
}

static void log_redirect(void)
{
    gpr_set_log_function(log_from_grpc);
}

void core_begin(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, log_redirect);
    grpc_init();
}

void core_end(void)
{
    grpc_shutdown_blocking();
}

void core_start(grpc_call *call, const grpc_op *ops, size_t count, struct op *op)
{
    grpc_call_error error;

    core_hand_over(op);
    error = grpc_call_start_batch(call, ops, count, op, NULL);
    assert(error == GRPC_CALL_OK);
}

void core_message_init(struct core_message *message, grpc_byte_buffer *buffer)
{
    message->buffer = buffer;
    message->has_whole = false;
}

void core_message_release(struct core_message *message)
{
    if (message->has_whole) {
        grpc_slice_unref(message->whole);
        message->has_whole = false;
    }
    if (message->buffer != NULL) {
        grpc_byte_buffer_destroy(message->buffer);
        message->buffer = NULL;
    }
}

/* Compression is switched off at both ends, so the buffer is raw and its slices can be looked at.
 */
struct bytes core_message_bytes(struct core_message *message)
{
    grpc_byte_buffer_reader reader;

    if (message->buffer == NULL || grpc_byte_buffer_length(message->buffer) == 0) {
        return (struct bytes){0};
    }
    if (!message->has_whole && message->buffer->data.raw.slice_buffer.count == 1) {
        grpc_slice *only = &message->buffer->data.raw.slice_buffer.slices[0];

        return BYTES(GRPC_SLICE_START_PTR(*only), GRPC_SLICE_LENGTH(*only));
    }
    if (!message->has_whole) {
        if (!grpc_byte_buffer_reader_init(&reader, message->buffer)) {
            return (struct bytes){0};
        }
        message->whole = grpc_byte_buffer_reader_readall(&reader);
        grpc_byte_buffer_reader_destroy(&reader);
        message->has_whole = true;
    }
    return BYTES(GRPC_SLICE_START_PTR(message->whole), GRPC_SLICE_LENGTH(message->whole));
}

grpc_byte_buffer *core_buffer(struct bytes bytes)
{
    grpc_slice slice = grpc_slice_from_copied_buffer((const char *)bytes.data, bytes.size);
    grpc_byte_buffer *buffer = grpc_raw_byte_buffer_create(&slice, 1);

    grpc_slice_unref(slice);
    return buffer;
}

static void wipe_and_free(void *data, size_t size)
{
    explicit_bzero(data, size);
    free(data);
}

grpc_byte_buffer *core_buffer_take(struct buffer *buffer)
{
    grpc_slice slice = grpc_slice_new_with_len(buffer->data, buffer->size, wipe_and_free);
    grpc_byte_buffer *made = grpc_raw_byte_buffer_create(&slice, 1);

    grpc_slice_unref(slice);
    *buffer = (struct buffer){0};
    return made;
}

gpr_timespec core_deadline(int timeout_ms)
{
    return timeout_ms < 0 ? gpr_inf_future(GPR_CLOCK_MONOTONIC)
                          : gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                                         gpr_time_from_millis(timeout_ms, GPR_TIMESPAN));
}

int64_t core_remaining_ms(gpr_timespec deadline)
{
    gpr_timespec now;
    int64_t left;

    if (gpr_time_cmp(deadline, gpr_inf_future(deadline.clock_type)) == 0) {
        return INT64_MAX;
    }
    now = gpr_now(deadline.clock_type);
    left = (deadline.tv_sec - now.tv_sec) * 1000 + (deadline.tv_nsec - now.tv_nsec) / 1000000;
    return left > 0 ? left : 0;
}

static void status_add(struct core_status *status, const char *key, const char *value)
{
    grpc_slice name = grpc_slice_from_static_string(key);
    grpc_slice text = grpc_slice_from_copied_string(value);

    if (value[0] == '\0' ||
        (!grpc_is_binary_header(name) && !grpc_header_nonbin_value_is_legal(text))) {
        grpc_slice_unref(text);
        return;
    }
    status->metadata[status->count].key = name;
    status->metadata[status->count].value = text;
    status->count++;
}

void core_status_init(struct core_status *status, const struct fault *fault)
{
    char text[sizeof *fault];

    memset(status, 0, sizeof *status);
    status->code = GRPC_STATUS_OK;
    status->details = grpc_empty_slice();
    if (fault == NULL) {
        return;
    }
    status->code = fault->rc == RC_OK ? GRPC_STATUS_INTERNAL : (grpc_status_code)fault->rc;
    snprintf(text, sizeof text, "%s%s%s%s%s", fault->reason, fault->path[0] != '\0' ? " " : "",
             fault->path, fault->remedy[0] != '\0' ? ": " : "", fault->remedy);
    status->details = grpc_slice_from_copied_string(text);
    status_add(status, KEY_REASON, fault->reason);
    status_add(status, KEY_PATH, fault->path);
    status_add(status, KEY_REMEDY, fault->remedy);
    if (fault->rc == RC_RESOURCE_EXHAUSTED) {
        status_add(status, KEY_RETRY, RETRY_MS);
    }
}

void core_status_release(struct core_status *status)
{
    grpc_slice_unref(status->details);
    status->details = grpc_empty_slice();
    for (size_t i = 0; i < status->count; i++) {
        grpc_slice_unref(status->metadata[i].value);
    }
    status->count = 0;
}

void core_status_op(const struct core_status *status, grpc_op *op)
{
    op->op = GRPC_OP_SEND_STATUS_FROM_SERVER;
    op->data.send_status_from_server.status = status->code;
    op->data.send_status_from_server.status_details = (grpc_slice *)&status->details;
    op->data.send_status_from_server.trailing_metadata = (grpc_metadata *)status->metadata;
    op->data.send_status_from_server.trailing_metadata_count = status->count;
}

static void slice_text(grpc_slice slice, char *out, size_t size)
{
    size_t length = GRPC_SLICE_LENGTH(slice);

    length = length < size ? length : size - 1;
    memcpy(out, GRPC_SLICE_START_PTR(slice), length);
    out[length] = '\0';
}

static const char *reason_of(grpc_status_code code)
{
    switch (code) {
    case GRPC_STATUS_UNAVAILABLE:
        return "peer.unreachable";
    case GRPC_STATUS_DEADLINE_EXCEEDED:
        return "peer.deadline";
    case GRPC_STATUS_CANCELLED:
        return "peer.cancelled";
    default:
        return "peer.status";
    }
}

void core_fault(grpc_status_code code, grpc_slice details, const grpc_metadata_array *trailing,
                struct fault *fault)
{
    bool is_known = code >= GRPC_STATUS_OK && code <= GRPC_STATUS_UNAUTHENTICATED;

    memset(fault, 0, sizeof *fault);
    fault->rc = is_known ? (enum rc)code : RC_UNKNOWN;
    if (fault->rc == RC_OK) {
        return;
    }
    for (size_t i = 0; i < trailing->count; i++) {
        const grpc_metadata *row = &trailing->metadata[i];

        if (grpc_slice_str_cmp(row->key, KEY_REASON) == 0) {
            slice_text(row->value, fault->reason, sizeof fault->reason);
        } else if (grpc_slice_str_cmp(row->key, KEY_PATH) == 0) {
            slice_text(row->value, fault->path, sizeof fault->path);
        } else if (grpc_slice_str_cmp(row->key, KEY_REMEDY) == 0) {
            slice_text(row->value, fault->remedy, sizeof fault->remedy);
        }
    }
    if (fault->reason[0] == '\0') {
        snprintf(fault->reason, sizeof fault->reason, "%s", reason_of(code));
        slice_text(details, fault->remedy, sizeof fault->remedy);
    }
}
