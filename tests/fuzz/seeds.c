/*
 * seeds - writes the fuzzers' seeds with our own encoders: `seeds FOLDER`, a folder per parser.
 *
 * Run again only when a format changes: sealed seeds differ each time.
 */
#include <stdio.h>
#include <sys/stat.h>

#include "fuzz/cms_holder.h"
#include "client/petition.h"
#include "client/receipt_file.h"
#include "tlog/add_checkpoint.h"
#include "tlog/merkle.h"
#include "tlog/control.h"
#include "tlog/succession.h"
#include "tlog/tlog_proof.h"
#include "unit/rpc/codec_samples.h"

static const char *folder;

static void seed(const char *parser, const char *name, struct bytes content)
{
    char path[512];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", folder, parser);
    mkdir(path, 0755);
    snprintf(path, sizeof path, "%s/%s/%s", folder, parser, name);
    file = fopen(path, "wb");
    if (file == NULL || fwrite(content.data, 1, content.size, file) != content.size ||
        fclose(file) != 0) {
        perror(path);
        exit(1);
    }
}

static void leaf_seeds(uint8_t out[LEAF_SIZE])
{
    struct leaf leaf = {.class = LEAF_RECORD, .time_s = 1790000000, .index = 1};

    memset(leaf.message, 1, sizeof leaf.message);
    memset(leaf.record, 2, sizeof leaf.record);
    leaf_encode(&leaf, out);
    seed("leaf", "record", BYTES(out, LEAF_SIZE));
    memset(leaf.message, 0, sizeof leaf.message);
    leaf.class = LEAF_CONTROL;
    leaf_encode(&leaf, out);
    seed("leaf", "control", BYTES(out, LEAF_SIZE));
}

/* What a retention leaf says. */
static void control_seeds(void)
{
    struct control_retention retention = {.minimum = 512, .order = {7}};
    OWN(buffer) setting = {0};
    OWN(buffer) order = {0};

    control_retention_write(&retention, &setting);
    seed("control", "setting", buffer_bytes(&setting));
    retention.has_order = true;
    control_retention_write(&retention, &order);
    seed("control", "order", buffer_bytes(&order));
}

/* The statement that begins a second epoch, and the one key that may sign it. */
static void succession_seeds(void)
{
    const uint8_t old_seed[ED25519_SEED_SIZE] = "a log key that was lost........";
    const uint8_t new_seed[ED25519_SEED_SIZE] = "a log key that came after it...";
    OWN_PTR(keyring) old_key = keyring_from_seed(old_seed);
    OWN_PTR(keyring) new_key = keyring_from_seed(new_seed);
    struct checkpoint last = {.origin = "gw.ssc/audit/2026", .size = 7};
    struct succession statement = {
        .node = "cdmx/ssc", .epoch = 2, .begun_ms = 1795489800000, .leaves = 9};
    OWN(buffer) note = {0};
    OWN(buffer) text = {0};
    OWN(buffer) list = {0};
    char vkey[VKEY_TEXT_SIZE];
    struct vkey authority;

    assert(vkey_of(last.origin, VKEY_ED25519, old_key, &statement.old_key) == RC_OK &&
           vkey_of("gw.ssc/audit/2026-2", VKEY_ED25519, new_key, &statement.new_key) == RC_OK &&
           vkey_of("authority.cdmx/1", VKEY_ED25519, new_key, &authority) == RC_OK);
    assert(checkpoint_sign(&last, old_key, &note) == RC_OK);
    assert(succession_set_last(&statement, buffer_bytes(&note)) == RC_OK);
    assert(succession_write(&statement, &text) == RC_OK);
    seed("succession", "text", buffer_bytes(&text));
    buffer_clear(&note);
    assert(note_sign(buffer_bytes(&text), authority.name, new_key, &note) == RC_OK);
    seed("succession", "signed", buffer_bytes(&note));
    vkey_format(&authority, vkey);
    buffer_print(&list, "enlace-authorities v1\nquorum 1\nauthority %s\n", vkey);
    seed("succession", "authorities", buffer_bytes(&list));
}

/* A tree of two, its signed head, the receipt of the second leaf, and a file that holds it twice.
 */
