#include "console/routes.h"

#include <string.h>

static const struct page pages[] = {
    {"GET", "/api/yo", page_who},
    {"GET", "/api/bitacora", page_records_state},
    {"POST", "/api/bitacora/abrir", page_records_open},
    {"POST", "/api/bitacora/cerrar", page_records_close},
    {"POST", "/api/bitacora/buscar", page_records_search},
    {"POST", "/api/bitacora/mas", page_records_more},
    {"POST", "/api/bitacora/hoja", page_records_leaf},
    {"GET", "/api/red", page_network},
    {"POST", "/api/red/prueba", page_network_test},
};

const struct page *routes_find(bool is_post, const char *path)
{
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
        if (strcmp(pages[i].path, path) == 0 && (pages[i].method[0] == 'P') == is_post) {
            return &pages[i];
        }
    }
    return NULL;
}
