/* Directorio: who may send what to whom, as the texts in force say; what changed between two. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "console/exchange_json.h"
#include "console/routes.h"
#include "policy/decree.h"
#include "policy/directory_file.h"
#include "policy/law_folder.h"
#include "policy/route.h"
#include "tlog/note.h"

static void add_dates(json_t *object, const struct dates *dates)
{
    char from[CLOCK_TEXT_SIZE];
    char to[CLOCK_TEXT_SIZE];

    clock_format_date(dates->from_day, from);
    clock_format_date(dates->to_day, to);
    json_object_set_new(object, "from_date", json_string(from));
    json_object_set_new(object, "to_date", json_string(to));
}

static json_t *texts_json(const struct directory *directory)
{
    json_t *texts = json_array();

    for (size_t i = 0; i < directory->text_count; i++) {
        const struct directory_text *text = &directory->texts[i];
        char hex[2 * HASH_SIZE + 1];
        json_t *one;

        hex_encode(text->sha256, HASH_SIZE, hex);
        one = json_pack("{s:s,s:I,s:b,s:s}", "subject", text->subject, "version",
                        (json_int_t)text->version, "roster", text->kind == TEXT_ROSTER, "sha256",
                        hex);
        add_dates(one, &text->in_force);
        json_array_append_new(texts, one);
    }
    return texts;
}

static json_t *members_json(const struct directory *directory, int32_t today)
{
    json_t *members = json_array();

    for (size_t i = 0; i < directory->member_count; i++) {
        const struct member *member = &directory->members[i];

        if (member->in_force.from_day <= today && today <= member->in_force.to_day) {
            json_array_append_new(members, json_pack("{s:s,s:s,s:s,s:b}", "code", member->code,
                                                     "name", member->name, "node", member->node,
                                                     "suspended", member->is_suspended));
        }
    }
    return members;
}

static json_t *fields_json(struct field_set fields)
{
    json_t *labels = json_array();
    size_t count;
    const struct field *catalogue = field_catalogue(&count);

    for (size_t i = 0; i < count; i++) {
        if (catalogue[i].path != NULL && field_set_has(fields, (unsigned)i)) {
            json_array_append_new(labels, json_string(catalogue[i].label));
        }
    }
    return labels;
}

static json_t *codes_json(const struct route *route)
{
    json_t *codes = json_array();

    for (size_t i = 0; i < route->code_count; i++) {
        json_array_append_new(codes, json_pack("{s:s,s:s}", "code", route->codes[i], "phrase",
                                               exchange_phrase(route->codes[i])));
    }
    return codes;
}

static json_t *sealed_json(const struct route *route)
{
    json_t *parts = json_array();

    for (int type = 1; type < COMPARTMENT_TYPES; type++) {
        if ((route->sealed_types >> type & 1) != 0) {
            json_array_append_new(parts,
                                  json_string(compartment_name((enum compartment_type)type)));
        }
    }
    return parts;
}

static json_t *routes_json(const struct directory *directory, int32_t today)
{
    json_t *routes = json_array();

    for (size_t i = 0; i < directory->route_count; i++) {
        const struct route *route = &directory->routes[i];
        json_t *one = json_pack(
            "{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:b,s:b,s:b,s:b,s:o,s:o,s:o,s:i}", "id", route->id,
            "from", route->from, "to", route->to, "purpose", route->purpose, "basis", route->basis,
            "aviso", route->aviso, "retention", route->retention, "urgent",
            route->is_urgent_allowed, "second", route->needs_second_official, "onward",
            route->is_onward_through_origin, "in_force", route_is_in_force(directory, route, today),
            "codes", codes_json(route), "fields", fields_json(route->fields), "sealed",
            sealed_json(route), "line", (int)route->line);

        add_dates(one, &route->in_force);
        json_array_append_new(routes, one);
    }
    return routes;
}

/* Names of the signed texts in the folder, for comparing two. */
static json_t *files_json(const char *path)
{
    OWN(law_folder) folder = {0};
    json_t *names = json_array();

    if (law_folder_read(path, &folder) == RC_OK) {
        for (size_t i = 0; i < folder.count; i++) {
            json_array_append_new(names, json_string(folder.files[i].name));
        }
    }
    return names;
}

enum rc page_directory(const struct asked *asked, json_t **answer, struct fault *fault)
{
    OWN_PTR(directory) directory = NULL;
    int32_t today = clock_local_day(clock_now_ms());

    TRY(desk_directory(asked->console, &directory, fault));
    *answer = json_pack("{s:o,s:o,s:o,s:o}", "texts", texts_json(directory), "members",
                        members_json(directory, today), "routes", routes_json(directory, today),
                        "files", files_json(asked->console->directory));
    return RC_OK;
}

/* ---- what changed ---- */

/* Only a name that the folder itself gives opens a file. */
static enum rc find_text(const struct law_folder *folder, const char *name, struct note *note,
                         struct fault *fault)
{
    for (size_t i = 0; i < folder->count; i++) {
        if (strcmp(folder->files[i].name, name) == 0 &&
            note_parse(buffer_bytes(&folder->files[i].bytes), note) == RC_OK) {
            return RC_OK;
        }
    }
    return refuse(fault, RC_NOT_FOUND, "directory.text", "",
                  "La carpeta no tiene ese texto firmado: recargue la página.");
}

enum rc page_directory_versions(const struct asked *asked, json_t **answer, struct fault *fault)
{
    OWN(law_folder) folder = {0};
    struct note *notes = arena_alloc(asked->arena, 2 * sizeof *notes);
    const char *before;
    const char *after;
    char *text = NULL;
    size_t size = 0;
    size_t articles;
    FILE *out;

    TRY(asked_text(asked, "before", &before, fault));
    TRY(asked_text(asked, "after", &after, fault));
    if (notes == NULL || asked->console->directory == NULL ||
        law_folder_read(asked->console->directory, &folder) != RC_OK) {
        return refuse(fault, RC_FAILED_PRECONDITION, "console.directory", "",
                      "Abra la consola con --with CARPETA, la de los textos firmados.");
    }
    TRY(find_text(&folder, before, &notes[0], fault));
    TRY(find_text(&folder, after, &notes[1], fault));
    out = open_memstream(&text, &size);
    if (out == NULL) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "console.memory", "", "Falta memoria.");
    }
    articles = decree_print(notes[0].text, notes[1].text, out);
    fclose(out);
    *answer = json_pack("{s:i,s:s}", "articles", (int)articles, "text", text);
    free(text);
    return *answer != NULL ? RC_OK : RC_RESOURCE_EXHAUSTED;
}
