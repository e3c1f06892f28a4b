#include "console/proof_steps.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "client/audit_read.h"
#include "client/audit_seen.h"
#include "client/record_json.h"
#include "console/proof_json.h"
#include "tlog/commit.h"
#include "tlog/leaf.h"
#include "tlog/merkle.h"
#include "tlog/proof.h"

#define VALUE_MAX 256

struct run {
    const struct proof_steps *proof;
    const struct audit_entry *entry;
    struct checkpoint head;
    uint64_t seen_size;
    struct leaf leaf;
    struct record record;
    uint8_t leaf_hash[DIGEST_SIZE];
    json_t *facts; /* of the step under way */
};

/* ---- what a step compared ---- */

__attribute__((format(printf, 3, 4))) static void tell(struct run *run, const char *label,
                                                       const char *format, ...)
{
    char value[VALUE_MAX];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(value, sizeof value, format, arguments);
    va_end(arguments);
    json_array_append_new(run->facts, json_pack("{s:s,s:s}", "label", label, "value", value));
}

static void tell_hash(struct run *run, const char *label, const uint8_t hash[DIGEST_SIZE])
{
    char hex[2 * DIGEST_SIZE + 1];

    hex_encode(hash, DIGEST_SIZE, hex);
    tell(run, label, "%s", hex);
}

static enum rc lies(struct fault *lie, const char *reason, uint64_t index, const char *what)
{
    char path[48];

    snprintf(path, sizeof path, "hoja %" PRIu64, index);
    return refuse(lie, RC_DATA_LOSS, reason, path,
                  "El nodo muestra lo que no puede probar: %s. Guarde lo que tenga y avise.", what);
}

/* ---- the steps ---- */

static enum rc check_head(struct run *run, struct fault *lie)
{
    const struct proof_steps *proof = run->proof;

    TRY(audit_read_open_head(proof->page->page.checkpoint, proof->logs, proof->log_count,
                             &run->head, lie));
    tell(run, "Bitácora", "%s", run->head.origin);
    tell(run, "Hojas que cubre", "%" PRIu64, run->head.size);
    tell_hash(run, "Raíz firmada", run->head.root);
    return RC_OK;
}

static enum rc check_history(struct run *run, struct fault *lie)
{
    const struct proof_steps *proof = run->proof;

    if (run->seen_size == 0) {
        tell(run, "Último sello que usted vio", "ninguno: éste es el primero");
    } else {
        tell(run, "Último sello que usted vio", "%" PRIu64 " hojas", run->seen_size);
        tell_hash(run, "Su raíz", proof->seen->last.root);
    }
    TRY(audit_seen_extend(proof->seen, &run->head, proof->page->page.checkpoint,
                          &proof->page->consistency, lie));
    tell(run, "Prueba de consistencia", "%zu huellas", proof->page->consistency.count);
    return RC_OK;
}

static enum rc check_leaf(struct run *run, struct fault *lie)
{
    if (leaf_decode(run->entry->leaf, &run->leaf) != RC_OK) {
        return lies(lie, "audit.leaf", run->proof->index, "una hoja sin la forma debida");
    }
    tell(run, "Lugar que la hoja dice", "%" PRIu64, run->leaf.index);
    if (run->leaf.index != run->proof->index) {
        return lies(lie, "audit.index", run->proof->index, "una hoja en otro lugar que el suyo");
    }
    merkle_leaf(run->entry->leaf, run->leaf_hash);
    tell_hash(run, "Huella de la hoja", run->leaf_hash);
    return RC_OK;
}

static enum rc check_inclusion(struct run *run, struct fault *lie)
{
    const struct path *path = &run->entry->path;
    struct proof proof = {.count = path->count};

