#include "rpc/codec_pb.h"

enum rc codec_follow_request_read(struct bytes from, struct arena *arena,
                                  struct follow_request *request, struct fault *fault)
{
    ProtobufCMessage *read = NULL;
    const Enlace__V1__FollowRequest *wire;

    TRY(pb_read(SHAPE_FOLLOW_REQUEST, from, "", arena, &read, fault));
    wire = (const Enlace__V1__FollowRequest *)read;
    *request = (struct follow_request){.feed = pb_bytes(wire->feed),
                                       .next = wire->next,
                                       .walk = pb_bytes(wire->walk),
                                       .offset = wire->offset};
    return RC_OK;
}

void codec_follow_request_write(const struct follow_request *request, struct buffer *out)
{
    Enlace__V1__FollowRequest wire;

    enlace__v1__follow_request__init(&wire);
    wire.feed = pb_data(request->feed);
    wire.next = request->next;
    wire.walk = pb_data(request->walk);
    wire.offset = request->offset;
    pb_write(&wire.base, out);
}

enum rc codec_follow_page_read(struct bytes from, struct arena *arena, struct follow_page *page,
                               struct fault *fault)
{
    ProtobufCMessage *read = NULL;
    const Enlace__V1__FollowResponse *wire;

    TRY(pb_read(SHAPE_FOLLOW_RESPONSE, from, "", arena, &read, fault));
    wire = (const Enlace__V1__FollowResponse *)read;
    *page = (struct follow_page){.feed = pb_bytes(wire->feed),
                                 .next = wire->next,
                                 .walk = pb_bytes(wire->walk),
                                 .total = wire->total,
                                 .sha256 = pb_bytes(wire->sha256),
                                 .rows = pb_bytes(wire->rows),
                                 .is_complete = wire->is_complete,
                                 .checkpoint = pb_bytes(wire->checkpoint)};
    return RC_OK;
}

void codec_follow_page_write(const struct follow_page *page, struct buffer *out)
{
    Enlace__V1__FollowResponse wire;

    enlace__v1__follow_response__init(&wire);
    wire.feed = pb_data(page->feed);
    wire.next = page->next;
    wire.walk = pb_data(page->walk);
    wire.total = page->total;
    wire.sha256 = pb_data(page->sha256);
    wire.rows = pb_data(page->rows);
    wire.is_complete = page->is_complete;
    wire.checkpoint = pb_data(page->checkpoint);
    pb_write(&wire.base, out);
}
