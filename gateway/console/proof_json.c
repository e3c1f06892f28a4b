#include "console/proof_json.h"

#include <string.h>

#include "tlog/tlog_proof.h"

static void add(json_t *object, const char *name, const struct buffer *text)
{
    json_object_set_new(object, name,
                        text->size > 0 ? json_stringn((const char *)text->data, text->size)
                                       : json_string(""));
}

static void add_base64(json_t *object, const char *name, struct bytes bytes)
{
    OWN(buffer) text = {0};

    buffer_put_base64(&text, bytes);
    add(object, name, &text);
}

json_t *proof_json(uint64_t index, const struct audit_entry *entry, struct bytes note)
{
    json_t *evidence = json_object();
    struct proof path = {.count = 0};
    OWN(buffer) text = {0};

    for (size_t i = 0; i < entry->path.count && i < PROOF_MAX; i++) {
        if (entry->path.hashes[i].size == DIGEST_SIZE) {
            memcpy(path.hashes[path.count++], entry->path.hashes[i].data, DIGEST_SIZE);
        }
    }
    tlog_proof_write(index, &path, (struct bytes){0}, note, &text);
    add_base64(evidence, "leaf", entry->leaf);
    add_base64(evidence, "record", entry->record);
    add_base64(evidence, "record_blind", entry->record_blind);
    add(evidence, "tlog_proof", &text);
    return evidence;
}
