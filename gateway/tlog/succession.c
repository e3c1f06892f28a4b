#include "tlog/succession.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "tlog/text.h"

static const char *const causes[SUCCESSION_CAUSES] = {
    [SUCCESSION_LOST_DISK] = "lost-disk",
    [SUCCESSION_STOLEN_KEY] = "stolen-key",
    [SUCCESSION_YEAR] = "year",
};

const char *succession_cause_name(enum succession_cause cause)
{
    return causes[cause];
}

enum succession_cause succession_cause_of(const char *name)
{
    enum succession_cause cause = SUCCESSION_LOST_DISK;

    while (cause < SUCCESSION_CAUSES && strcmp(causes[cause], name) != 0) {
        cause++;
    }
    return cause;
}

/* ---- what must hold ---- */

/* NETWORK/CODE. */
static bool node_is_valid(const char *node)
{
    const char *slash = strchr(node, '/');

    return slash != NULL && slash != node && slash[1] != '\0' && strchr(slash + 1, '/') == NULL &&
           node[strspn(node, "abcdefghijklmnopqrstuvwxyz0123456789-/")] == '\0';
}

/* What stands before the first slash of an origin names the institution. */
static bool is_same_institution(const char *a, const char *b)
{
    size_t size = strcspn(a, "/");

    return size > 0 && a[size] == '/' && strcspn(b, "/") == size && b[size] == '/' &&
           memcmp(a, b, size) == 0;
}

static bool keys_are_valid(const struct succession *succession)
{
    const struct vkey *old_key = &succession->old_key;
    const struct vkey *new_key = &succession->new_key;
    bool is_same_key =
        memcmp(old_key->public_key, new_key->public_key, sizeof old_key->public_key) == 0;

    return old_key->type == VKEY_ED25519 && new_key->type == VKEY_ED25519 &&
           strcmp(old_key->name, new_key->name) != 0 &&
           is_same_institution(old_key->name, new_key->name) &&
           !(is_same_key && succession->cause == SUCCESSION_STOLEN_KEY);
}

static bool is_valid(const struct succession *succession)
{
    return node_is_valid(succession->node) && succession->epoch >= 2 &&
           succession->epoch <= SUCCESSION_EPOCH_MAX && succession->cause < SUCCESSION_CAUSES &&
           succession->begun_ms % 1000 == 0 && succession->begun_ms > 0 &&
           keys_are_valid(succession) && succession->last.size > 0 &&
           strcmp(succession->last.origin, succession->old_key.name) == 0 &&
           succession->leaves >= succession->last.size;
}

enum rc succession_set_last(struct succession *succession, struct bytes note)
{
    struct checkpoint last;
    enum rc rc;

    if (note.size > SUCCESSION_NOTE_MAX) {
        return RC_INVALID_ARGUMENT;
    }
    rc = checkpoint_open(note, &succession->old_key, NULL, &last);
    if (rc != RC_OK || last.size == 0) {
        return rc == RC_UNAUTHENTICATED ? rc : RC_INVALID_ARGUMENT;
    }
    memcpy(succession->last_note, note.data, note.size);
    succession->last_note_size = note.size;
    succession->last = last;
    return RC_OK;
}

/* ---- writing ---- */

static void write_quoted(struct bytes note, struct buffer *text)
{
    struct bytes line;

    while (text_line(&note, &line)) {
        buffer_print(text, line.size > 0 ? "> %.*s\n" : ">%.*s\n", (int)line.size,
                     (const char *)line.data);
    }
}

static void write_text(const struct succession *succession, struct buffer *text)
{
    char begun[CLOCK_TEXT_SIZE];
    char old_key[VKEY_TEXT_SIZE];
    char new_key[VKEY_TEXT_SIZE];

    clock_format(succession->begun_ms, begun);
    vkey_format(&succession->old_key, old_key);
    vkey_format(&succession->new_key, new_key);
    buffer_print(text,
                 "enlace-succession v1\nnode %s\nepoch %u\ncause %s\nbegun %s\nold-key %s\nnew-key "
                 "%s\nleaves %llu\nlast-checkpoint\n",
                 succession->node, succession->epoch, causes[succession->cause], begun, old_key,
                 new_key, (unsigned long long)succession->leaves);
    write_quoted(BYTES(succession->last_note, succession->last_note_size), text);
}

enum rc succession_write(const struct succession *succession, struct buffer *text)
{
    if (!is_valid(succession)) {
        return RC_INVALID_ARGUMENT;
    }
    write_text(succession, text);
    return text->is_failed ? RC_RESOURCE_EXHAUSTED : RC_OK;
}

/* ---- reading ---- */

