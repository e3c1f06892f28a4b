#include "rpc/codec_pb.h"

bool pb_path_fill(ProtobufCBinaryData to[PATH_MAX_HASHES], const struct path *from)
{
    if (from->count > PATH_MAX_HASHES) {
        return false;
    }
    for (size_t i = 0; i < from->count; i++) {
        to[i] = pb_data(from->hashes[i]);
    }
    return true;
}

void pb_path_read(const ProtobufCBinaryData *from, size_t count, struct path *path)
{
    path->count = count;
    for (size_t i = 0; i < count; i++) {
        path->hashes[i] = pb_bytes(from[i]);
    }
}
