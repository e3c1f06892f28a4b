#include "client/json_facts.h"

void json_add_text(json_t *object, const char *name, const char *text)
{
    if (text != NULL && text[0] != '\0') {
        json_object_set_new(object, name, json_string(text));
    }
}

void json_add_id(json_t *object, const char *name, const struct id *id)
{
    char text[ID_TEXT_SIZE];

    if (!id_is_zero(id)) {
        id_format(id, text);
        json_object_set_new(object, name, json_string(text));
    }
}
