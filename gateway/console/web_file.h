/*
 * web_file - the pages' constant files, inside the program: web/ as the build found it.
 */
#ifndef CONSOLE_WEB_FILE_H
#define CONSOLE_WEB_FILE_H

#include "base/bytes.h"

struct web_file {
    const char *path; /* "/app.js" */
    const char *type; /* of its content */
    const uint8_t *begin;
    const uint8_t *end;
};

/* NULL: there is none. The addresses of pages ("/bitacora") give the one page that they all are. */
const struct web_file *web_file_find(const char *path);
struct bytes web_file_bytes(const struct web_file *file);

#endif
