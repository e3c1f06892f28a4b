#include "enlaced/backup.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "enlaced/settings.h"
#include "store/archive.h"

static enum rc options_of(const struct settings *settings, const char *what, const char *folder,
                          struct archive_options *options)
{
    *options = (struct archive_options){.archive = folder};
    if (strcmp(what, "log") == 0) {
        options->kind = ARCHIVE_LOG;
        options->live = settings->data;
    } else if (strcmp(what, "vault") == 0) {
        options->kind = ARCHIVE_VAULT;
        options->live = settings->vault;
    } else {
        return failed(RC_INVALID_ARGUMENT, "backup.what", "given=%s wanted=log|vault", what);
    }
    return RC_OK;
}

enum rc backup_run(const struct settings *settings, const char *verb, const char *what,
                   const char *folder)
{
    struct archive_options options;

    TRY(options_of(settings, what, folder, &options));
    return strcmp(verb, "--backup") == 0 ? archive_make(&options) : archive_restore(&options);
}

void backup_now(const struct settings *settings, struct db *log)
{
    struct archive_options options = {.kind = ARCHIVE_LOG, .live = settings->data, .log = log};
    char folder[CONF_TEXT_SIZE + 40];
    char stamp[32];
    time_t now = (time_t)(clock_now_ms() / 1000);
    struct tm utc;

    if (settings->backup[0] == '\0') {
        log_warn("backup.unset", "remedy=\"name a folder in the setting backup\"");
        return;
    }
    gmtime_r(&now, &utc);
    strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &utc);
    snprintf(folder, sizeof folder, "%s/log-%s", settings->backup, stamp);
    options.archive = folder;
    if (archive_make(&options) != RC_OK) {
        log_error("backup.failed", "path=%s", folder);
    }
}
