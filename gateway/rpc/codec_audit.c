#include "rpc/codec_service.h"

#include "base/arena.h"
#include "rpc/codec_pb.h"

enum rc codec_audit_request_read(struct bytes from, struct arena *arena,
                                 struct audit_page_request *request, struct fault *fault)
{
    ProtobufCMessage *read = NULL;
    const Enlace__V1__ReadRecordsRequest *wire;

    TRY(pb_read(SHAPE_READ_RECORDS_REQUEST, from, "", arena, &read, fault));
    wire = (const Enlace__V1__ReadRecordsRequest *)read;
    *request =
        (struct audit_page_request){.from_index = wire->from_index,
                                    .count = wire->count,
                                    .purpose_commitment = pb_bytes(wire->purpose_commitment)};
    return RC_OK;
}

void codec_audit_request_write(const struct audit_page_request *request, struct buffer *out)
{
    Enlace__V1__ReadRecordsRequest wire;

    enlace__v1__read_records_request__init(&wire);
    wire.from_index = request->from_index;
    wire.count = request->count;
    wire.purpose_commitment = pb_data(request->purpose_commitment);
    pb_write(&wire.base, out);
}

enum rc pb_audit_page(ProtobufCBinaryData checkpoint, Enlace__V1__AuditEntry **entries,
                      size_t count, struct arena *arena, struct audit_page *page,
                      struct fault *fault)
{
    void *memory;

    TRY(pb_alloc(arena, (count + 1) * sizeof *page->entries, &memory, fault));
    *page = (struct audit_page){
        .checkpoint = pb_bytes(checkpoint), .entries = memory, .entry_count = count};
    for (size_t i = 0; i < count; i++) {
        const Enlace__V1__AuditEntry *entry = entries[i];

        page->entries[i].leaf = pb_bytes(entry->leaf);
        page->entries[i].record = pb_bytes(entry->record);
        page->entries[i].record_blind = pb_bytes(entry->record_blind);
        pb_path_read(entry->path, entry->n_path, &page->entries[i].path);
    }
    return RC_OK;
}

bool pb_audit_entry_fill(Enlace__V1__AuditEntry *to, ProtobufCBinaryData path[PATH_MAX_HASHES],
                         const struct audit_entry *from)
{
    if (!pb_path_fill(path, &from->path)) {
        return false;
    }
    enlace__v1__audit_entry__init(to);
    to->leaf = pb_data(from->leaf);
    to->record = pb_data(from->record);
    to->record_blind = pb_data(from->record_blind);
    to->n_path = from->path.count;
    to->path = path;
    return true;
}

enum rc codec_audit_page_read(struct bytes from, struct arena *arena, struct audit_page *page,
                              struct fault *fault)
{
    ProtobufCMessage *read = NULL;
    const Enlace__V1__ReadRecordsResponse *wire;

    TRY(pb_read(SHAPE_READ_RECORDS_RESPONSE, from, "", arena, &read, fault));
    wire = (const Enlace__V1__ReadRecordsResponse *)read;
    return pb_audit_page(wire->checkpoint, wire->entries, wire->n_entries, arena, page, fault);
}

/* Written as several responses with one entry each, which together are one (see codec_result). */
static void write_entry(const struct audit_entry *entry, struct buffer *out)
{
    Enlace__V1__ReadRecordsResponse wire;
    Enlace__V1__AuditEntry inner;
    Enlace__V1__AuditEntry *inner_at = &inner;
    ProtobufCBinaryData path[PATH_MAX_HASHES];

    if (!pb_audit_entry_fill(&inner, path, entry)) {
        out->is_failed = true;
        return;
    }
    enlace__v1__read_records_response__init(&wire);
    wire.n_entries = 1;
    wire.entries = &inner_at;
    pb_write(&wire.base, out);
}

void codec_audit_page_write(const struct audit_page *page, struct buffer *out)
{
    Enlace__V1__ReadRecordsResponse wire;

    if (page->entry_count > AUDIT_PAGE_MAX) {
        out->is_failed = true;
        return;
    }
    enlace__v1__read_records_response__init(&wire);
    wire.checkpoint = pb_data(page->checkpoint);
    pb_write(&wire.base, out);
    for (size_t i = 0; i < page->entry_count; i++) {
        write_entry(&page->entries[i], out);
    }
}
