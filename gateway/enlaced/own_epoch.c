#include "enlaced/own_epoch.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "enlaced/settings.h"
#include "model/directory.h"
#include "policy/law.h"

static enum rc read_file(const char *path, size_t most, struct buffer *text)
{
    FILE *file = fopen(path, "rbe");
    uint8_t block[4096];
    size_t size;
    bool is_bad;

    if (file == NULL) {
        return failed(RC_NOT_FOUND, "epoch.file", "path=%s cause=cannot be read", path);
    }
    while ((size = fread(block, 1, sizeof block, file)) > 0 && text->size <= most) {
        buffer_put(text, block, size);
    }
    is_bad = ferror(file) != 0;
    fclose(file);
    if (is_bad || text->is_failed || text->size > most) {
        return failed(RC_INVALID_ARGUMENT, "epoch.file", "path=%s cause=too large, or not readable",
                      path);
    }
    return RC_OK;
}

static enum rc read_authorities(const char *path, struct authorities *authorities)
{
    OWN(buffer) text = {0};
    unsigned line = 0;

    if (path[0] == '\0') {
        return RC_OK;
    }
    TRY(read_file(path, AUTHORITIES_TEXT_MAX, &text));
    if (authorities_parse(buffer_bytes(&text), authorities, &line) != RC_OK) {
        return failed(RC_INVALID_ARGUMENT, "epoch.authorities", "path=%s line=%u", path, line);
    }
    return RC_OK;
}

/* Of this node's network, by the directory in force. */
static enum rc listed_authorities(const struct settings *settings,
                                  const struct directory *directory,
                                  struct authorities *authorities)
{
    char network[CODE_SIZE];
    enum rc rc;

    snprintf(network, sizeof network, "%.*s", (int)strcspn(settings->node, "/"), settings->node);
    rc = directory_authorities(directory, network, authorities);
    return rc == RC_NOT_FOUND
               ? failed(RC_FAILED_PRECONDITION, "epoch.authorities",
                        "cause=the directory lists none remedy=set authorities to their list")
               : rc;
}

static enum rc read_statement(const char *path, const struct authorities *authorities,
                              struct own_epoch *epoch)
{
    unsigned signed_by = 0;
    enum rc rc;

    TRY(read_file(path, SUCCESSION_SIZE_MAX, &epoch->note));
    rc = succession_open(buffer_bytes(&epoch->note), authorities, &epoch->succession, &signed_by);
    if (rc != RC_OK) {
        return failed(rc, "epoch.succession",
                      "path=%s signed_by=%u quorum=%u remedy=look at it with enlace log statement, "
                      "and have the authorities sign it",
                      path, signed_by, authorities->quorum);
    }
    epoch->number = epoch->succession.epoch;
    return RC_OK;
}

enum rc own_epoch_read(const struct settings *settings, const struct directory *directory,
                       struct own_epoch *epoch)
{
    struct authorities authorities;

    epoch->number = 1;
    TRY(read_authorities(settings->authorities, &epoch->authorities));
    if (settings->succession[0] == '\0') {
        return RC_OK;
    }
    authorities = epoch->authorities;
    if (authorities.count == 0) {
        TRY(listed_authorities(settings, directory, &authorities));
    }
    return read_statement(settings->succession, &authorities, epoch);
}

enum rc own_epoch_apply(const struct own_epoch *epoch, struct node_entry *self)
{
    const struct succession *succession = &epoch->succession;
    char vkey[VKEY_TEXT_SIZE];

    if (epoch->number == 1) {
        return RC_OK;
    }
    if (strcmp(succession->node, self->code) != 0) {
        return failed(RC_FAILED_PRECONDITION, "epoch.succession", "check=another_node node=%s",
                      succession->node);
    }
    if (strcmp(self->origin, succession->old_key.name) != 0 &&
        strcmp(self->origin, succession->new_key.name) != 0) {
        return failed(RC_FAILED_PRECONDITION, "epoch.succession",
                      "check=directory_lists_a_third_log listed=%s old=%s new=%s", self->origin,
                      succession->old_key.name, succession->new_key.name);
    }
    vkey_format(&succession->new_key, vkey);
    if (strlen(vkey) >= sizeof self->log_vkey ||
        strlen(succession->new_key.name) >= sizeof self->origin) {
        return failed(RC_FAILED_PRECONDITION, "epoch.succession", "check=origin_too_long");
    }
    memcpy(self->log_vkey, vkey, strlen(vkey) + 1);
    memcpy(self->origin, succession->new_key.name, strlen(succession->new_key.name) + 1);
    return RC_OK;
}

void own_epoch_release(struct own_epoch *epoch)
{
    buffer_release(&epoch->note);
}
