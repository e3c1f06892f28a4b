#include "offline/evidence_folder.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "crypto/digest.h"
#include "crypto/filesig.h"
#include "crypto/timestamp.h"
#include "offline/disk.h"
#include "offline/report.h"
#include "tlog/add_checkpoint.h"
#include "tlog/commit.h"
#include "tlog/merkle.h"
#include "tlog/tlog_proof.h"

#define HEX_SIZE ((size_t)2 * DIGEST_SIZE)
#define PROOF_FILE_MAX ((size_t)32 << 10)

/* Of one run. */
struct checking {
    const struct evidence_check *check;
    struct report *report;
    struct note *note; /* scratch */
    struct checkpoint seal;
    size_t leaves;
    uint64_t first_s;
    uint64_t last_s;
};

bool evidence_name_is_valid(struct bytes name)
{
    bool is_start = true;

    for (size_t i = 0; i < name.size; i++) {
        char byte = (char)name.data[i];

        if (!(isalnum((unsigned char)byte) || strchr("._-/", byte) != NULL) || byte == '\0' ||
            (is_start && (byte == '.' || byte == '/'))) {
            return false;
        }
        is_start = byte == '/';
    }
    return name.size > 0 && name.size < EVIDENCE_NAME_SIZE && !is_start;
}

void evidence_leaf_name(uint64_t index, const char *ending, char out[EVIDENCE_NAME_SIZE])
{
    snprintf(out, EVIDENCE_NAME_SIZE, "hojas/%010" PRIu64 ".%s", index, ending);
}

/* ---- files and their sums ---- */

/* Cuts one line off. False: it is none. */
static bool take_sum(struct bytes *rest, struct bytes *hex, struct bytes *name)
{
    const uint8_t *end = memchr(rest->data, '\n', rest->size);
    size_t size = end != NULL ? (size_t)(end - rest->data) : 0;

    if (end == NULL || size <= HEX_SIZE + 2 || rest->data[HEX_SIZE] != ' ' ||
        rest->data[HEX_SIZE + 1] != ' ') {
        return false;
    }
    *hex = BYTES(rest->data, HEX_SIZE);
    *name = BYTES(rest->data + HEX_SIZE + 2, size - HEX_SIZE - 2);
    *rest = BYTES(end + 1, rest->size - size - 1);
    return evidence_name_is_valid(*name);
}

static bool check_file(struct checking *checking, struct bytes hex, const char *name)
{
    OWN(buffer) content = {0};
    char found[HEX_SIZE + 1];
    uint8_t digest[DIGEST_SIZE];
    struct bytes bytes;

    if (disk_read(checking->check->folder, name, EVIDENCE_FILE_MAX, &content) != RC_OK) {
        report_bad(checking->report, "evidence.file", name, "Falta, o no se puede leer.");
        return false;
    }
    bytes = buffer_bytes(&content);
    digest_of(&bytes, 1, digest);
    hex_encode(digest, DIGEST_SIZE, found);
    if (!bytes_equal(hex, bytes_text(found))) {
        report_bad(checking->report, "evidence.file", name, "No es el que se firmó: cambió.");
        return false;
    }
    return true;
}

static void check_signature(struct checking *checking, struct bytes sums)
{
    const struct evidence_check *check = checking->check;
    OWN_PTR(filesigners) signers = NULL;
    OWN(buffer) signature = {0};
    struct fault fault = {0};

    if (check->certificate == NULL) {
        report_text(checking->report, "signature", "Firma de la carpeta",
                    "sin verificar: dé --certificate con el de quien la hizo");
        return;
    }
    if (filesigners_load(check->certificate, &signers, &fault) != RC_OK ||
        disk_read(check->folder, "SUMAS.p7s", FILESIG_MAX, &signature) != RC_OK) {
        report_bad(checking->report, "evidence.signature", "SUMAS.p7s",
                   "No se puede leer la firma o el certificado.");
    } else if (filesig_verify(signers, sums, buffer_bytes(&signature), clock_now_ms(), &fault) !=
               RC_OK) {
        report_bad(checking->report, "evidence.signature", "SUMAS.p7s", "%s (%s)", fault.remedy,
                   fault.reason);
    } else {
        report_text(checking->report, "signature", "Firma de la carpeta", "verifica");
    }
}

/* ---- the seal ---- */

