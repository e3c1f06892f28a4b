/*
 * demo - the demonstration's PKI and directory, made by its own scripts in a temporary folder.
 * Tests run from the repository's root.
 */
#ifndef UNIT_POLICY_DEMO_DIRECTORY_H
#define UNIT_POLICY_DEMO_DIRECTORY_H

#include <unistd.h>

#include "unit/policy/policy_fixture.h"

struct demo {
    char folder[64];
    struct directory *directory;
};

static inline void demo_run(const char *format, const char *folder)
{
    char command[512];

    snprintf(command, sizeof command, format, folder, folder);
    if (system(command) != 0) {
        fail_msg("failed: %s", command);
    }
}

static inline int demo_make(void **state)
{
    static struct demo demo;
    char error[DIRECTORY_ERROR_SIZE] = "";
    char path[128];

    snprintf(demo.folder, sizeof demo.folder, "/tmp/enlace-policy-XXXXXX");
    assert_non_null(mkdtemp(demo.folder));
    demo_run("certs/make_pki.sh %s/pki >/dev/null", demo.folder);
    demo_run("deploy/demo/make_directory.sh %s/pki %s/directory.txt --ports-from 9001",
             demo.folder);
    snprintf(path, sizeof path, "%s/directory.txt", demo.folder);
    if (directory_read(path, &demo.directory, error) != RC_OK) {
        fail_msg("%s", error);
    }
    *state = &demo;
    return 0;
}

static inline int demo_remove(void **state)
{
    struct demo *demo = *state;

    directory_free(demo->directory);
    demo_run("rm -rf %s", demo->folder);
    return 0;
}

#endif