static void log_seeds(const uint8_t leaf[LEAF_SIZE])
{
    const char *origin = "gw.cdmx/audit/2026";
    const uint8_t seed_bytes[ED25519_SEED_SIZE] = "a log key that guards nothing..";
    OWN_PTR(keyring) keyring = keyring_from_seed(seed_bytes);
    struct checkpoint head = {.size = 2};
    struct proof path = {.count = 1};
    struct receipt_file file = {.count = 2};
    uint8_t hashes[2][DIGEST_SIZE];
    const uint8_t(*leaves)[DIGEST_SIZE] = (const uint8_t(*)[DIGEST_SIZE])hashes;
    OWN(buffer) note = {0};
    OWN(buffer) body = {0};
    OWN(buffer) proof = {0};
    OWN(buffer) text = {0};
    char vkey_text[VKEY_TEXT_SIZE];
    struct vkey vkey;

    merkle_leaf(bytes_text("the first"), hashes[0]);
    merkle_leaf(BYTES(leaf, LEAF_SIZE), hashes[1]);
    memcpy(path.hashes[0], hashes[0], DIGEST_SIZE);
    merkle_root(leaves, 2, head.root);
    snprintf(head.origin, sizeof head.origin, "%s", origin);
    assert(vkey_of(origin, VKEY_ED25519, keyring, &vkey) == RC_OK);
    vkey_format(&vkey, vkey_text);
    seed("note", "vkey", bytes_text(vkey_text));
    assert(checkpoint_sign(&head, keyring, &note) == RC_OK);
    seed("note", "checkpoint", buffer_bytes(&note));
    add_checkpoint_write(1, &path, buffer_bytes(&note), &body);
    seed("add_checkpoint", "body", buffer_bytes(&body));
    seed("add_checkpoint", "size", bytes_text("20852163\n"));
    seed("add_checkpoint", "add", bytes_text("/add-checkpoint"));
    seed(
        "add_checkpoint", "monitor",
        bytes_text("/e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855/checkpoint"));
    seed("add_checkpoint", "url", bytes_text("http://127.0.0.1:8080/prefix"));
    tlog_proof_write(1, &path, (struct bytes){0}, buffer_bytes(&note), &proof);
    seed("tlog_proof", "second-of-two", buffer_bytes(&proof));

    file.message_id = sample_id(1);
    memset(file.commitment, 3, sizeof file.commitment);
    for (size_t i = 0; i < file.count; i++) {
        file.receipts[i] = (struct receipt){
            .level = i == 0 ? RECEIPT_HELD : RECEIPT_RECEIVED,
            .leaf = BYTES(leaf, LEAF_SIZE),
            .tlog_proof = buffer_bytes(&proof),
        };
    }
    receipt_file_write(&file, &text);
    seed("receipt_file", "two", buffer_bytes(&text));
    seed("policy", "receipts", buffer_bytes(&text));
}

static void cms_seeds(void)
{
    OWN_PTR(cert) cert = NULL;
    OWN_PTR(sealkey) key = NULL;
    uint8_t digest[DIGEST_SIZE];
    OWN(buffer) sealed = {0};
    OWN(buffer) whole = {0};
    OWN(buffer) padded = {0};

    holder_make(&cert, &key);
    seed("cert", "system", cert_der(cert));
    assert(cms_seal(bytes_text("una calle"), (const struct cert *const[]){cert}, 1, &sealed,
                    digest) == RC_OK);
    buffer_put(&whole, digest, sizeof digest);
    buffer_put_bytes(&whole, buffer_bytes(&sealed));
    seed("cms", "sealed", buffer_bytes(&whole));
    assert(cms_pad(bytes_text("una calle"), &padded) == RC_OK);
    seed("cms", "padded", buffer_bytes(&padded));
}

/* The first byte chooses the reader, as in fuzz_codec. */
static void codec_seed(const char *name, char reader, struct bytes content)
{
    OWN(buffer) whole = {0};

    buffer_put_u8(&whole, (uint8_t)reader);
    buffer_put_bytes(&whole, content);
    seed("codec", name, buffer_bytes(&whole));
}

static void codec_seeds(const uint8_t leaf[LEAF_SIZE])
{
    const struct receipt receipt = {RECEIPT_HELD, BYTES(leaf, LEAF_SIZE), bytes_text("c2sp...")};
    const enum message_type types[] = {MESSAGE_REFERRAL, MESSAGE_ACT, MESSAGE_AGGREGATE};
    OWN(buffer) response = {0};

    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        OWN(sample) sample;
        OWN(buffer) message = {0};
        OWN(buffer) submission = {0};
        char name[32];

        assert(sample_make(&sample, types[i]));
        codec_message_write(&sample.submission.message, &message);
        codec_submit_write(&sample.submission, &submission);
        snprintf(name, sizeof name, "message-%d", (int)types[i]);
        codec_seed(name, 'm', buffer_bytes(&message));
        snprintf(name, sizeof name, "submit-%d", (int)types[i]);
        codec_seed(name, 's', buffer_bytes(&submission));
    }
    codec_submit_response_write(&receipt, false, &response);
    codec_seed("response", 'r', buffer_bytes(&response));
}

