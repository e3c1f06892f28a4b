#include "rpc/codec_service.h"

#include "base/arena.h"
#include "rpc/codec_pb.h"

static enum rc read_later(const Enlace__V1__LineProof *from, struct arena *arena,
                          struct line **later, struct fault *fault)
{
    void *memory;

    TRY(pb_alloc(arena, sizeof **later, &memory, fault));
    *later = memory;
    (*later)->old_size = from->old_size;
    (*later)->new_size = from->new_size;
    pb_path_read(from->consistency, from->n_consistency, &(*later)->consistency);
    return RC_OK;
}

enum rc codec_add_request_read(struct bytes from, struct arena *arena, struct add_request *request,
                               struct fault *fault)
{
    ProtobufCMessage *read = NULL;
    const Enlace__V1__AddCheckpointRequest *wire;

    TRY(pb_read(SHAPE_ADD_CHECKPOINT_REQUEST, from, "", arena, &read, fault));
    wire = (const Enlace__V1__AddCheckpointRequest *)read;
    *request = (struct add_request){.body = pb_bytes(wire->body)};
    return wire->later != NULL ? read_later(wire->later, arena, &request->later, fault) : RC_OK;
}

void codec_add_request_write(const struct add_request *request, struct buffer *out)
{
    Enlace__V1__AddCheckpointRequest wire;
    Enlace__V1__LineProof later;
    ProtobufCBinaryData path[PATH_MAX_HASHES];

    enlace__v1__add_checkpoint_request__init(&wire);
    wire.body = pb_data(request->body);
    if (request->later != NULL) {
        enlace__v1__line_proof__init(&later);
        later.old_size = request->later->old_size;
        later.new_size = request->later->new_size;
        if (!pb_path_fill(path, &request->later->consistency)) {
            out->is_failed = true;
            return;
        }
        later.n_consistency = request->later->consistency.count;
        later.consistency = path;
        wire.later = &later;
    }
    pb_write(&wire.base, out);
}

enum rc codec_add_response_read(struct bytes from, struct arena *arena,
                                struct add_response *response, struct fault *fault)
{
    ProtobufCMessage *read = NULL;
    const Enlace__V1__AddCheckpointResponse *wire;

    TRY(pb_read(SHAPE_ADD_CHECKPOINT_RESPONSE, from, "", arena, &read, fault));
    wire = (const Enlace__V1__AddCheckpointResponse *)read;
    *response = (struct add_response){
        .status = wire->status, .size = wire->size, .cosignature = pb_bytes(wire->cosignature)};
    return RC_OK;
}

void codec_add_response_write(const struct add_response *response, struct buffer *out)
{
    Enlace__V1__AddCheckpointResponse wire;

    enlace__v1__add_checkpoint_response__init(&wire);
    wire.status = response->status;
    wire.size = response->size;
    wire.cosignature = pb_data(response->cosignature);
    pb_write(&wire.base, out);
}

enum rc codec_origin_read(struct bytes from, struct arena *arena, const char **origin,
                          struct fault *fault)
{
    ProtobufCMessage *read = NULL;

    TRY(pb_read(SHAPE_GET_CHECKPOINT_REQUEST, from, "", arena, &read, fault));
    *origin = ((const Enlace__V1__GetCheckpointRequest *)read)->origin;
    return RC_OK;
}

void codec_origin_write(const char *origin, struct buffer *out)
{
    Enlace__V1__GetCheckpointRequest wire;

    enlace__v1__get_checkpoint_request__init(&wire);
    wire.origin = pb_text(origin);
    pb_write(&wire.base, out);
}

enum rc codec_note_read(struct bytes from, struct arena *arena, struct bytes *note,
                        struct fault *fault)
{
    ProtobufCMessage *read = NULL;

    TRY(pb_read(SHAPE_GET_CHECKPOINT_RESPONSE, from, "", arena, &read, fault));
    *note = pb_bytes(((const Enlace__V1__GetCheckpointResponse *)read)->checkpoint);
    return RC_OK;
}

void codec_note_write(struct bytes note, struct buffer *out)
{
    Enlace__V1__GetCheckpointResponse wire;

    enlace__v1__get_checkpoint_response__init(&wire);
    wire.checkpoint = pb_data(note);
    pb_write(&wire.base, out);
}
