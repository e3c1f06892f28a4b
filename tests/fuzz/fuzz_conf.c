/*
 * fuzz_conf - settings files from arbitrary bytes: texts end within their arrays, integers lie
 * within the row's bounds, a refusal says why.
 */
#include "fuzz/fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

#include "base/conf.h"

struct settings {
    char name[CONF_TEXT_SIZE];
    char needed[CONF_TEXT_SIZE];
    int64_t limit;
    struct conf_list peers;
};

static const struct conf_row rows[] = {
    {"name", CONF_TEXT, offsetof(struct settings, name), "enlace", 1, 0, "A text."},
    {"needed", CONF_TEXT, offsetof(struct settings, needed), NULL, 1, 0, "Must be given."},
    {"limit_ms", CONF_INTEGER, offsetof(struct settings, limit), "10", 1, 1000, "A number."},
    {"peer", CONF_TEXTS, offsetof(struct settings, peers), NULL, 0, 0, "Several."},
    {0},
};

FUZZ_QUIET()

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int file = -1;
    char path[64];
    char error[512] = "";
    struct settings settings = {0};

    if (file < 0) {
        file = memfd_create("settings", MFD_CLOEXEC);
    }
    assert(ftruncate(file, 0) == 0);
    assert(pwrite(file, data, size, 0) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    if (conf_read(path, rows, &settings, error) == RC_OK) {
        assert(strnlen(settings.name, CONF_TEXT_SIZE) < CONF_TEXT_SIZE);
        assert(settings.needed[0] != '\0' && settings.name[0] != '\0');
        assert(settings.limit >= 1 && settings.limit <= 1000);
        assert(settings.peers.count <= 32);
    } else {
        assert(error[0] != '\0' && strnlen(error, sizeof error) < sizeof error);
    }
    return 0;
}
