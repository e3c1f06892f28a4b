/*
 * manifest - what a batch of rows says of itself: a small JSON file beside the CSV, signed.
 *
 *     {"version": 1, "tipo": "mensajes", "lote": "ENLACE-20261123-193230-0001",
 *      "archivo": "ENLACE-20261123-193230-0001.csv", "renglones": 12, "sha256": "<64 hex>",
 *      "columnas": ["CLAVE", ...], "creado": "2026-11-23T13:32:30-06:00"}
 *
 * tipo: "mensajes" goes to the agency, "estados" and "canalizaciones" come from it, "rechazos"
 * tells either side what of a batch was not taken. The three files NAME.csv, NAME.json and
 * NAME.json.p7s (crypto/filesig, over the JSON's bytes) appear in that order; the last completes
 * the batch.
 *
 * Reading refuses repeated, missing and unknown keys, other versions, and names that are no plain
 * names: "manifest.json", "manifest.key", "manifest.value". Comparing refuses "manifest.sha256",
 * "manifest.rows", "manifest.columns".
 */
#ifndef LOTE_MANIFEST_H
#define LOTE_MANIFEST_H

#include "base/bytes.h"
#include "crypto/digest.h"
#include "lote/csv.h"

#define MANIFEST_NAME_MAX 160
#define MANIFEST_BYTES_MAX ((size_t)64 << 10)

enum manifest_kind { MANIFEST_MESSAGES, MANIFEST_STATES, MANIFEST_REFERRALS, MANIFEST_REFUSALS };

struct manifest {
    enum manifest_kind kind;
    char batch[MANIFEST_NAME_MAX + 1];
    char file[MANIFEST_NAME_MAX + 8];
    size_t rows;
    uint8_t sha256[DIGEST_SIZE];
    const char *columns[CSV_COLUMNS_MAX];
    size_t column_count;
    char created[40];
};

void manifest_write(const struct manifest *manifest, struct buffer *out);
/* Texts live in the arena. */
MUST_CHECK enum rc manifest_read(struct bytes text, struct arena *arena, struct manifest *manifest,
                                 struct fault *fault);
/* Is this the file that the manifest speaks of? Reads it. */
MUST_CHECK enum rc manifest_open(const struct manifest *manifest, struct bytes file,
                                 struct arena *arena, struct csv *csv, struct fault *fault);

#endif
