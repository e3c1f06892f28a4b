#include "console/web_file.h"

#include <string.h>

/*
 * The assembler puts the files in: no generator and no copy. The build runs at the root of the
 * tree, and makes this object anew when one of them changes.
 */
#define WEB "gateway/console/web"
#define EMBED(name, file)                                                                          \
    __asm__(".section .rodata\n"                                                                   \
            ".global web_" #name "_begin\nweb_" #name "_begin:\n"                                  \
            ".incbin \"" WEB "/" file "\"\n"                                                       \
            ".global web_" #name "_end\nweb_" #name "_end:\n.byte 0\n"                             \
            ".previous\n");                                                                        \
    extern const uint8_t web_##name##_begin[];                                                     \
    extern const uint8_t web_##name##_end[];

#define WEB_FILES(FILE_ROW)                                                                        \
    FILE_ROW(index, "index.html", HTML)                                                            \
    FILE_ROW(icon, "icon.svg", SVG)                                                                \
    FILE_ROW(base, "base.css", CSS)                                                                \
    FILE_ROW(parts, "parts.css", CSS)                                                              \
    FILE_ROW(paper, "paper.css", CSS)                                                              \
    FILE_ROW(app, "app.js", JS)                                                                    \
    FILE_ROW(api, "api.js", JS)                                                                    \
    FILE_ROW(dom, "dom.js", JS)                                                                    \
    FILE_ROW(texts, "texts.js", JS)                                                                \
    FILE_ROW(keys, "keys.js", JS)                                                                  \
    FILE_ROW(theme, "theme.js", JS)                                                                \
    FILE_ROW(enter, "enter.js", JS)                                                                \
    FILE_ROW(pages, "pages.js", JS)                                                                \
    FILE_ROW(export, "export.js", JS)                                                              \
    FILE_ROW(records, "records.js", JS)                                                            \
    FILE_ROW(leaf, "leaf.js", JS)                                                                  \
    FILE_ROW(inbox, "inbox.js", JS)                                                                \
    FILE_ROW(exchange, "exchange.js", JS)                                                          \
    FILE_ROW(request, "request.js", JS)                                                            \
    FILE_ROW(board, "board.js", JS)                                                                \
    FILE_ROW(network, "network.js", JS)                                                            \
    FILE_ROW(directory, "directory.js", JS)                                                        \
    FILE_ROW(approve, "approve.js", JS)                                                            \
    FILE_ROW(reports, "reports.js", JS)                                                            \
    FILE_ROW(figures, "figures.js", JS)

#define HTML "text/html; charset=utf-8"
#define CSS "text/css; charset=utf-8"
#define JS "text/javascript; charset=utf-8"
#define SVG "image/svg+xml"

#define EMBED_ROW(name, file, type) EMBED(name, file)
#define TABLE_ROW(name, file, type) {"/" file, type, web_##name##_begin, web_##name##_end},

WEB_FILES(EMBED_ROW)

static const struct web_file files[] = {WEB_FILES(TABLE_ROW)};

/* The addresses of the one page, and what lies below them (a permalink). */
static const char *const pages[] = {
    "/bandeja", "/solicitud", "/plazos", "/bitacora", "/red", "/informes", "/directorio",
};

static bool is_page(const char *path)
{
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
        size_t size = strlen(pages[i]);

        if (strncmp(path, pages[i], size) == 0 && (path[size] == '\0' || path[size] == '/')) {
            return true;
        }
    }
    return strcmp(path, "/") == 0;
}

const struct web_file *web_file_find(const char *path)
{
    if (is_page(path)) {
        return &files[0];
    }
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        if (strcmp(files[i].path, path) == 0) {
            return &files[i];
        }
    }
    return NULL;
}

struct bytes web_file_bytes(const struct web_file *file)
{
    return BYTES(file->begin, (size_t)(file->end - file->begin));
}
