#include "client/receipt_check.h"

#include <stdio.h>
#include <string.h>

#include "tlog/checkpoint.h"
#include "tlog/commit.h"
#include "tlog/leaf.h"
#include "tlog/text.h"
#include "tlog/tlog_proof.h"

enum rc receipt_commitment(const struct message *message, uint8_t out[HASH_SIZE])
{
    struct commit_part parts[1 + MESSAGE_COMPARTMENTS_MAX];
    size_t count = 1;

    if (message->header_blind.size != COMMIT_BLIND_SIZE) {
        return RC_INVALID_ARGUMENT;
    }
    parts[0].number = COMMIT_HEADER_PART;
    commit_part(message->header_blind.data, message->header_bytes, parts[0].digest);
    for (size_t i = 0; i < message->compartment_count; i++) {
        const struct compartment *compartment = &message->compartments[i];

        if (compartment->blind.size != COMMIT_BLIND_SIZE || compartment->part > UINT16_MAX) {
            return RC_INVALID_ARGUMENT;
        }
        parts[count].number = (uint16_t)compartment->part;
        commit_part(compartment->blind.data, compartment->content, parts[count].digest);
        count++;
    }
    return commit_message(parts, count, out);
}

/* The origin that the proof's checkpoint claims: which key to try. */
static const struct vkey *claimed_log(const struct tlog_proof *proof, const struct vkey *logs,
                                      size_t log_count)
{
    struct bytes rest = proof->note;
    struct bytes origin;

    if (!text_line(&rest, &origin)) {
        return NULL;
    }
    for (size_t i = 0; i < log_count; i++) {
        if (bytes_are_text(origin, logs[i].name)) {
            return &logs[i];
        }
    }
    return NULL;
}

static enum rc flaw(struct fault *fault, const char *reason, const char *path, const char *remedy)
{
    return refuse(fault, RC_DATA_LOSS, reason, path, "%s", remedy);
}

static enum rc check_leaf(const uint8_t commitment[HASH_SIZE], const struct receipt *receipt,
                          const struct vkey *log, const struct tlog_proof *proof,
                          struct receipt_facts *facts, struct fault *fault)
{
    uint8_t expected[DIGEST_SIZE];
    struct leaf leaf;

    if (leaf_decode(receipt->leaf, &leaf) != RC_OK || leaf.class != LEAF_RECORD ||
        leaf.time_s > INT64_MAX / 1000) {
        return flaw(fault, "receipt.leaf", "receipt.leaf",
                    "La hoja de la bitácora no tiene la forma debida; pida de nuevo el acuse.");
    }
    facts->index = leaf.index;
    facts->time_ms = (int64_t)leaf.time_s * 1000;
    commit_leaf(log->name, leaf.nonce, commitment, expected);
    if (!digest_equal(expected, leaf.message)) {
        return flaw(fault, "receipt.other_message", "receipt.leaf",
                    "El acuse es de otro mensaje, o el mensaje fue alterado.");
    }
    if (leaf.index != proof->index) {
        return flaw(fault, "receipt.index", "receipt.tlog_proof",
                    "La hoja y su prueba dicen lugares distintos de la bitácora; no lo acepte.");
    }
    return RC_OK;
}

static enum rc check_tree(const struct receipt *receipt, const struct vkey *log,
                          struct receipt_facts *facts, struct fault *fault)
{
    struct checkpoint checkpoint;
    uint64_t index;

    switch (tlog_proof_verify(receipt->tlog_proof, receipt->leaf, log, &index, &checkpoint, NULL)) {
    case RC_OK:
        facts->tree_size = checkpoint.size;
        return RC_OK;
    case RC_DATA_LOSS:
        return flaw(fault, "receipt.not_included", "receipt.tlog_proof",
                    "La hoja no está en la bitácora que firma el sello; no lo acepte y avise a "
                    "quien opera el nodo.");
    case RC_UNAUTHENTICATED:
        return flaw(fault, "receipt.signature", "receipt.tlog_proof",
                    "La firma del sello no es de la bitácora que dice; no lo acepte y avise a "
                    "quien opera el nodo.");
    case RC_NOT_FOUND:
        return flaw(fault, "receipt.signature", "receipt.tlog_proof",
                    "El sello no lleva firma con la llave que usted tiene de esa bitácora; "
                    "compruebe que la llave sea la vigente.");
    default:
        return flaw(fault, "receipt.malformed", "receipt.tlog_proof",
                    "El sello de la bitácora no tiene la forma debida; pida de nuevo el acuse.");
    }
}

enum rc receipt_check(const uint8_t commitment[HASH_SIZE], const struct receipt *receipt,
                      const struct vkey *logs, size_t log_count, struct receipt_facts *facts,
                      struct fault *fault)
{
    struct receipt_facts found = {0};
    struct tlog_proof proof;
    const struct vkey *log;
    enum rc rc;

    if (tlog_proof_parse(receipt->tlog_proof, &proof) != RC_OK) {
        return flaw(fault, "receipt.malformed", "receipt.tlog_proof",
                    "La prueba no tiene la forma de C2SP tlog-proof; pida de nuevo el acuse.");
    }
    log = claimed_log(&proof, logs, log_count);
    if (log == NULL) {
        return flaw(fault, "receipt.unknown_log", "receipt.tlog_proof",
                    "No tiene la llave de la bitácora que firma, o no es la que corresponde; "
                    "agréguela (vkey) a su perfil o déla con --vkey.");
    }
    snprintf(found.origin, sizeof found.origin, "%s", log->name);
    rc = check_leaf(commitment, receipt, log, &proof, &found, fault);
    if (rc == RC_OK) {
        rc = check_tree(receipt, log, &found, fault);
    }
    if (facts != NULL) {
        *facts = found;
    }
    return rc;
}

const char *receipt_level_name(enum receipt_level level)
{
    return level == RECEIPT_HELD ? "R0" : level == RECEIPT_RECEIVED ? "R1" : "R?";
}

const char *receipt_level_text(enum receipt_level level)
{
    switch (level) {
    case RECEIPT_HELD:
        return "R0: lo guarda el nodo de quien envía";
    case RECEIPT_RECEIVED:
        return "R1: lo guarda el nodo de quien recibe";
    default:
        return "acuse de nivel desconocido";
    }
}
