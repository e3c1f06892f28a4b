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
    {"GET", "/api/bandeja", page_inbox},
    {"GET", "/api/bandeja/cambios", page_inbox_changes},
    {"POST", "/api/bandeja/visto", page_inbox_seen},
    {"POST", "/api/bandeja/intercambio", page_inbox_exchange},
    {"POST", "/api/bandeja/acto", page_inbox_act},
    {"GET", "/api/plazos", page_board},
    {"POST", "/api/plazos/linea", page_board_trace},
    {"GET", "/api/aprobaciones", page_approvals},
    {"POST", "/api/aprobaciones/leer", page_approvals_read},
    {"POST", "/api/aprobaciones/decidir", page_approvals_give},
    {"GET", "/api/red", page_network},
    {"POST", "/api/red/prueba", page_network_test},
    {"GET", "/api/directorio", page_directory},
    {"GET", "/api/informes", page_reports_catalogue},
    {"POST", "/api/directorio/comparar", page_directory_versions},
    {"GET", "/api/solicitud", page_request_forms},
    {"POST", "/api/solicitud/revisar", page_request_review},
    {"POST", "/api/solicitud/enviar", page_request_send},
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
