#include "rpc/codec_service.h"

#include "base/arena.h"
#include "rpc/codec_pb.h"
#include "rpc/codec_walk.h"

/* Field number in ReplayResponse. */
enum { PAGE_ENTRY = 2 };

/* ---- what is asked ---- */

enum rc codec_replay_request_read(struct bytes from, struct arena *arena,
                                  struct replay_request *request, struct fault *fault)
{
    ProtobufCMessage *read = NULL;
    const Enlace__V1__ReplayRequest *wire;

    TRY(pb_read(SHAPE_REPLAY_REQUEST, from, "", arena, &read, fault));
    wire = (const Enlace__V1__ReplayRequest *)read;
    *request = (struct replay_request){.origin = wire->origin,
                                       .succession = pb_bytes(wire->succession),
                                       .from_index = wire->from_index,
                                       .seen_size = wire->seen_size};
    return RC_OK;
}

void codec_replay_request_write(const struct replay_request *request, struct buffer *out)
{
    Enlace__V1__ReplayRequest wire;

    enlace__v1__replay_request__init(&wire);
    wire.origin = pb_text(request->origin);
    wire.succession = pb_data(request->succession);
    wire.from_index = request->from_index;
    wire.seen_size = request->seen_size;
    pb_write(&wire.base, out);
}

/* ---- one page ---- */

/* `bytes` is the same entry: its message, which stands first, is read where it lies. */
static enum rc read_entry(const Enlace__V1__ReplayEntry *from, struct bytes bytes,
                          struct arena *arena, struct replay_entry *to, struct fault *fault)
{
    void *memory;

    TRY(pb_alloc(arena, sizeof *to->message, &memory, fault));
    to->message = memory;
    to->leaf = pb_bytes(from->leaf);
    to->old_leaf = pb_bytes(from->old_leaf);
    to->old_proof = pb_bytes(from->old_proof);
    pb_path_read(from->path, from->n_path, &to->path);
    return pb_message_read(walk_first(bytes).value, arena, to->message, fault);
}

enum rc codec_replay_page_read(struct bytes from, struct arena *arena, struct replay_page *page,
                               struct fault *fault)
{
    ProtobufCMessage *read = NULL;
    const Enlace__V1__ReplayResponse *wire;
    struct walk_field field;
    void *memory;

    TRY(pb_read(SHAPE_REPLAY_RESPONSE, from, "", arena, &read, fault));
    wire = (const Enlace__V1__ReplayResponse *)read;
    TRY(pb_alloc(arena, (wire->n_entries + 1) * sizeof *page->entries, &memory, fault));
    *page = (struct replay_page){.entries = memory,
                                 .entry_count = wire->n_entries,
                                 .next_index = wire->next_index,
                                 .is_complete = wire->is_complete};
    page->progress.checkpoint = pb_bytes(wire->progress->checkpoint);
    page->progress.old_size = wire->progress->old_size;
    pb_path_read(wire->progress->consistency, wire->progress->n_consistency,
                 &page->progress.consistency);
    for (size_t i = 0; i < wire->n_entries && walk_next(&from, &field);) {
        if (field.id == PAGE_ENTRY) {
            TRY(read_entry(wire->entries[i], field.value, arena, &page->entries[i], fault));
            i++;
        }
    }
    return RC_OK;
}

static bool fill_progress(Enlace__V1__Progress *to, ProtobufCBinaryData path[PATH_MAX_HASHES],
                          const struct progress *from)
{
    enlace__v1__progress__init(to);
    to->checkpoint = pb_data(from->checkpoint);
    to->old_size = from->old_size;
    to->n_consistency = from->consistency.count;
    to->consistency = path;
    return pb_path_fill(path, &from->consistency);
}

/* The message is serialised already, so an entry is written field by field: tag, length, bytes. */
static void put_field(struct buffer *out, unsigned id, struct bytes value)
{
    size_t size = value.size;

    buffer_put_u8(out, (uint8_t)(id << 3 | 2));
    while (size >= 0x80) {
        buffer_put_u8(out, (uint8_t)(size | 0x80));
        size >>= 7;
    }
    buffer_put_u8(out, (uint8_t)size);
    buffer_put_bytes(out, value);
}

/* As it was serialised, or packed now. */
static void put_message(const struct replay_entry *entry, struct buffer *out)
{
    OWN(buffer) packed = {0};
    struct pb_message message;

    if (entry->message_bytes.data != NULL) {
        put_field(out, 1, entry->message_bytes);
        return;
    }
    if (entry->message == NULL || !pb_message_fill(&message, entry->message)) {
        out->is_failed = true;
        return;
    }
    pb_write(&message.message.base, &packed);
    out->is_failed = out->is_failed || packed.is_failed;
    put_field(out, 1, buffer_bytes(&packed));
}

static void put_entry(const struct replay_entry *entry, struct buffer *out)
{
    OWN(buffer) bytes = {0};

    put_message(entry, &bytes);
    put_field(&bytes, 2, entry->leaf);
    for (size_t i = 0; i < entry->path.count; i++) {
        put_field(&bytes, 3, entry->path.hashes[i]);
    }
    put_field(&bytes, 4, entry->old_leaf);
    put_field(&bytes, 5, entry->old_proof);
    out->is_failed = out->is_failed || bytes.is_failed;
    put_field(out, 2, buffer_bytes(&bytes));
}

void codec_replay_page_write(const struct replay_page *page, struct buffer *out)
{
    ProtobufCBinaryData path[PATH_MAX_HASHES];
    Enlace__V1__ReplayResponse head;
    Enlace__V1__ReplayResponse tail;
    Enlace__V1__Progress progress;

    enlace__v1__replay_response__init(&head);
    enlace__v1__replay_response__init(&tail);
    head.progress = &progress;
    tail.next_index = page->next_index;
    tail.is_complete = page->is_complete;
    if (!fill_progress(&progress, path, &page->progress) ||
        page->entry_count > PARCEL_ENTRIES_MAX) {
        out->is_failed = true;
        return;
    }
    pb_write(&head.base, out);
    for (size_t i = 0; i < page->entry_count; i++) {
        put_entry(&page->entries[i], out);
    }
    pb_write(&tail.base, out);
}

/* ---- what was seen ---- */

enum rc codec_get_seen_read(struct bytes from, struct arena *arena, const char **origin,
                            struct fault *fault)
{
    ProtobufCMessage *read = NULL;

    TRY(pb_read(SHAPE_GET_SEEN_REQUEST, from, "", arena, &read, fault));
    *origin = ((const Enlace__V1__GetSeenRequest *)read)->origin;
    return RC_OK;
}

void codec_get_seen_write(const char *origin, struct buffer *out)
{
    Enlace__V1__GetSeenRequest wire;

    enlace__v1__get_seen_request__init(&wire);
    wire.origin = pb_text(origin);
    pb_write(&wire.base, out);
}

enum rc codec_seen_read(struct bytes from, struct arena *arena, struct bytes *checkpoint,
                        struct fault *fault)
{
    ProtobufCMessage *read = NULL;

    TRY(pb_read(SHAPE_GET_SEEN_RESPONSE, from, "", arena, &read, fault));
    *checkpoint = pb_bytes(((const Enlace__V1__GetSeenResponse *)read)->checkpoint);
    return RC_OK;
}

void codec_seen_write(struct bytes checkpoint, struct buffer *out)
{
    Enlace__V1__GetSeenResponse wire;

    enlace__v1__get_seen_response__init(&wire);
    wire.checkpoint = pb_data(checkpoint);
    pb_write(&wire.base, out);
}
