#include "rpc/codec.h"

#include "base/arena.h"
#include "rpc/codec_pb.h"

/* Bit i of byte i/8; zero bytes at the end are not written. */
static size_t write_fields(struct field_set fields, uint8_t out[FIELD_MAX / 8])
{
    size_t size = 0;

    for (size_t i = 0; i < FIELD_MAX / 8; i++) {
        out[i] = (uint8_t)(fields.bits >> (8 * i));
        size = out[i] != 0 ? i + 1 : size;
    }
    return size;
}

static enum rc read_fields(ProtobufCBinaryData data, const char *path, struct field_set *fields,
                           struct fault *fault)
{
    fields->bits = 0;
    for (size_t i = 0; i < data.len; i++) {
        fields->bits |= (uint64_t)data.data[i] << (8 * i);
    }
    if (data.len > 0 && data.data[data.len - 1] == 0) {
        return refuse(fault, RC_INVALID_ARGUMENT, "decode.not_canonical", path,
                      "Quite los bytes en cero del final.");
    }
    return RC_OK;
}

static void fill_what(Enlace__V1__AuditRecord *to, const struct record *from)
{
    to->kind = (Enlace__V1__RecordKind)from->kind;
    to->message_id = pb_id_data(&from->message_id);
    to->exchange_id = pb_id_data(&from->exchange_id);
    to->parent_exchange_id = pb_id_data(&from->parent_exchange_id);
    to->from = pb_text(from->from);
    to->to = pb_text(from->to);
    to->hosted_by = pb_text(from->hosted_by);
    to->actor = pb_text(from->actor);
    to->official = pb_text(from->official);
    to->type = (uint32_t)from->type;
    to->catalogue_code = pb_text(from->catalogue_code);
    to->item = from->item;
    to->occurrence = from->occurrence;
    to->event = (Enlace__V1__Event)from->event;
    to->occurred_on = pb_text(from->occurred_on);
    to->urgency = (Enlace__V1__Urgency)from->urgency;
}

static void fill_why(Enlace__V1__AuditRecord *to, const struct record *from)
{
    to->purpose = pb_text(from->purpose);
    to->legal_basis = pb_text(from->legal_basis);
    to->aviso = pb_text(from->aviso);
    to->consent = (Enlace__V1__ConsentState)from->consent;
    to->route = pb_text(from->route);
    to->sealed_types = from->sealed_types;
    to->message_commitment = pb_data(from->message_commitment);
    to->directory_sha256 = pb_data(from->directory_sha256);
    to->reason = pb_text(from->reason);
    to->reason_path = pb_text(from->reason_path);
    to->count = from->count;
    to->transfer = (Enlace__V1__TransferKind)from->transfer;
    to->first_index = from->first_index;
    to->succession = pb_data(from->succession);
    to->replayed_leaf = pb_data(from->replayed_leaf);
    to->purpose_commitment = pb_data(from->purpose_commitment);
    to->purpose_blind = pb_data(from->purpose_blind);
    to->query_sha256 = pb_data(from->query_sha256);
    to->approver = pb_text(from->approver);
}

void codec_record_write(const struct record *record, struct buffer *out)
{
    Enlace__V1__AuditRecord wire;
    uint8_t fields[FIELD_MAX / 8];
    uint8_t withheld[FIELD_MAX / 8];

    enlace__v1__audit_record__init(&wire);
    fill_what(&wire, record);
    fill_why(&wire, record);
    wire.fields_sent = pb_data(BYTES(fields, write_fields(record->fields_sent, fields)));
    wire.fields_withheld =
        pb_data(BYTES(withheld, write_fields(record->fields_withheld, withheld)));
    pb_write(&wire.base, out);
}

static void read_what(const Enlace__V1__AuditRecord *from, struct record *to)
{
    to->message_id = pb_id(from->message_id);
    to->exchange_id = pb_id(from->exchange_id);
    to->parent_exchange_id = pb_id(from->parent_exchange_id);
    to->from = from->from;
    to->to = from->to;
    to->hosted_by = from->hosted_by;
    to->actor = from->actor;
    to->official = from->official;
    to->type = (enum message_type)from->type;
    to->catalogue_code = from->catalogue_code;
    to->item = from->item;
    to->occurrence = from->occurrence;
    to->event = (enum event)from->event;
    to->occurred_on = from->occurred_on;
    to->urgency = (enum urgency)from->urgency;
}

static void read_why(const Enlace__V1__AuditRecord *from, struct record *to)
{
    to->purpose = from->purpose;
    to->legal_basis = from->legal_basis;
    to->aviso = from->aviso;
    to->consent = (enum consent)from->consent;
    to->route = from->route;
    to->sealed_types = from->sealed_types;
    to->message_commitment = pb_bytes(from->message_commitment);
    to->directory_sha256 = pb_bytes(from->directory_sha256);
    to->reason = from->reason;
    to->reason_path = from->reason_path;
    to->count = from->count;
    to->transfer = (enum transfer)from->transfer;
    to->first_index = from->first_index;
    to->succession = pb_bytes(from->succession);
    to->replayed_leaf = pb_bytes(from->replayed_leaf);
    to->purpose_commitment = pb_bytes(from->purpose_commitment);
    to->purpose_blind = pb_bytes(from->purpose_blind);
    to->query_sha256 = pb_bytes(from->query_sha256);
    to->approver = from->approver;
}

enum rc codec_record_read(struct bytes from, struct arena *arena, struct record *record,
                          struct fault *fault)
{
    ProtobufCMessage *read = NULL;
    const Enlace__V1__AuditRecord *wire;
    struct field_set fields;
    struct field_set withheld;

    TRY(pb_read(SHAPE_AUDIT_RECORD, from, "record", arena, &read, fault));
    wire = (const Enlace__V1__AuditRecord *)read;
    if (wire->type != MESSAGE_NONE && message_type_name((enum message_type)wire->type) == NULL) {
        return refuse(fault, RC_INVALID_ARGUMENT, "decode.unknown_value", "record.type",
                      "Ese tipo de mensaje no está en el esquema.");
    }
    TRY(read_fields(wire->fields_sent, "record.fields_sent", &fields, fault));
    TRY(read_fields(wire->fields_withheld, "record.fields_withheld", &withheld, fault));
    record_init(record, (enum record_kind)wire->kind);
    read_what(wire, record);
    read_why(wire, record);
    record->fields_sent = fields;
    record->fields_withheld = withheld;
    return RC_OK;
}
