#include "rpc/codec_parcel_file.h"

#include "rpc/codec_pb.h"

enum rc codec_parcel_export_read(struct bytes from, struct arena *arena,
                                 struct parcel_export *request, struct fault *fault)
{
    ProtobufCMessage *read = NULL;
    const Enlace__V1__ExportParcelRequest *wire;

    TRY(pb_read(SHAPE_EXPORT_PARCEL_REQUEST, from, "", arena, &read, fault));
    wire = (const Enlace__V1__ExportParcelRequest *)read;
    *request =
        (struct parcel_export){.node = wire->node, .certificate = pb_bytes(wire->certificate)};
    return RC_OK;
}

void codec_parcel_export_write(const struct parcel_export *request, struct buffer *out)
{
    Enlace__V1__ExportParcelRequest wire;

    enlace__v1__export_parcel_request__init(&wire);
    wire.node = pb_text(request->node);
    wire.certificate = pb_data(request->certificate);
    pb_write(&wire.base, out);
}

enum rc codec_parcel_exported_read(struct bytes from, struct arena *arena,
                                   struct parcel_exported *response, struct fault *fault)
{
    ProtobufCMessage *read = NULL;
    const Enlace__V1__ExportParcelResponse *wire;

    TRY(pb_read(SHAPE_EXPORT_PARCEL_RESPONSE, from, "", arena, &read, fault));
    wire = (const Enlace__V1__ExportParcelResponse *)read;
    *response = (struct parcel_exported){.file = pb_bytes(wire->file),
                                         .entries = wire->entries,
                                         .is_urgent = wire->is_urgent,
                                         .has_more = wire->has_more};
    return RC_OK;
}

void codec_parcel_exported_write(const struct parcel_exported *response, struct buffer *out)
{
    Enlace__V1__ExportParcelResponse wire;

    enlace__v1__export_parcel_response__init(&wire);
    wire.file = pb_data(response->file);
    wire.entries = response->entries;
    wire.is_urgent = response->is_urgent;
    wire.has_more = response->has_more;
    pb_write(&wire.base, out);
}

enum rc codec_parcel_import_read(struct bytes from, struct arena *arena,
                                 struct parcel_import *request, struct fault *fault)
{
    ProtobufCMessage *read = NULL;
    const Enlace__V1__ImportParcelRequest *wire;

    TRY(pb_read(SHAPE_IMPORT_PARCEL_REQUEST, from, "", arena, &read, fault));
    wire = (const Enlace__V1__ImportParcelRequest *)read;
    *request = (struct parcel_import){.file = pb_bytes(wire->file),
                                      .certificate = pb_bytes(wire->certificate)};
    return RC_OK;
}

void codec_parcel_import_write(const struct parcel_import *request, struct buffer *out)
{
    Enlace__V1__ImportParcelRequest wire;

    enlace__v1__import_parcel_request__init(&wire);
    wire.file = pb_data(request->file);
    wire.certificate = pb_data(request->certificate);
    pb_write(&wire.base, out);
}

enum rc codec_parcel_imported_read(struct bytes from, struct arena *arena,
                                   struct parcel_imported *response, struct fault *fault)
{
    ProtobufCMessage *read = NULL;
    const Enlace__V1__ImportParcelResponse *wire;

    TRY(pb_read(SHAPE_IMPORT_PARCEL_RESPONSE, from, "", arena, &read, fault));
    wire = (const Enlace__V1__ImportParcelResponse *)read;
    *response = (struct parcel_imported){.answer = pb_bytes(wire->answer),
                                         .accepted = wire->accepted,
                                         .refused = wire->refused,
                                         .must_repeat = wire->must_repeat,
                                         .from = wire->from};
    return RC_OK;
}

void codec_parcel_imported_write(const struct parcel_imported *response, struct buffer *out)
{
    Enlace__V1__ImportParcelResponse wire;

    enlace__v1__import_parcel_response__init(&wire);
    wire.answer = pb_data(response->answer);
    wire.accepted = response->accepted;
    wire.refused = response->refused;
    wire.must_repeat = response->must_repeat;
    wire.from = pb_text(response->from);
    pb_write(&wire.base, out);
}
