/*
 * codec_parcel_file - requests and responses of service Parcel, as plain structs.
 *
 * The same rules as rpc/codec.h: reading is strict and borrows, writing appends.
 */
#ifndef RPC_CODEC_PARCEL_FILE_H
#define RPC_CODEC_PARCEL_FILE_H

#include "model/directory.h"
#include "rpc/codec.h"

/* A parcel with its seals. */
#define PARCEL_FILE_MAX ((size_t)3 << 20)

struct parcel_export {
    const char *node;
    struct bytes certificate;
};

struct parcel_exported {
    struct bytes file;
    uint32_t entries;
    bool is_urgent;
    bool has_more;
};

struct parcel_import {
    struct bytes file;
    struct bytes certificate;
};

struct parcel_imported {
    struct bytes answer;
    uint32_t accepted;
    uint32_t refused;
    bool must_repeat;
    const char *from;
};

MUST_CHECK enum rc codec_parcel_export_read(struct bytes from, struct arena *arena,
                                            struct parcel_export *request, struct fault *fault);
void codec_parcel_export_write(const struct parcel_export *request, struct buffer *out);
MUST_CHECK enum rc codec_parcel_exported_read(struct bytes from, struct arena *arena,
                                              struct parcel_exported *response,
                                              struct fault *fault);
void codec_parcel_exported_write(const struct parcel_exported *response, struct buffer *out);
MUST_CHECK enum rc codec_parcel_import_read(struct bytes from, struct arena *arena,
                                            struct parcel_import *request, struct fault *fault);
void codec_parcel_import_write(const struct parcel_import *request, struct buffer *out);
MUST_CHECK enum rc codec_parcel_imported_read(struct bytes from, struct arena *arena,
                                              struct parcel_imported *response,
                                              struct fault *fault);
void codec_parcel_imported_write(const struct parcel_imported *response, struct buffer *out);

#endif
