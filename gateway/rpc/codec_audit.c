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
    *request = (struct audit_page_request){
        .from_index = wire->from_index, .count = wire->count, .purpose = wire->purpose};
    return RC_OK;
}

void codec_audit_request_write(const struct audit_page_request *request, struct buffer *out)
{
    Enlace__V1__ReadRecordsRequest wire;

    enlace__v1__read_records_request__init(&wire);
    wire.from_index = request->from_index;
    wire.count = request->count;
    wire.purpose = pb_text(request->purpose);
    pb_write(&wire.base, out);
}

enum rc codec_audit_page_read(struct bytes from, struct arena *arena, struct audit_page *page,
                              struct fault *fault)
{
    ProtobufCMessage *read = NULL;
    const Enlace__V1__ReadRecordsResponse *wire;
    void *memory;

    TRY(pb_read(SHAPE_READ_RECORDS_RESPONSE, from, "", arena, &read, fault));
    wire = (const Enlace__V1__ReadRecordsResponse *)read;
    TRY(pb_alloc(arena, wire->n_entries * sizeof *page->entries, &memory, fault));
    *page = (struct audit_page){.checkpoint = pb_bytes(wire->checkpoint),
                                .entries = memory,
                                .entry_count = wire->n_entries};
    for (size_t i = 0; i < wire->n_entries; i++) {
        const Enlace__V1__AuditEntry *entry = wire->entries[i];

        page->entries[i].leaf = pb_bytes(entry->leaf);
        page->entries[i].record = pb_bytes(entry->record);
        page->entries[i].record_blind = pb_bytes(entry->record_blind);
        pb_path_read(entry->path, entry->n_path, &page->entries[i].path);
    }
    return RC_OK;
}

/* Written as several responses with one entry each, which together are one (see codec_result). */
static void write_entry(const struct audit_entry *entry, struct buffer *out)
{
    Enlace__V1__ReadRecordsResponse wire;
    Enlace__V1__AuditEntry inner;
    Enlace__V1__AuditEntry *inner_at = &inner;
    ProtobufCBinaryData path[PATH_MAX_HASHES];

    if (!pb_path_fill(path, &entry->path)) {
        out->is_failed = true;
        return;
    }
    enlace__v1__audit_entry__init(&inner);
    inner.leaf = pb_data(entry->leaf);
    inner.record = pb_data(entry->record);
    inner.record_blind = pb_data(entry->record_blind);
    inner.n_path = entry->path.count;
    inner.path = path;
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