/* "word value LF": false, and nothing moved on, when it is another line. */
static bool take_line(struct bytes *rest, const char *word, struct bytes *value)
{
    struct bytes after = *rest;

    if (!text_word(&after, word) || !text_line(&after, value)) {
        return false;
    }
    *rest = after;
    return true;
}

static bool copy_text(struct bytes value, char *out, size_t size)
{
    if (value.size >= size || memchr(value.data, 0, value.size) != NULL) {
        return false;
    }
    memcpy(out, value.data, value.size);
    out[value.size] = '\0';
    return true;
}

static bool take_epoch(struct bytes value, struct succession *succession)
{
    uint64_t epoch;

    if (text_decimal(value, &epoch) != RC_OK || epoch > SUCCESSION_EPOCH_MAX) {
        return false;
    }
    succession->epoch = (uint32_t)epoch;
    return true;
}

static bool take_cause(struct bytes value, struct succession *succession)
{
    char word[16];

    if (!copy_text(value, word, sizeof word)) {
        return false;
    }
    succession->cause = succession_cause_of(word);
    return succession->cause < SUCCESSION_CAUSES;
}

static bool take_head(struct bytes *rest, struct succession *succession)
{
    struct bytes value;

    return text_word(rest, "enlace-succession v1\n") && take_line(rest, "node ", &value) &&
           copy_text(value, succession->node, sizeof succession->node) &&
           take_line(rest, "epoch ", &value) && take_epoch(value, succession) &&
           take_line(rest, "cause ", &value) && take_cause(value, succession) &&
           take_line(rest, "begun ", &value) &&
           clock_parse(value, &succession->begun_ms) == RC_OK &&
           take_line(rest, "old-key ", &value) &&
           vkey_parse(value, &succession->old_key) == RC_OK &&
           take_line(rest, "new-key ", &value) &&
           vkey_parse(value, &succession->new_key) == RC_OK && take_line(rest, "leaves ", &value) &&
           text_decimal(value, &succession->leaves) == RC_OK &&
           text_word(rest, "last-checkpoint\n");
}

/* RC_INVALID_ARGUMENT when a line is not quoted. */
static enum rc take_note(struct bytes rest, struct buffer *note)
{
    struct bytes line;

    while (rest.size > 0) {
        if (!text_line(&rest, &line) || !text_word(&line, ">") ||
            (line.size > 0 && (!text_word(&line, " ") || line.size == 0))) {
            return RC_INVALID_ARGUMENT;
        }
        buffer_put_bytes(note, line);
        buffer_put_u8(note, '\n');
    }
    return note->is_failed ? RC_RESOURCE_EXHAUSTED : RC_OK;
}

/* Other offsets, spaces or zeros may mean the same: there is one way to write it. */
static enum rc check_form(struct bytes text, const struct succession *succession)
{
    OWN(buffer) again = {0};

    TRY(succession_write(succession, &again));
    return bytes_equal(buffer_bytes(&again), text) ? RC_OK : RC_INVALID_ARGUMENT;
}

enum rc succession_parse(struct bytes text, struct succession *succession)
{
    OWN(buffer) note = {0};
    struct bytes rest = text;

    memset(succession, 0, sizeof *succession);
    if (text.size > SUCCESSION_SIZE_MAX || !text_is_clean(text, TEXT_LINES) ||
        !take_head(&rest, succession)) {
        return RC_INVALID_ARGUMENT;
    }
    TRY(take_note(rest, &note));
    TRY(succession_set_last(succession, buffer_bytes(&note)));
    return check_form(text, succession);
}

enum rc succession_open(struct bytes bytes, const struct authorities *authorities,
                        struct succession *succession, unsigned *signed_by)
{
    struct note *note = malloc(sizeof *note);
    unsigned count = 0;
    enum rc rc;

    if (note == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    rc = bytes.size <= SUCCESSION_SIZE_MAX ? note_parse(bytes, note) : RC_INVALID_ARGUMENT;
    rc = rc == RC_OK ? succession_parse(note->text, succession) : rc;
    rc = rc == RC_OK ? authorities_check(authorities, note, &count) : rc;
    free(note);
    if (signed_by != NULL) {
        *signed_by = count;
    }
    return rc;
}

bool succession_covers(const struct succession *succession, const struct checkpoint *checkpoint)
{
    if (strcmp(checkpoint->origin, succession->old_key.name) != 0) {
        return false;
    }
    if (checkpoint->size == succession->last.size) {
        return digest_equal(checkpoint->root, succession->last.root);
    }
    return checkpoint->size < succession->last.size || succession->cause != SUCCESSION_STOLEN_KEY;
}
