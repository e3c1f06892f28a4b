#include "policy/law_read.h"

#include <stdlib.h>

#include "policy/directory_file.h"
#include "policy/law_folder.h"

enum rc law_read(const char *path, struct directory **directory, struct fault *fault)
{
    OWN_PTR(law) law = law_new();
    OWN(law_folder) folder = {0};
    char error[LAW_ERROR_SIZE] = "";
    struct law_offer *offers;
    enum rc rc;

    if (law == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    if (law_folder_trust(path, law, error) != RC_OK || law_folder_read(path, &folder) != RC_OK) {
        return refuse(fault, RC_NOT_FOUND, "file.unreadable", path, "%.200s",
                      error[0] != '\0' ? error : "No se puede leer la carpeta.");
    }
    offers = calloc(folder.count + 1, sizeof *offers);
    if (offers == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    for (size_t i = 0; i < folder.count; i++) {
        offers[i].note = buffer_bytes(&folder.files[i].bytes);
        offers[i].name = folder.files[i].name;
    }
    *directory = NULL;
    rc = law_offer(law, offers, folder.count, directory);
    free(offers);
    return rc == RC_OK && *directory != NULL
               ? RC_OK
               : refuse(fault, RC_FAILED_PRECONDITION, "law.none", path,
                        "Ningún texto de la carpeta está en vigor.");
}