    for (size_t i = 0; i < path->count; i++) {
        if (path->hashes[i].size != DIGEST_SIZE) {
            return lies(lie, "audit.path", run->proof->index, "una prueba mal formada");
        }
        memcpy(proof.hashes[i], path->hashes[i].data, DIGEST_SIZE);
    }
    for (size_t i = 0; i < proof.count; i++) {
        char label[64];

        snprintf(label, sizeof label, "Huella %zu de %zu", i + 1, proof.count);
        tell_hash(run, label, proof.hashes[i]);
    }
    tell_hash(run, "Raíz firmada", run->head.root);
    return proof_check_inclusion(run->leaf_hash, run->leaf.index, run->head.size, &proof,
                                 run->head.root) == RC_OK
               ? RC_OK
               : lies(lie, "audit.not_included", run->proof->index,
                      "una hoja que no está bajo el sello de la página");
}

static enum rc check_record(struct run *run, struct fault *lie)
{
    uint8_t hash[DIGEST_SIZE];

    if (run->entry->record_blind.size != COMMIT_BLIND_SIZE) {
        return lies(lie, "audit.record", run->proof->index, "un registro sin su cegador");
    }
    commit_record(run->entry->record_blind.data, run->entry->record, hash);
    tell_hash(run, "Compromiso calculado", hash);
    tell_hash(run, "Compromiso en la hoja", run->leaf.record);
    if (!digest_equal(hash, run->leaf.record)) {
        return lies(lie, "audit.record", run->proof->index,
                    "un registro que no es el que su hoja compromete");
    }
    return codec_record_read(run->entry->record, run->proof->arena, &run->record, NULL) == RC_OK
               ? RC_OK
               : lies(lie, "audit.record", run->proof->index, "un registro que no se entiende");
}

static const struct {
    const char *title;
    const char *text;
    enum rc (*check)(struct run *run, struct fault *lie);
} steps[] = {
    {"El sello lleva la firma de la bitácora",
     "Con la llave que su perfil tiene de ella, no con la que el nodo diga.", check_head},
    {"La bitácora sólo creció",
     "El sello de hoy continúa el último que usted vio: nada se quitó ni se cambió.",
     check_history},
    {"La hoja está en su lugar", "Tiene la forma debida y dice el número que se pidió.",
     check_leaf},
    {"La hoja está bajo el sello",
     "De su huella y las de sus vecinas resulta, paso a paso, la raíz firmada.", check_inclusion},
    {"El registro es el que la hoja compromete",
     "Su compromiso, calculado aquí, es el que está en la hoja.", check_record},
};

/* ---- the answer ---- */

static enum rc run_steps(struct run *run, json_t *list, struct fault *lie)
{
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        enum rc rc;

        run->facts = json_array();
        rc = steps[i].check(run, lie);
        json_array_append_new(
            list, json_pack("{s:s,s:b,s:s,s:o}", "title", steps[i].title, "ok", rc == RC_OK, "text",
                            rc == RC_OK ? steps[i].text : lie->remedy, "facts", run->facts));
        TRY(rc);
    }
    return RC_OK;
}

enum rc proof_steps_run(const struct proof_steps *proof, json_t **answer, struct fault *lie,
                        struct fault *fault)
{
    struct run run = {.proof = proof, .seen_size = audit_seen_size(proof->seen)};
    json_t *list;
    enum rc rc;

    if (proof->page->page.entry_count != 1) {
        return refuse(fault, RC_NOT_FOUND, "records.no_leaf", "",
                      "Esa hoja no existe, o no es de las que usted puede ver.");
    }
    run.entry = &proof->page->page.entries[0];
    list = json_array();
    rc = run_steps(&run, list, lie);
    *answer = json_pack("{s:b,s:i,s:o,s:o}", "verified", rc == RC_OK, "total",
                        (int)(sizeof steps / sizeof steps[0]), "steps", list, "evidence",
                        proof_json(proof->index, run.entry, proof->page->page.checkpoint));
    if (rc == RC_OK) {
        json_object_set_new(*answer, "record", record_json(&run.leaf, &run.record));
    } else {
        json_object_set_new(*answer, "reason", json_string(lie->reason));
    }
    return *answer != NULL ? RC_OK : RC_RESOURCE_EXHAUSTED;
}