static bool open_seal(struct checking *checking, struct buffer *bytes)
{
    if (disk_read(checking->check->folder, "sello.checkpoint", PROOF_FILE_MAX, bytes) != RC_OK) {
        report_bad(checking->report, "evidence.seal", "sello.checkpoint", "Falta el sello.");
        return false;
    }
    if (!trust_open(checking->check->trust, buffer_bytes(bytes), "sello.checkpoint", checking->note,
                    &checking->seal, checking->report)) {
        return false;
    }
    report_text(checking->report, "log", "Bitácora", "%s", checking->seal.origin);
    report_number(checking->report, "tree_size", "Hojas bajo el sello", checking->seal.size);
    trust_grade(checking->check->trust, checking->note, "", "sello.checkpoint", NULL,
                checking->report);
    trust_judge_policy(checking->check->trust, checking->seal.origin, checking->report);
    return true;
}

static void check_stamp(struct checking *checking, struct bytes seal)
{
    const struct evidence_check *check = checking->check;
    OWN(buffer) answer = {0};
    struct fault fault = {0};
    char when[REPORT_TIME_SIZE];
    int64_t time_s = 0;

    if (disk_read(check->folder, "sello.tsr", TIMESTAMP_MAX, &answer) != RC_OK) {
        return;
    }
    if (check->tsa == NULL) {
        report_text(checking->report, "stamp", "Sello de tiempo",
                    "sin verificar: dé --tsa con el certificado de esa autoridad");
    } else if (timestamp_verify(check->tsa, seal, buffer_bytes(&answer), &time_s, &fault) !=
               RC_OK) {
        report_bad(checking->report, "evidence.stamp", "sello.tsr", "%s", fault.remedy);
    } else {
        report_time((uint64_t)time_s, when);
        report_text(checking->report, "stamp", "Sello de tiempo", "existía el %s", when);
    }
}

/* ---- leaves ---- */

static bool bad_leaf(struct checking *checking, const char *code, const char *where,
                     const char *text)
{
    report_bad(checking->report, code, where, "%s", text);
    return false;
}

/* Is the tree that the proof leads to the seal's, or one that began with it? */
static bool is_under_seal(struct checking *checking, const struct checkpoint *head,
                          const char *where)
{
    const struct checkpoint *seal = &checking->seal;
    char name[EVIDENCE_NAME_SIZE];
    OWN(buffer) body = {0};
    struct add_checkpoint grown;

    if (strcmp(head->origin, seal->origin) == 0 && head->size == seal->size &&
        digest_equal(head->root, seal->root)) {
        return true;
    }
    snprintf(name, sizeof name, "crecio/%" PRIu64 ".add-checkpoint", head->size);
    if (strcmp(head->origin, seal->origin) != 0 ||
        disk_read(checking->check->folder, name, PROOF_FILE_MAX, &body) != RC_OK ||
        add_checkpoint_parse(buffer_bytes(&body), &grown) != RC_OK ||
        grown.old_size != seal->size ||
        proof_check_consistency(seal->size, seal->root, head->size, head->root, &grown.proof) !=
            RC_OK) {
        return bad_leaf(checking, "evidence.not_grown", where,
                        "Nada prueba que su árbol empiece con el del sello.");
    }
    return true;
}

static bool check_record(struct checking *checking, const struct leaf *leaf)
{
    char name[EVIDENCE_NAME_SIZE];
    uint8_t expected[DIGEST_SIZE];
    OWN(buffer) content = {0};
    struct bytes bytes;

    evidence_leaf_name(leaf->index, "record", name);
    if (disk_read(checking->check->folder, name, EVIDENCE_FILE_MAX, &content) != RC_OK) {
        return bad_leaf(checking, "evidence.record", name, "Falta el registro de la hoja.");
    }
    bytes = buffer_bytes(&content);
    if (bytes.size < COMMIT_BLIND_SIZE) {
        return bad_leaf(checking, "evidence.record", name, "El registro está trunco.");
    }
    commit_record(bytes.data, BYTES(bytes.data + COMMIT_BLIND_SIZE, bytes.size - COMMIT_BLIND_SIZE),
                  expected);
    return digest_equal(expected, leaf->record) ||
           bad_leaf(checking, "evidence.record", name, "No es el registro al que la hoja obliga.");
}

static bool check_proof(struct checking *checking, const struct leaf *leaf, struct bytes entry,
                        struct checkpoint *head)
{
    char name[EVIDENCE_NAME_SIZE];
    uint8_t hash[DIGEST_SIZE];
    OWN(buffer) content = {0};
    struct tlog_proof proof;

