#include "lote/manifest.h"

#include <jansson.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"

#define VERSION 1

static const char *const kinds[] = {"mensajes", "estados", "canalizaciones", "rechazos"};
static const char *const keys[] = {"version",   "tipo",   "lote",     "archivo",
                                   "renglones", "sha256", "columnas", "creado"};
#define KEYS (sizeof keys / sizeof keys[0])

void manifest_write(const struct manifest *manifest, struct buffer *out)
{
    char digest[2 * DIGEST_SIZE + 1];
    json_t *columns = json_array();
    json_t *object;
    char *text;

    hex_encode(manifest->sha256, DIGEST_SIZE, digest);
    for (size_t i = 0; i < manifest->column_count; i++) {
        json_array_append_new(columns, json_string(manifest->columns[i]));
    }
    object = json_pack("{s:i,s:s,s:s,s:s,s:I,s:s,s:o,s:s}", "version", VERSION, "tipo",
                       kinds[manifest->kind], "lote", manifest->batch, "archivo", manifest->file,
                       "renglones", (json_int_t)manifest->rows, "sha256", digest, "columnas",
                       columns, "creado", manifest->created);
    text = json_dumps(object, JSON_INDENT(1));
    buffer_put_bytes(out, bytes_text(text != NULL ? text : ""));
    buffer_put_u8(out, '\n');
    out->is_failed = out->is_failed || text == NULL;
    free(text);
    json_decref(object);
}

/* ---- reading ---- */

static enum rc bad(struct fault *fault, const char *reason, const char *key, const char *remedy)
{
    return refuse(fault, RC_INVALID_ARGUMENT, reason, key, "%s", remedy);
}

static enum rc check_keys(json_t *object, struct fault *fault)
{
    const char *key;
    json_t *value;
    size_t known = 0;

    json_object_foreach(object, key, value)
    {
        bool is_known = false;

        for (size_t i = 0; i < KEYS; i++) {
            is_known = is_known || strcmp(key, keys[i]) == 0;
        }
        if (!is_known) {
            return bad(fault, "manifest.key", "", "Tiene una clave que no se conoce.");
        }
        known++;
    }
    return known == KEYS ? RC_OK
                         : bad(fault, "manifest.key", "",
                               "Faltan claves: version, tipo, lote, archivo, renglones, sha256, "
                               "columnas, creado.");
}

static bool is_plain_name(const char *name)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789._-";
    size_t length = strlen(name);

    return length > 0 && length <= MANIFEST_NAME_MAX && name[0] != '.' &&
           strspn(name, allowed) == length;
}

static enum rc take_kind(json_t *object, struct manifest *manifest, struct fault *fault)
{
    const char *kind = json_string_value(json_object_get(object, "tipo"));

    for (size_t i = 0; kind != NULL && i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kind, kinds[i]) == 0) {
            manifest->kind = (enum manifest_kind)i;
            return RC_OK;
        }
    }
    return bad(fault, "manifest.value", "tipo", "Es mensajes, estados, canalizaciones o rechazos.");
}

static enum rc take_names(json_t *object, struct manifest *manifest, struct fault *fault)
{
    const char *batch = json_string_value(json_object_get(object, "lote"));
    const char *file = json_string_value(json_object_get(object, "archivo"));
    const char *digest = json_string_value(json_object_get(object, "sha256"));
    const char *created = json_string_value(json_object_get(object, "creado"));
    int64_t created_ms;

    if (batch == NULL || !is_plain_name(batch)) {
        return bad(fault, "manifest.value", "lote", "Letras, cifras, punto y guiones; hasta 160.");
    }
    snprintf(manifest->batch, sizeof manifest->batch, "%s", batch);
    snprintf(manifest->file, sizeof manifest->file, "%s.csv", batch);
    if (file == NULL || strcmp(file, manifest->file) != 0) {
        return bad(fault, "manifest.value", "archivo", "Se llama como el lote, con .csv.");
    }
    if (digest == NULL || strlen(digest) != 2 * DIGEST_SIZE ||
        hex_decode(digest, manifest->sha256, DIGEST_SIZE) != RC_OK) {
        return bad(fault, "manifest.value", "sha256", "Son 64 cifras hexadecimales, minúsculas.");
    }
    if (created == NULL || clock_parse(bytes_text(created), &created_ms) != RC_OK) {
        return bad(fault, "manifest.value", "creado", "Es fecha y hora con zona (RFC 3339).");
    }
    snprintf(manifest->created, sizeof manifest->created, "%s", created);
    return RC_OK;
}

