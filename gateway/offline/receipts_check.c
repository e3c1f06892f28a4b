#include "offline/receipts_check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "offline/report.h"
#include "tlog/commit.h"
#include "tlog/merkle.h"
#include "tlog/tlog_proof.h"

static bool check_leaf(const struct receipt_bundle *bundle, const struct receipt_bundle_item *item,
                       const struct tlog_proof *proof, const struct checkpoint *head,
                       const char *where, struct leaf *leaf, struct report *report)
{
    uint8_t expected[DIGEST_SIZE];
    uint8_t hash[DIGEST_SIZE];

    if (leaf_decode(BYTES_OF(item->leaf), leaf) != RC_OK || leaf->class != LEAF_RECORD) {
        report_bad(report, "receipt.leaf", where, "La hoja no tiene la forma debida.");
        return false;
    }
    commit_leaf(head->origin, leaf->nonce, bundle->commitment, expected);
    if (!digest_equal(expected, leaf->message)) {
        report_bad(report, "receipt.other_message", where,
                   "El acuse es de otro mensaje, o el mensaje fue alterado.");
        return false;
    }
    if (leaf->index != proof->index) {
        report_bad(report, "receipt.index", where,
                   "La hoja y su prueba dicen lugares distintos de la bitácora.");
        return false;
    }
    merkle_leaf(BYTES_OF(item->leaf), hash);
    if (proof_check_inclusion(hash, proof->index, head->size, &proof->path, head->root) != RC_OK) {
        report_bad(report, "receipt.not_included", where,
                   "La hoja no está en la bitácora que firma el sello.");
        return false;
    }
    return true;
}

static void say_facts(const struct checkpoint *head, const struct leaf *leaf, const char *prefix,
                      const char *where, struct report *report)
{
    char key[40];
    char when[REPORT_TIME_SIZE];

    report_time(leaf->time_s, when);
    snprintf(key, sizeof key, "%slog", prefix);
    report_text(report, key, where, "%s, hoja %" PRIu64 ", árbol de %" PRIu64 ", %s", head->origin,
                leaf->index, head->size, when);
    snprintf(key, sizeof key, "%sindex", prefix);
    report_number(report, key, "", leaf->index);
    snprintf(key, sizeof key, "%stree_size", prefix);
    report_number(report, key, "", head->size);
    snprintf(key, sizeof key, "%stime_s", prefix);
    report_number(report, key, "", leaf->time_s);
}

static bool check_one(const struct receipt_bundle *bundle, const struct receipt_bundle_item *item,
                      const struct trust *trust, struct note *note, struct report *report)
{
    const char *where = item->level == 0 ? "R0, lo guarda el nodo de quien envía"
                                         : "R1, lo guarda el nodo de quien recibe";
    const char *prefix = item->level == 0 ? "R0_" : "R1_";
    struct tlog_proof proof;
    struct checkpoint head;
    struct leaf leaf;

    if (tlog_proof_parse(item->tlog_proof, &proof) != RC_OK) {
        report_bad(report, "receipt.malformed", where,
                   "La prueba no tiene la forma de C2SP tlog-proof.");
        return false;
    }
    if (!trust_open(trust, proof.note, where, note, &head, report) ||
        !check_leaf(bundle, item, &proof, &head, where, &leaf, report)) {
        return false;
    }
    say_facts(&head, &leaf, prefix, where, report);
    trust_grade(trust, note, prefix, where, NULL, report);
    trust_judge_policy(trust, head.origin, report);
    return true;
}

unsigned receipts_check(const struct receipt_bundle *bundle, const struct trust *trust,
                        struct report *report)
{
    struct note *note = malloc(sizeof *note);
    unsigned levels = 0;

    report_text(report, "message_id", "Mensaje", "%s", bundle->message_id);
    for (size_t i = 0; note != NULL && i < bundle->count; i++) {
        if (check_one(bundle, &bundle->items[i], trust, note, report)) {
            levels |= 1u << bundle->items[i].level;
        }
    }
    if (note == NULL) {
        report_bad(report, "memory", "", "Falta memoria.");
    }
    free(note);
    return levels;
}

/* Nothing signs the level's name: one leaf under both names is one log's word. */
static bool share_a_leaf(const struct receipt_bundle *a, const struct receipt_bundle *b)
{
    for (size_t i = 0; i < a->count; i++) {
        for (size_t k = 0; k < b->count; k++) {
            if (a->items[i].level != b->items[k].level &&
                memcmp(a->items[i].leaf, b->items[k].leaf, LEAF_SIZE) == 0) {
                return true;
            }
        }
    }
    return false;
}

static void say_pairing(const char *word, const char *text, struct report *report)
{
    report_text(report, "pairing", "", "%s", word);
    report_text(report, "pairing_text", "Intercambio", "%s", text);
}

void receipts_compare(const struct receipt_bundle *a, const struct receipt_bundle *b,
                      const struct trust *trust, struct report *report)
{
    unsigned levels = receipts_check(a, trust, report);

    if (strcmp(a->message_id, b->message_id) != 0) {
        report_bad(report, "exchange.other", b->message_id,
                   "Los dos acuses son de mensajes distintos.");
        return;
    }
    levels |= receipts_check(b, trust, report);
    if (!digest_equal(a->commitment, b->commitment)) {
        say_pairing("differing", "contenido distinto en cada parte", report);
        report_bad(report, "exchange.differing", a->message_id,
                   "Cada parte guarda otro contenido bajo el mismo identificador.");
    } else if (levels == 3 && !share_a_leaf(a, b) && !share_a_leaf(a, a) && !share_a_leaf(b, b)) {
        say_pairing("paired", "consta en las dos bitácoras", report);
    } else {
        say_pairing("one_sided", "no consta en las dos bitácoras", report);
        report_bad(report, "exchange.one_sided", a->message_id,
                   levels == 1   ? "Sólo consta en la bitácora de quien envía."
                   : levels == 2 ? "Sólo consta en la bitácora de quien recibe."
                   : levels == 3 ? "Los dos acuses son una misma hoja con dos nombres."
                                 : "No consta en ninguna bitácora.");
    }
}