    evidence_leaf_name(leaf->index, "tlog-proof", name);
    if (disk_read(checking->check->folder, name, PROOF_FILE_MAX, &content) != RC_OK ||
        tlog_proof_parse(buffer_bytes(&content), &proof) != RC_OK) {
        return bad_leaf(checking, "evidence.leaf", name,
                        "Falta la prueba, o no es C2SP tlog-proof.");
    }
    if (!trust_open(checking->check->trust, proof.note, name, checking->note, head,
                    checking->report)) {
        return false;
    }
    merkle_leaf(entry, hash);
    if (proof.index != leaf->index || leaf->index >= checking->seal.size) {
        return bad_leaf(checking, "evidence.index", name,
                        "La hoja y su prueba dicen otro lugar, o uno que el sello no cubre.");
    }
    if (proof_check_inclusion(hash, proof.index, head->size, &proof.path, head->root) != RC_OK) {
        return bad_leaf(checking, "evidence.not_included", name,
                        "La hoja no está en la bitácora que firma el sello.");
    }
    return is_under_seal(checking, head, name);
}

static void check_leaf(struct checking *checking, const char *name)
{
    OWN(buffer) content = {0};
    char expected[EVIDENCE_NAME_SIZE];
    struct checkpoint head;
    struct leaf leaf;

    if (disk_read(checking->check->folder, name, LEAF_SIZE, &content) != RC_OK ||
        leaf_decode(buffer_bytes(&content), &leaf) != RC_OK) {
        bad_leaf(checking, "evidence.leaf", name, "No es una hoja.");
        return;
    }
    evidence_leaf_name(leaf.index, "leaf", expected);
    if (strcmp(expected, name) != 0) {
        bad_leaf(checking, "evidence.index", name, "La hoja dice otro lugar que su nombre.");
        return;
    }
    if (check_record(checking, &leaf) &&
        check_proof(checking, &leaf, buffer_bytes(&content), &head)) {
        checking->first_s = checking->leaves == 0 ? leaf.time_s : checking->first_s;
        checking->last_s = leaf.time_s;
        checking->leaves++;
    }
}

static bool is_leaf(const char *name)
{
    size_t size = strlen(name);

    return strncmp(name, "hojas/", 6) == 0 && size > 5 && strcmp(name + size - 5, ".leaf") == 0;
}

static void check_all(struct checking *checking, struct bytes rest)
{
    char last[EVIDENCE_NAME_SIZE] = "";
    struct bytes hex;
    struct bytes line;
    size_t leaves = 0;
    size_t files = 0;

    while (rest.size > 0) {
        char name[EVIDENCE_NAME_SIZE];

        if (files == EVIDENCE_FILES_MAX || !take_sum(&rest, &hex, &line)) {
            report_bad(checking->report, "evidence.sums", "SUMAS",
                       "El renglón %zu no es «huella  nombre».", files + 1);
            return;
        }
        snprintf(name, sizeof name, "%.*s", (int)line.size, (const char *)line.data);
        if (strcmp(last, name) >= 0) {
            report_bad(checking->report, "evidence.sums", "SUMAS", "«%s» no está en orden.", name);
            return;
        }
        memcpy(last, name, sizeof last);
        files++;
        if (check_file(checking, hex, name) && is_leaf(name) && leaves++ < EVIDENCE_LEAVES_MAX) {
            check_leaf(checking, name);
        }
    }
    report_number(checking->report, "files", "Archivos, todos con su huella", files);
    report_text(checking->report, "leaves", "Registros que verifican", "%zu de %zu",
                checking->leaves, leaves);
    if (leaves == 0) {
        report_bad(checking->report, "evidence.empty", "hojas", "No hay ningún registro.");
    }
}

static void say_span(const struct checking *checking)
{
    char first[REPORT_TIME_SIZE];
    char last[REPORT_TIME_SIZE];

    if (checking->leaves > 0) {
        report_time(checking->first_s, first);
        report_time(checking->last_s, last);
        report_text(checking->report, "span", "Del", "%s al %s", first, last);
    }
}

void evidence_check_run(const struct evidence_check *check, struct report *report)
{
    struct checking checking = {.check = check, .report = report, .note = NULL};
    OWN(buffer) sums = {0};
    OWN(buffer) seal = {0};

    if (disk_read(check->folder, "SUMAS", EVIDENCE_SUMS_MAX, &sums) != RC_OK) {
        report_bad(report, "evidence.sums", "SUMAS", "Falta: no es una carpeta de evidencia.");
        return;
    }
    checking.note = malloc(sizeof *checking.note);
    if (checking.note == NULL) {
        report_bad(report, "memory", "", "Falta memoria.");
        return;
    }
    check_signature(&checking, buffer_bytes(&sums));
    if (open_seal(&checking, &seal)) {
        check_stamp(&checking, buffer_bytes(&seal));
        check_all(&checking, buffer_bytes(&sums));
        say_span(&checking);
    }
    free(checking.note);
}
