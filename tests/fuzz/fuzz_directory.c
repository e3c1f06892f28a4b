/*
 * fuzz_directory - the directory's parser on any bytes: either rows that keep the header's
 * promises, or a line that says what was expected. Seeds in data/directory/.
 */
#include <assert.h>
#include <string.h>

#include "policy/directory_file.h"
#include "policy/member.h"
#include "policy/route.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct directory *directory = NULL;
    char error[DIRECTORY_ERROR_SIZE];
    enum rc rc = directory_parse(BYTES(data, size), "fuzz", &directory, error);

    if (rc != RC_OK) {
        assert(directory == NULL && strlen(error) > 0 && strlen(error) < sizeof error);
        return 0;
    }
    for (size_t i = 0; i < directory->member_count; i++) {
        const struct member *member = &directory->members[i];

        assert(member_find(directory, member->code, member->in_force.from_day) == member);
        assert(node_by_code(directory, member->node) != NULL);
    }
    for (size_t i = 0; i < directory->route_count; i++) {
        const struct route *route = &directory->routes[i];

        assert(route_between(directory, route->from, route->to, route->id) == route);
        assert(route_by_id(directory, route->id) == route);
        assert(route->type_count > 0 && route->type_count <= ROUTE_TYPES_MAX);
    }
    directory_free(directory);
    return 0;
}