/* Two groups, one within the other, and every kind of line. */
static void policy_seeds(void)
{
    OWN(buffer) text = {0};

    buffer_put_bytes(&text, bytes_text("# demonstration\n\n"));
    for (uint8_t i = 0; i < 4; i++) {
        const uint8_t seed_bytes[ED25519_SEED_SIZE] = {i, 1};
        OWN_PTR(keyring) keyring = keyring_from_seed(seed_bytes);
        char vkey_text[VKEY_TEXT_SIZE];
        struct vkey vkey;

        assert(vkey_of(i == 0 ? "gw.cdmx/audit/2026" : "gw.ssc/witness",
                       i == 0 ? VKEY_ED25519 : VKEY_COSIGNATURE, keyring, &vkey) == RC_OK);
        vkey_format(&vkey, vkey_text);
        if (i == 0) {
            buffer_print(&text, "log %s https://gw.cdmx/\n", vkey_text);
        } else {
            buffer_print(&text, "witness w%u %s\n", (unsigned)i, vkey_text);
        }
    }
    buffer_put_bytes(&text, bytes_text("group g 2 w1 w2\ngroup h all g w3\nquorum h\n"));
    seed("policy", "groups", buffer_bytes(&text));
    seed("policy", "none", bytes_text("\tquorum  none \n"));
    seed("policy", "path", bytes_text("tile/0/x001/x234/067.p/8"));
}

static void petition_seeds(void)
{
    OWN_PTR(arena) arena = arena_new((size_t)64 << 10);
    const struct audit_case audit = {.purpose = "auditoria-2026", .blind = {7}};
    uint8_t commitment[HASH_SIZE];
    struct audit_query query = {.query_id = {{1}},
                                .reader = "spiffe://enlace.cdmx/auditor/contraloria/auditor-01",
                                .origin = "gw.cdmx/audit/2026",
                                .purpose_commitment = BYTES_OF(commitment),
                                .person = {{3}},
                                .holder = "cdmx/mpi-cdmx",
                                .wants_tag_key = true,
                                .expires_s = 1795467167};
    struct petition petition;
    OWN(buffer) text = {0};

    audit_case_commitment(&audit, commitment);
    audit_case_write(&audit, &text);
    seed("petition", "audit", buffer_bytes(&text));
    if (petition_make(&audit, &query, arena, &petition) != RC_OK) {
        exit(1);
    }
    buffer_clear(&text);
    petition_write(&petition, &text);
    seed("petition", "asked", buffer_bytes(&text));
    petition.approval = (struct signature){bytes_text("certificate"), bytes_text("signature")};
    buffer_clear(&text);
    petition_write(&petition, &text);
    seed("petition", "approved", buffer_bytes(&text));
    codec_seed("query", 'q', petition.query_bytes);
}

static void text_seeds(void)
{
    seed("spiffe", "system", bytes_text("spiffe://enlace.cdmx/member/ssc/system/adapter"));
    seed("spiffe", "node", bytes_text("spiffe://enlace.mx/node/segob"));
    seed("spiffe", "official", bytes_text("spiffe://enlace.cdmx/member/ssc/official/enlace-01"));
    seed("spiffe", "auditor", bytes_text("spiffe://enlace.cdmx/auditor/contraloria/a-1"));
    seed("clock", "offset", bytes_text("2019-06-03T10:00:00-06:00"));
    seed("clock", "fraction", bytes_text("2019-06-03T10:00:00.123Z"));
    seed("clock", "date", bytes_text("2020-02-29"));
    seed("bytes", "base64", bytes_text("AAECAwQFBgcICQ=="));
    seed("conf", "all",
         bytes_text("# comment\nname = uno\nneeded = dos\nlimit_ms = 20\n"
                    "peer = a\npeer = b\n"));
}

int main(int argc, char **argv)
{
    uint8_t leaf[LEAF_SIZE];

    if (argc != 2) {
        fprintf(stderr, "usage: seeds FOLDER\n");
        return 2;
    }
    folder = argv[1];
    mkdir(folder, 0755);
    leaf_seeds(leaf);
    log_seeds(leaf);
    succession_seeds();
    control_seeds();
    cms_seeds();
    codec_seeds(leaf);
    policy_seeds();
    petition_seeds();
    text_seeds();
    return 0;
}
