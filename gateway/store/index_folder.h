/*
 * index_folder - the folder of an index: generations, and whether the newest may be believed.
 *
 * Rules and layout stand in index.h. One thread.
 */
#ifndef STORE_INDEX_FOLDER_H
#define STORE_INDEX_FOLDER_H

#include <stdint.h>

#include "base/rc.h"

#define INDEX_PATH_SIZE 4096

/*
 * Makes the folder, picks the newest generation that may be believed, removes all others, and
 * marks it as open. A number that nobody used when there is none.
 */
MUST_CHECK enum rc index_folder_open(const char *path, uint64_t *generation);
/* After its environment was closed. */
MUST_CHECK enum rc index_folder_close(const char *path, uint64_t generation);
/* Files and folder; what is not there is no error. */
void index_folder_remove(const char *path, uint64_t generation);
/* "<path>/<generation>" */
MUST_CHECK enum rc index_folder_name(const char *path, uint64_t generation,
                                     char out[INDEX_PATH_SIZE]);

#endif
