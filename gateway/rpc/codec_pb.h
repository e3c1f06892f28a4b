/*
 * codec_pb - protobuf-c inside an arena and into a buffer, and what several parts of the codec
 * convert. Internal to the codec.
 */
#ifndef RPC_CODEC_PB_H
#define RPC_CODEC_PB_H

#include "enlace/v1/audit.pb-c.h"
#include "enlace/v1/duty.pb-c.h"
#include "enlace/v1/exchange.pb-c.h"
#include "enlace/v1/federation.pb-c.h"
#include "enlace/v1/message.pb-c.h"
#include "enlace/v1/official.pb-c.h"
#include "enlace/v1/order.pb-c.h"
#include "enlace/v1/parcel.pb-c.h"
#include "enlace/v1/receipt.pb-c.h"
#include "rpc/codec_service.h"
#include "rpc/codec_shape.h"

/* Checks strictly, then unpacks; the generated struct lives in the arena. Never NULL on RC_OK. */
MUST_CHECK enum rc pb_read(enum shape_name shape, struct bytes from, const char *root,
                           struct arena *arena, ProtobufCMessage **message, struct fault *fault);
/* Unpacks what strict_check accepted. */
MUST_CHECK enum rc pb_unpack(enum shape_name shape, struct bytes from, struct arena *arena,
                             ProtobufCMessage **message, struct fault *fault);
/* The same for a part of it that has no shape of its own. */
MUST_CHECK enum rc pb_unpack_part(const ProtobufCMessageDescriptor *descriptor, struct bytes from,
                                  struct arena *arena, ProtobufCMessage **message,
                                  struct fault *fault);
/* Appends the packed bytes. */
void pb_write(const ProtobufCMessage *message, struct buffer *out);
/* Zeroed memory of the arena, or RC_RESOURCE_EXHAUSTED decode.memory. */
MUST_CHECK enum rc pb_alloc(struct arena *arena, size_t size, void **memory, struct fault *fault);

/* Borrowed both ways; protobuf-c's structs are not const, but packing only reads. */
struct bytes pb_bytes(ProtobufCBinaryData data);
ProtobufCBinaryData pb_data(struct bytes bytes);
/* An absent id is zero, and a zero id is not written. */
struct id pb_id(ProtobufCBinaryData data);
ProtobufCBinaryData pb_id_data(const struct id *id);
/* NULL is taken for "". */
char *pb_text(const char *text);

/* ---- parts of several messages ---- */

/* A Message as protobuf-c packs it: the pointers between its parts are its own. Do not copy. */
struct pb_message {
    Enlace__V1__Message message;
    Enlace__V1__Compartment compartments[MESSAGE_COMPARTMENTS_MAX];
    Enlace__V1__Compartment *compartment_at[MESSAGE_COMPARTMENTS_MAX];
    Enlace__V1__Signature signatures[MESSAGE_SIGNATURES_MAX];
    Enlace__V1__Signature *signature_at[MESSAGE_SIGNATURES_MAX];
};

/* False: more compartments or signatures than a message can have. */
MUST_CHECK bool pb_message_fill(struct pb_message *to, const struct message *from);
/* The rest of reading, after strict_check of the wrapper: header, compartments, their order. */
MUST_CHECK enum rc pb_message_read(struct bytes from, struct arena *arena, struct message *message,
                                   struct fault *fault);
MUST_CHECK enum rc pb_submission_read(struct bytes from, struct arena *arena,
                                      struct submission *submission, struct fault *fault);

struct pb_submission {
    Enlace__V1__Submission submission;
    struct pb_message message;
    ProtobufCBinaryData local_subjects[MESSAGE_SUBJECTS_MAX];
};
MUST_CHECK bool pb_submission_fill(struct pb_submission *to, const struct submission *from);

MUST_CHECK enum rc codec_header_read(struct bytes from, struct arena *arena, struct header *header,
                                     struct fault *fault);

void pb_receipt_fill(Enlace__V1__Receipt *to, const struct receipt *from);
struct receipt pb_receipt(const Enlace__V1__Receipt *from); /* NULL: empty */
void pb_refusal_fill(Enlace__V1__Refusal *to, const struct fault *from);
MUST_CHECK enum rc pb_refusal_read(const Enlace__V1__Refusal *from, struct fault *refusal,
                                   struct fault *fault);

struct pb_result {
    Enlace__V1__SubmitResult result;
    Enlace__V1__Receipt receipt;
    Enlace__V1__Refusal refusal;
};
void pb_result_fill(struct pb_result *to, const struct submit_result *from);
MUST_CHECK enum rc pb_result_read(const Enlace__V1__SubmitResult *from,
                                  struct submit_result *result, struct fault *fault);

/* False: more hashes than a path can have. */
MUST_CHECK bool pb_path_fill(ProtobufCBinaryData to[PATH_MAX_HASHES], const struct path *from);
/* Of a page of service Audit, reading and writing. False: a path that is too long. */
MUST_CHECK enum rc pb_audit_page(ProtobufCBinaryData checkpoint, Enlace__V1__AuditEntry **entries,
                                 size_t count, struct arena *arena, struct audit_page *page,
                                 struct fault *fault);
MUST_CHECK bool pb_audit_entry_fill(Enlace__V1__AuditEntry *to,
                                    ProtobufCBinaryData path[PATH_MAX_HASHES],
                                    const struct audit_entry *from);
void pb_path_read(const ProtobufCBinaryData *from, size_t count, struct path *path);

#endif