static enum rc take_columns(json_t *object, struct arena *arena, struct manifest *manifest,
                            struct fault *fault)
{
    json_t *columns = json_object_get(object, "columnas");
    json_t *rows = json_object_get(object, "renglones");
    json_t *version = json_object_get(object, "version");

    if (!json_is_integer(version) || json_integer_value(version) != VERSION) {
        return bad(fault, "manifest.value", "version", "Se conoce la versión 1.");
    }
    if (!json_is_integer(rows) || json_integer_value(rows) < 0 ||
        json_integer_value(rows) > CSV_ROWS_MAX) {
        return bad(fault, "manifest.value", "renglones", "Es un número de 0 a 5000.");
    }
    if (!json_is_array(columns) || json_array_size(columns) == 0 ||
        json_array_size(columns) > CSV_COLUMNS_MAX) {
        return bad(fault, "manifest.value", "columnas", "Es la lista de los encabezados.");
    }
    manifest->rows = (size_t)json_integer_value(rows);
    manifest->column_count = json_array_size(columns);
    for (size_t i = 0; i < manifest->column_count; i++) {
        const char *name = json_string_value(json_array_get(columns, i));

        if (name == NULL) {
            return bad(fault, "manifest.value", "columnas", "Es la lista de los encabezados.");
        }
        manifest->columns[i] = arena_text(arena, bytes_text(name));
        if (manifest->columns[i] == NULL) {
            return RC_RESOURCE_EXHAUSTED;
        }
    }
    return RC_OK;
}

static enum rc take_all(json_t *object, struct arena *arena, struct manifest *manifest,
                        struct fault *fault)
{
    TRY(check_keys(object, fault));
    TRY(take_kind(object, manifest, fault));
    TRY(take_names(object, manifest, fault));
    return take_columns(object, arena, manifest, fault);
}

enum rc manifest_read(struct bytes text, struct arena *arena, struct manifest *manifest,
                      struct fault *fault)
{
    json_error_t error;
    json_t *object;
    enum rc rc;

    memset(manifest, 0, sizeof *manifest);
    if (text.size > MANIFEST_BYTES_MAX) {
        return bad(fault, "manifest.json", "", "Pasa de 64 KiB.");
    }
    object = json_loadb((const char *)text.data, text.size, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(object)) {
        json_decref(object);
        return refuse(fault, RC_INVALID_ARGUMENT, "manifest.json", "",
                      "No es un objeto JSON con claves distintas: línea %d, columna %d.",
                      error.line, error.column);
    }
    rc = take_all(object, arena, manifest, fault);
    json_decref(object);
    return rc;
}

enum rc manifest_open(const struct manifest *manifest, struct bytes file, struct arena *arena,
                      struct csv *csv, struct fault *fault)
{
    uint8_t digest[DIGEST_SIZE];

    digest_of(&file, 1, digest);
    if (memcmp(digest, manifest->sha256, DIGEST_SIZE) != 0) {
        return bad(fault, "manifest.sha256", manifest->file,
                   "El archivo no es el que el manifiesto describe; envíe el lote de nuevo.");
    }
    TRY(csv_read(file, arena, csv, fault));
    if (csv->rows != manifest->rows) {
        return refuse(fault, RC_INVALID_ARGUMENT, "manifest.rows", manifest->file,
                      "Tiene %zu renglones y el manifiesto dice %zu.", csv->rows, manifest->rows);
    }
    for (size_t i = 0; i < csv->columns; i++) {
        if (csv->columns != manifest->column_count ||
            strcmp(csv->header[i], manifest->columns[i]) != 0) {
            return bad(fault, "manifest.columns", manifest->file,
                       "Los encabezados no son los que el manifiesto dice.");
        }
    }
    return RC_OK;
}
