#include "rpc/codec_shape.h"

#include "model/order.h"
#include "rpc/codec_service.h"

#define LEAF_BYTES 200
#define CERTIFICATE_MAX 4096
#define SIGNATURE_MAX 128
#define NOTE_MAX (16u << 10) /* checkpoints and proofs: signed notes with many cosignatures */
#define RECORD_MAX (16u << 10)
#define STATEMENT_MAX (14u << 10) /* SUCCESSION_SIZE_MAX */

#define REQUIRED .is_required = true
#define EXACTLY(size) .size_min = (size), .size_max = (size)
#define UP_TO(size) .size_max = (size)
#define SOME_UP_TO(size) .size_min = 1, .size_max = (size)
#define NOT_EMPTY .size_min = 1 /* of a part that says nothing when nothing is in it */
#define COUNT(count) .count_max = (count)

/* "Exactly" counts when the field is there: an id that is not required is empty or 16 bytes. */
static const struct bound bounds[] = {
    {"Message", "header", REQUIRED, SOME_UP_TO(MESSAGE_HEADER_MAX)},
    {"Message", "header_blind", REQUIRED, EXACTLY(BLIND_SIZE)},
    {"Message", "compartments", COUNT(MESSAGE_COMPARTMENTS_MAX)},
    {"Message", "signatures", COUNT(MESSAGE_SIGNATURES_MAX)},
    {"Compartment", "part", REQUIRED},
    {"Compartment", "blind", REQUIRED, EXACTLY(BLIND_SIZE)},
    {"Compartment", "clear", REQUIRED, UP_TO(MESSAGE_BYTES_MAX)},
    {"Compartment", "sealed", REQUIRED, SOME_UP_TO(MESSAGE_BYTES_MAX)},
    {"Signature", "certificate", REQUIRED, SOME_UP_TO(CERTIFICATE_MAX)},
    {"Signature", "signature", REQUIRED, SOME_UP_TO(SIGNATURE_MAX)},

    {"Header", "message_id", REQUIRED, EXACTLY(ID_SIZE)},
    {"Header", "exchange_id", REQUIRED, EXACTLY(ID_SIZE)},
    {"Header", "parent_exchange_id", EXACTLY(ID_SIZE)},
    {"Header", "case_id", EXACTLY(ID_SIZE)},
    {"Header", "aviso", NOT_EMPTY},
    {"Header", "consent", NOT_EMPTY},
    {"Header", "subjects", COUNT(MESSAGE_SUBJECTS_MAX)},
    {"Header", "clocks", COUNT(MESSAGE_CLOCKS_MAX)},
    {"Header", "seals", COUNT(MESSAGE_COMPARTMENTS_MAX)},
    {"Header", "referral", REQUIRED},
    {"Aviso", "sha256", EXACTLY(HASH_SIZE)},
    {"Subject", "pseudonym", REQUIRED, EXACTLY(ID_SIZE)},
    {"Decision", "sha256", EXACTLY(HASH_SIZE)},
    {"Item", "cadence", NOT_EMPTY},
    {"Seal", "sha256", REQUIRED, EXACTLY(HASH_SIZE)},
    {"Referral", "items", COUNT(MESSAGE_ITEMS_MAX)},
    {"MeasureRequest", "items", COUNT(MESSAGE_ITEMS_MAX)},
    {"SupportRequest", "items", COUNT(MESSAGE_ITEMS_MAX)},
    {"StatusReport", "evidence_sha256", EXACTLY(HASH_SIZE)},
    {"Act", "regards", EXACTLY(ID_SIZE)},
    {"Act", "evidence_sha256", EXACTLY(HASH_SIZE)},
    {"Recall", "regards", EXACTLY(ID_SIZE)},
    {"Notice", "regards", EXACTLY(ID_SIZE)},
    {"Aggregate", "figures", COUNT(MESSAGE_FIGURES_MAX)},
    {"ScheduleCompartment", "entries", COUNT(CODEC_ENTRIES_MAX), NOT_EMPTY},
    {"RelativesCompartment", "entries", COUNT(CODEC_ENTRIES_MAX), NOT_EMPTY},
    {"AttachmentsCompartment", "entries", COUNT(MESSAGE_ATTACHMENTS_MAX)},
    {"Attachment", "attachment_id", REQUIRED, EXACTLY(ID_SIZE)},
    {"Attachment", "sha256", REQUIRED, EXACTLY(HASH_SIZE)},

    {"Submission", "message", REQUIRED, UP_TO(MESSAGE_BYTES_MAX)},
    {"Submission", "local_subjects", COUNT(MESSAGE_SUBJECTS_MAX), EXACTLY(ID_SIZE)},
    {"SubmitRequest", "submission", REQUIRED},
    {"SubmitResponse", "receipt", REQUIRED},
    {"SubmitStreamResponse", "results", COUNT(CODEC_RESULTS_MAX)},
    {"SubmitResult", "message_id", EXACTLY(ID_SIZE)},
    {"SubmitResult", "receipt", REQUIRED},
    {"Receipt", "level", REQUIRED},
    {"Receipt", "leaf", REQUIRED, EXACTLY(LEAF_BYTES)},
    {"Receipt", "tlog_proof", REQUIRED, SOME_UP_TO(NOTE_MAX)},
    {"Refusal", "code", REQUIRED},
    {"Refusal", "reason", UP_TO(sizeof((struct fault *)0)->reason - 1)},
    {"Refusal", "path", UP_TO(sizeof((struct fault *)0)->path - 1)},
    {"Refusal", "remedy", UP_TO(sizeof((struct fault *)0)->remedy - 1)},

    {"AttachRequest", "hello", REQUIRED},
    {"AttachResponse", "delivery", REQUIRED},
    {"Acknowledgement", "message_id", REQUIRED, EXACTLY(ID_SIZE)},
    {"Delivery", "message", REQUIRED, UP_TO(MESSAGE_BYTES_MAX)},
    {"Delivery", "receipt", REQUIRED},
    {"TrackRequest", "exchange_id", REQUIRED, EXACTLY(ID_SIZE)},
    {"TrackResponse", "exchange_id", REQUIRED, EXACTLY(ID_SIZE)},
    {"TrackResponse", "parent_exchange_id", EXACTLY(ID_SIZE)},
    {"TrackResponse", "items", COUNT(MESSAGE_ITEMS_MAX)},
    {"GetReceiptsResponse", "message_commitment", REQUIRED, EXACTLY(HASH_SIZE)},
    {"GetReceiptsResponse", "receipts", COUNT(RECEIPTS_MAX)},
    {"PingResponse", "directory_sha256", EXACTLY(HASH_SIZE)},

    {"PutAttachmentRequest", "hello", REQUIRED},
    {"PutAttachmentHello", "attachment_id", REQUIRED, EXACTLY(ID_SIZE)},
    {"PutAttachmentHello", "sha256", REQUIRED, EXACTLY(HASH_SIZE)},
    {"AttachmentChunk", "data", SOME_UP_TO(ATTACHMENT_CHUNK_MAX)},
    {"AttachmentChunk", "sha256", REQUIRED, EXACTLY(HASH_SIZE)},
    {"GetAttachmentRequest", "attachment_id", REQUIRED, EXACTLY(ID_SIZE)},
    {"GetAttachmentResponse", "chunk", REQUIRED},

    {"ExchangeRequest", "hello", REQUIRED},
    {"ExchangeRequest", "parcel", UP_TO(PARCEL_BYTES_MAX)},
    {"ExchangeResponse", "hello", REQUIRED},
    {"ExchangeResponse", "answer", UP_TO(PARCEL_BYTES_MAX)},
    {"PeerHello", "directory_sha256", EXACTLY(HASH_SIZE)},
    {"PeerHello", "seen_checkpoint", UP_TO(NOTE_MAX)},
    {"PeerHello", "succession", UP_TO(STATEMENT_MAX)},
    {"LineProof", "consistency", COUNT(PATH_MAX_HASHES), EXACTLY(HASH_SIZE)},
    {"Progress", "checkpoint", UP_TO(NOTE_MAX)},
    {"Progress", "consistency", COUNT(PATH_MAX_HASHES), EXACTLY(HASH_SIZE)},
    {"Parcel", "directory_sha256", EXACTLY(HASH_SIZE)},
    {"Parcel", "progress", REQUIRED},
    {"Parcel", "entries", COUNT(PARCEL_ENTRIES_MAX)},
    {"ParcelEntry", "message", REQUIRED, UP_TO(MESSAGE_BYTES_MAX)},
    {"ParcelEntry", "leaf", REQUIRED, EXACTLY(LEAF_BYTES)},
    {"ParcelEntry", "path", COUNT(PATH_MAX_HASHES), EXACTLY(HASH_SIZE)},
    {"ParcelAnswer", "progress", REQUIRED},
    {"ParcelAnswer", "answers", COUNT(PARCEL_ENTRIES_MAX)},
    {"EntryAnswer", "receipt", REQUIRED},
    {"EntryReceipt", "leaf", REQUIRED, EXACTLY(LEAF_BYTES)},
    {"EntryReceipt", "path", COUNT(PATH_MAX_HASHES), EXACTLY(HASH_SIZE)},

    {"FetchDirectoryRequest", "held", COUNT(LAW_TEXTS_MAX)},
    {"HeldText", "kind", REQUIRED},
    {"HeldText", "sha256", REQUIRED, EXACTLY(HASH_SIZE)},
    {"FetchDirectoryResponse", "notes", COUNT(LAW_TEXTS_MAX), SOME_UP_TO(LAW_TEXT_MAX)},
    {"ReplayRequest", "origin", REQUIRED},
    {"ReplayRequest", "succession", REQUIRED, SOME_UP_TO(STATEMENT_MAX)},
    {"ReplayResponse", "progress", REQUIRED},
    {"ReplayResponse", "entries", COUNT(PARCEL_ENTRIES_MAX)},
    {"ReplayEntry", "message", REQUIRED, UP_TO(MESSAGE_BYTES_MAX)},
    {"ReplayEntry", "leaf", REQUIRED, EXACTLY(LEAF_BYTES)},
    {"ReplayEntry", "path", COUNT(PATH_MAX_HASHES), EXACTLY(HASH_SIZE)},
    {"ReplayEntry", "old_leaf", REQUIRED, EXACTLY(LEAF_BYTES)},
    {"ReplayEntry", "old_proof", REQUIRED, SOME_UP_TO(NOTE_MAX)},
    {"GetSeenRequest", "origin", REQUIRED},
    {"GetSeenResponse", "checkpoint", REQUIRED, SOME_UP_TO(NOTE_MAX)},

    {"AddCheckpointRequest", "body", REQUIRED, SOME_UP_TO(WITNESS_BODY_MAX)},
    {"AddCheckpointResponse", "status", REQUIRED},
    {"AddCheckpointResponse", "cosignature", SOME_UP_TO(NOTE_MAX)},
    {"GetCheckpointRequest", "origin", REQUIRED},
    {"GetCheckpointResponse", "checkpoint", UP_TO(NOTE_MAX)},

    {"Order", "order_id", REQUIRED, EXACTLY(ID_SIZE)},
    {"Order", "kind", REQUIRED},
    {"Order", "member", REQUIRED, UP_TO(MESSAGE_CODE_MAX - 1)},
    {"Order", "message_id", EXACTLY(ID_SIZE)},
    {"Order", "exchange_id", EXACTLY(ID_SIZE)},
    {"Order", "subjects", COUNT(ORDER_IDS_MAX), EXACTLY(ID_SIZE)},
    {"Order", "attachments", COUNT(ORDER_IDS_MAX), EXACTLY(ID_SIZE)},
    {"Order", "basis", UP_TO(MESSAGE_CODE_MAX - 1)},
    {"Order", "reason", UP_TO(MESSAGE_CODE_MAX - 1)},
    {"Order", "lifts", EXACTLY(ID_SIZE)},
    {"GiveOrderRequest", "order", REQUIRED, SOME_UP_TO(ORDER_BYTES_MAX)},
    {"GiveOrderRequest", "signatures", COUNT(MESSAGE_SIGNATURES_MAX)},
    {"GetOrderResponse", "status", REQUIRED},
    {"GetOrderResponse", "signatures", COUNT(MESSAGE_SIGNATURES_MAX)},
    {"OrderStatus", "order_id", REQUIRED, EXACTLY(ID_SIZE)},
    {"OrderStatus", "digest", REQUIRED, EXACTLY(HASH_SIZE)},
    {"ReadBlockedRequest", "message_id", REQUIRED, EXACTLY(ID_SIZE)},
    {"ReadBlockedRequest", "member", REQUIRED, UP_TO(MESSAGE_CODE_MAX - 1)},
    {"ReadBlockedRequest", "purpose", UP_TO(MESSAGE_CODE_MAX - 1)},
    {"ReadBlockedResponse", "message", REQUIRED, UP_TO(MESSAGE_BYTES_MAX)},

    {"ReadRecordsResponse", "checkpoint", UP_TO(NOTE_MAX)},
    {"ReadRecordsResponse", "entries", COUNT(AUDIT_PAGE_MAX)},
    {"AuditEntry", "leaf", REQUIRED, EXACTLY(LEAF_BYTES)},
    {"AuditEntry", "record", UP_TO(RECORD_MAX)},
    {"AuditEntry", "record_blind", EXACTLY(BLIND_SIZE)},
    {"AuditEntry", "path", COUNT(PATH_MAX_HASHES), EXACTLY(HASH_SIZE)},
    {"AuditRecord", "kind", REQUIRED},
    {"AuditRecord", "message_id", EXACTLY(ID_SIZE)},
    {"AuditRecord", "exchange_id", EXACTLY(ID_SIZE)},
    {"AuditRecord", "parent_exchange_id", EXACTLY(ID_SIZE)},
    {"AuditRecord", "fields_sent", SOME_UP_TO(FIELD_MAX / 8)},
    {"AuditRecord", "message_commitment", EXACTLY(HASH_SIZE)},
    {"AuditRecord", "directory_sha256", EXACTLY(HASH_SIZE)},
    {"AuditRecord", "succession", UP_TO(STATEMENT_MAX)},
    {"AuditRecord", "replayed_leaf", EXACTLY(LEAF_BYTES)},
};

const struct bound *codec_bounds(size_t *count)
{
    *count = sizeof bounds / sizeof bounds[0];
    return bounds;
}
