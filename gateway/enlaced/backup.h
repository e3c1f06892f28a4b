/*
 * backup - what `enlaced --backup` and `--restore` do with the folders that the settings name.
 *
 *     enlaced --backup log|vault FOLDER SETTINGS-FILE     of a stopped node
 *     enlaced --restore log|vault FOLDER SETTINGS-FILE    where there is none
 *
 * A running node makes a backup of its log when it gets SIGUSR1, into a new folder under the one
 * that the setting `backup` names.
 */
#ifndef ENLACED_BACKUP_H
#define ENLACED_BACKUP_H

#include "base/rc.h"

struct db;
struct settings;

/* `verb` is "--backup" or "--restore". RC_INVALID_ARGUMENT: neither a log nor a vault. */
MUST_CHECK enum rc backup_run(const struct settings *settings, const char *verb, const char *what,
                              const char *folder);
/* The running node's; failures are logged. */
void backup_now(const struct settings *settings, struct db *log);

#endif
