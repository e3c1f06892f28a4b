#include <stdlib.h>

#include "base/arena.h"
#include "rpc/codec_pb.h"
#include "rpc/codec_service.h"

void codec_fetch_request_write(const struct held_text *held, size_t count, struct buffer *out)
{
    Enlace__V1__FetchDirectoryRequest wire;
    Enlace__V1__HeldText *texts = calloc(count + 1, sizeof *texts);
    Enlace__V1__HeldText **text_at = calloc(count + 1, sizeof(Enlace__V1__HeldText *));

    if (texts == NULL || text_at == NULL || count > LAW_TEXTS_MAX) {
        out->is_failed = true;
    } else {
        enlace__v1__fetch_directory_request__init(&wire);
        for (size_t i = 0; i < count; i++) {
            enlace__v1__held_text__init(&texts[i]);
            texts[i].kind = (Enlace__V1__TextKind)held[i].kind;
            texts[i].subject = pb_text(held[i].subject);
            texts[i].version = held[i].version;
            texts[i].sha256 = pb_data(held[i].sha256);
            text_at[i] = &texts[i];
        }
        wire.n_held = count;
        wire.held = text_at;
        pb_write(&wire.base, out);
    }
    free(texts);
    free(text_at);
}

enum rc codec_fetch_request_read(struct bytes from, struct arena *arena, struct held_text **held,
                                 size_t *count, struct fault *fault)
{
    ProtobufCMessage *read = NULL;
    const Enlace__V1__FetchDirectoryRequest *wire;
    void *memory;

    TRY(pb_read(SHAPE_FETCH_DIRECTORY_REQUEST, from, "", arena, &read, fault));
    wire = (const Enlace__V1__FetchDirectoryRequest *)read;
    TRY(pb_alloc(arena, (wire->n_held + 1) * sizeof **held, &memory, fault));
    *held = memory;
    *count = wire->n_held;
    for (size_t i = 0; i < wire->n_held; i++) {
        (*held)[i] = (struct held_text){.kind = (enum held_kind)wire->held[i]->kind,
                                        .subject = wire->held[i]->subject,
                                        .version = wire->held[i]->version,
                                        .sha256 = pb_bytes(wire->held[i]->sha256)};
    }
    return RC_OK;
}

void codec_fetch_response_write(const struct bytes *notes, size_t count, struct buffer *out)
{
    Enlace__V1__FetchDirectoryResponse wire;
    ProtobufCBinaryData *data = calloc(count + 1, sizeof *data);

    if (data == NULL || count > LAW_TEXTS_MAX) {
        out->is_failed = true;
    } else {
        enlace__v1__fetch_directory_response__init(&wire);
        for (size_t i = 0; i < count; i++) {
            data[i] = pb_data(notes[i]);
        }
        wire.n_notes = count;
        wire.notes = data;
        pb_write(&wire.base, out);
    }
    free(data);
}

enum rc codec_fetch_response_read(struct bytes from, struct arena *arena, struct bytes **notes,
                                  size_t *count, struct fault *fault)
{
    ProtobufCMessage *read = NULL;
    const Enlace__V1__FetchDirectoryResponse *wire;
    void *memory;

    TRY(pb_read(SHAPE_FETCH_DIRECTORY_RESPONSE, from, "", arena, &read, fault));
    wire = (const Enlace__V1__FetchDirectoryResponse *)read;
    TRY(pb_alloc(arena, (wire->n_notes + 1) * sizeof **notes, &memory, fault));
    *notes = memory;
    *count = wire->n_notes;
    for (size_t i = 0; i < wire->n_notes; i++) {
        (*notes)[i] = pb_bytes(wire->notes[i]);
    }
    return RC_OK;
}
